"""An archive that carries styles, projects and references elsewhere loads its images and follows none of them."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
from pathlib import Path
from typing import Callable, Iterator

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import QgsMapRendererParallelJob, QgsMapSettings, QgsProject, QgsSingleSymbolRenderer, QgsVectorLayer
from qgis.PyQt.QtCore import QSize

from up42_jobs.plugin.delivery.unpack import unpack
from up42_jobs.plugin.host.collect import prepare
from up42_jobs.plugin.layers.geojson_crs import CHUNK, has_linked_crs
from up42_jobs.plugin.layers.load import add_job
from up42_jobs.plugin.net.cancel import Cancel

from .products_support import dimap, safe

MakeRaster = Callable[..., Path]
POINT = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [-54.6, -25.3]}}
VRT = """<VRTDataset rasterXSize="9" rasterYSize="9"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>
<SourceFilename>/vsicurl/{url}/in-vrt.tif</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"""
PROJECT = """<qgis projectname="" version="3.22"><projectlayers><maplayer type="raster"><id>x</id>
<datasource>/vsicurl/{url}/in-project.tif</datasource><provider>gdal</provider></maplayer></projectlayers></qgis>"""
STYLE = """<qgis version="3.22"><renderer-v2 type="singleSymbol"><symbols><symbol type="marker" name="0">
<layer class="SvgMarker" enabled="1"><prop k="name" v="{url}/in-style.svg"/><prop k="size" v="9"/></layer></symbol>
</symbols></renderer-v2></qgis>"""


def linked(url: str) -> str:
    return json.dumps(
        {"type": "FeatureCollection", "crs": {"type": "link", "properties": {"href": url}}, "features": [POINT]}
    )


def pack(folder: Path, archive: Path) -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                tar.add(path, f"output/{path.relative_to(folder)}")
    return archive


def hostile(folder: Path, url: str, make_raster: MakeRaster) -> None:
    """Two good files among everything that refers elsewhere."""
    image = np.full((1, 40, 50), 7, "uint8")
    make_raster(folder / "good.tif", image)
    (folder / "good.qml").write_text(STYLE.format(url=url))
    (folder / "zones.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [POINT]}))
    (folder / "zones.qml").write_text(STYLE.format(url=url))
    (folder / "zones.sld").write_text(f"<StyledLayerDescriptor><x href='{url}/in-sld.svg'/></StyledLayerDescriptor>")
    (folder / "crs.geojson").write_text(linked(f"{url}/crs"))
    for name in ("a.vrt", "vrt.tif", "vrt.jp2", "vrt.nc"):
        (folder / name).write_text(VRT.format(url=url))
    for name in ("map.qgs", "map.qgz", "layer.qlr"):
        (folder / name).write_text(PROJECT.format(url=url))
    make_raster(folder / "pam.tif", image)
    (folder / "pam.tif.aux.xml").write_text(
        f"<PAMDataset><SRS>{url}/srs</SRS><Metadata domain='OVERVIEWS'>"
        f"<MDI key='OVERVIEW_FILE'>/vsicurl/{url}/x.ovr</MDI></Metadata></PAMDataset>"
    )
    gdal.VectorTranslate(str(folder / "styled.gpkg"), str(folder / "zones.geojson"), format="GPKG")
    with sqlite3.connect(folder / "styled.gpkg") as tables:
        tables.execute(
            "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY, f_table_catalog TEXT, f_table_schema TEXT, f_table_name"
            " TEXT, f_geometry_column TEXT, styleName TEXT, styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN)"
        )
        tables.execute(
            "INSERT INTO layer_styles VALUES (1, '', '', 'zones', 'geom', 'x', ?, '', 1)", (STYLE.format(url=url),)
        )
    described = dimap(folder / "dimap")
    described.write_text(described.read_text().replace("IMG_TEST_MS_R1C1.JP2", f"/vsicurl/{url}/dimap.jp2"))
    mtd = safe(folder / "safe")
    mtd.write_text(mtd.read_text().replace("</Granule>", f"<IMAGE_FILE>/vsicurl/{url}/safe</IMAGE_FILE></Granule>"))


@pytest.fixture(params=[False, True], ids=["as they are", "GDAL's exceptions on"])
def exceptions(request: pytest.FixtureRequest) -> Iterator[None]:
    """Another plugin may have switched them on, for the whole process."""
    switched = bool(request.param) and not gdal.GetUseExceptions()
    if switched:
        gdal.UseExceptions()
    yield
    if switched:
        gdal.DontUseExceptions()


@pytest.mark.usefixtures("exceptions")
def test_a_hostile_archive_loads_its_images_and_follows_nothing(
    project: QgsProject, tmp_path: Path, make_raster: MakeRaster, silent_server: tuple[str, list[str]]
) -> None:
    url, asked = silent_server
    source, folder = tmp_path / "source", tmp_path / "job"
    source.mkdir()
    hostile(source, url, make_raster)
    asked.clear()  # building it may have asked
    files = unpack(pack(source, tmp_path / "a.tar.gz"), folder, cancel=Cancel())
    manifest = {
        "schema": "up42-jobs/1",
        "request": {"aoi": {}},
        "job": {"id": "hostile", "name": "hostile"},
        "scenes": [],
        "files": [{"path": path.relative_to(folder).as_posix()} for path in files],
    }
    (folder / "job.json").write_text(json.dumps(manifest))

    prepared = prepare(folder)
    group = add_job(project, prepared.info, prepared.scan, prepared.look)
    layers = [node.layer() for node in group.findLayers()]
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(layers[-1].crs())
    settings.setExtent(layers[-1].extent())
    settings.setOutputSize(QSize(50, 40))
    drawing = QgsMapRendererParallelJob(settings)
    drawing.start()
    drawing.waitForFinished()
    assert project.write(str(tmp_path / "saved.qgz"))

    assert asked == []
    loaded = {Path(layer.source().partition("|")[0]).name for layer in layers}
    assert {"good.tif", "styled.gpkg", "zones.geojson", "IMG_TEST_MS_R1C1.JP2"} <= loaded
    assert all(
        name.endswith((".jp2", ".JP2", ".JPG")) for name in loaded - {"good.tif", "styled.gpkg", "zones.geojson"}
    )
    for layer in layers:
        if isinstance(layer, QgsVectorLayer):
            assert isinstance(layer.renderer(), QgsSingleSymbolRenderer)
            assert "svg" not in layer.renderer().symbol().symbolLayer(0).layerType().lower()
    reasons = {skipped.path.name: skipped.reason for skipped in prepared.scan.skipped}
    for name in (
        "crs.geojson",
        "a.vrt",
        "vrt.tif",
        "vrt.jp2",
        "map.qgs",
        "map.qgz",
        "layer.qlr",
        "good.qml",
        "pam.tif",
    ):
        assert reasons[name]
    assert "address" in reasons["crs.geojson"]
    assert "outside of the product" in reasons["DIM_TEST_MS.XML"]
    assert "outside of the product" in reasons["MTD_MSIL2A.xml"]


def test_gdal_itself_would_ask_the_address_of_a_crs(tmp_path: Path, silent_server: tuple[str, list[str]]) -> None:
    """Shows that the test above can fail."""
    url, asked = silent_server
    (tmp_path / "crs.geojson").write_text(linked(f"{url}/crs"))
    gdal.OpenEx(str(tmp_path / "crs.geojson"), gdal.OF_VECTOR)
    assert asked == ["/crs"]


CRS = '"crs": {"type": "link", "properties": {"href": "URL"}}'
DISGUISES = {
    "as it is": CRS,
    "capitals": CRS.replace("link", "LINK"),
    "url": CRS.replace("link", "url").replace("href", "url"),
    "properties first": '"crs": {"properties": {"href": "URL"}, "type": "link"}',
    "a brace in a string": '"crs": {"x": "}", "type": "link", "properties": {"href": "URL"}}',
    "a quote in a string": '"crs": {"x": "\\"}", "type": "link", "properties": {"href": "URL"}}',
    "single quotes": CRS.replace('"', "'"),
    "a comment": CRS.replace("{", "/* } */ {", 1),
    "hidden letters": CRS.replace("crs", "\\u0063rs"),
    "hidden letters of the link": CRS.replace("link", "\\u006cink").replace("href", "hre\\u0066"),
    "far away": " " * (CHUNK - 70) + CRS,
    "at the very end": " " * (2 * CHUNK) + CRS,
}


@pytest.mark.parametrize("disguise", DISGUISES.values(), ids=DISGUISES)
def test_a_linked_crs_is_found_in_whatever_disguise(tmp_path: Path, disguise: str) -> None:
    path = tmp_path / "x.geojson"
    path.write_text('{"type": "FeatureCollection", "features": [], ' + disguise.replace("URL", "http://x.test/") + "}")
    assert has_linked_crs(path)


@pytest.mark.parametrize(
    "text",
    [
        '"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}, "x": {"url": "http://x"}',
        '"crs": null, "links": [{"href": "http://x"}]',
        '"crs": {"type": "name", "properties": {"name": "EPSG:32721"}}' + " " * CHUNK + ', "href": "\\u00e4"',
    ],
)
def test_a_named_crs_is_no_link(tmp_path: Path, text: str) -> None:
    path = io.BytesIO()  # only to show that what is written is JSON
    path.write(("{" + text + "}").encode())
    json.loads(path.getvalue())
    (tmp_path / "x.geojson").write_bytes(path.getvalue())
    assert not has_linked_crs(tmp_path / "x.geojson")
