"""Which files of an output folder become layers: asked of QGIS, and nothing that refers elsewhere is followed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from osgeo import gdal

from up42_jobs.plugin.layers.open_layer import open_layer
from up42_jobs.plugin.layers.scan import Scan, scan

MakeRaster = Callable[..., Path]
SQUARE = [[[-54.6, -25.4], [-54.5, -25.4], [-54.5, -25.3], [-54.6, -25.3], [-54.6, -25.4]]]


def image(bands: int = 1, kind: str = "uint16") -> np.ndarray:
    return np.arange(bands * 40 * 50).reshape(bands, 40, 50).astype(kind)


def feature(scene_id: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": scene_id,
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": SQUARE},
    }


def geojson(path: Path, *features: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
    return path


def names(scanned: Scan) -> list[str]:
    return [found.path.name for found in scanned.found]


def reason(scanned: Scan, name: str) -> str:
    return next(skipped.reason for skipped in scanned.skipped if skipped.path.name == name)


@pytest.fixture
def folder(tmp_path: Path, qgis_app: object) -> Path:
    made = tmp_path / "a job, with ümlaut & spaces"
    made.mkdir()
    return made


def test_every_kind_of_output_is_found_and_opens(folder: Path, make_raster: MakeRaster) -> None:
    make_raster(folder / "four.tif", image(4))
    make_raster(folder / "variables.nc", image(2, "float32"), driver="netCDF")
    geojson(folder / "zones.geojson", feature("z"))
    gdal.VectorTranslate(str(folder / "tables.gpkg"), str(folder / "zones.geojson"), layerName="one", format="GPKG")
    gdal.VectorTranslate(
        str(folder / "tables.gpkg"), str(folder / "zones.geojson"), layerName="two", format="GPKG", accessMode="update"
    )
    gdal.VectorTranslate(str(folder / "shape.shp"), str(folder / "zones.geojson"), format="ESRI Shapefile")
    (folder / "points.csv").write_text("id,lon,lat\n1,-54.5,-25.3\n2,-54.6,-25.4\n")
    (folder / "statistics.csv").write_text("zone,mean\nz,0.4\n")

    scanned = scan(folder, [Path(p.name) for p in folder.iterdir()], [])

    assert scanned.skipped == []
    assert sorted(names(scanned)) == sorted(
        f"four.tif {2 * 'variables.nc '}{2 * 'tables.gpkg '}zones.geojson shape.shp points.csv statistics.csv".split()
    )
    layers = {found.name: open_layer(found, found.name) for found in scanned.found}
    assert all(layer.isValid() for layer in layers.values())
    assert {"variables Band1", "variables Band2", "tables one", "tables two"} <= set(layers)
    assert layers["four"].bandCount() == 4
    assert layers["four"].crs().authid() == "EPSG:32721"
    assert layers["variables Band2"].extent().width() == pytest.approx(50 * 30)
    assert layers["points"].crs().authid() == "EPSG:4326"
    assert layers["points"].extent().xMinimum() == pytest.approx(-54.6)
    assert layers["points"].featureCount() == 2
    assert not layers["statistics"].isSpatial()


def test_sidecars_and_own_files_are_no_layers_and_not_listed(folder: Path, make_raster: MakeRaster) -> None:
    make_raster(folder / "a.tif", image())
    gdal.Open(str(folder / "a.tif")).BuildOverviews("AVERAGE", [2])
    gdal.Info(str(folder / "a.tif"), stats=True)
    geojson(folder / "data.json", feature("a"))
    (folder / "job.json").write_text("{}")
    files = sorted(folder.iterdir())
    assert {"a.tif.ovr", "a.tif.aux.xml"} <= {file.name for file in files}

    scanned = scan(folder, files, [feature("a")])

    assert names(scanned) == ["a.tif"]
    assert scanned.skipped == []


def test_only_members_of_the_manifest_are_looked_at(folder: Path, make_raster: MakeRaster) -> None:
    make_raster(folder / "listed.tif", image())
    make_raster(folder / "unlisted.tif", image())
    assert names(scan(folder, [folder / "listed.tif"], [])) == ["listed.tif"]


def test_what_is_no_layer_is_named_with_the_reason(folder: Path, make_raster: MakeRaster) -> None:
    (folder / "junk.tif").write_bytes(b"II*\0" + b"garbage" * 50)
    (folder / "readme.txt").write_text("hello")
    (folder / "empty.tif").write_bytes(b"")
    make_raster(folder / "nowhere.png", image(3, "uint8"), driver="GTiff", placed=False)
    files = [*(Path(p.name) for p in folder.iterdir()), Path("gone.tif")]

    scanned = scan(folder, files, [])

    assert scanned.found == []
    assert "damaged" in reason(scanned, "junk.tif")
    assert "no image" in reason(scanned, "readme.txt")
    assert "no image" in reason(scanned, "empty.tif")
    assert "no position" in reason(scanned, "nowhere.png")
    assert "missing" in reason(scanned, "gone.tif")


def test_a_file_outside_of_the_folder_is_refused(folder: Path, make_raster: MakeRaster, tmp_path: Path) -> None:
    make_raster(tmp_path / "private.tif", image())
    (folder / "link.tif").symlink_to(tmp_path / "private.tif")
    scanned = scan(folder, [Path("../private.tif"), Path("link.tif")], [])
    assert scanned.found == []
    assert "outside" in reason(scanned, "private.tif")
    assert "outside" in reason(scanned, "link.tif")


VRT = """<VRTDataset rasterXSize="50" rasterYSize="40"><SRS>EPSG:32721</SRS>
<GeoTransform>740000, 30, 0, 7200000, 0, -30</GeoTransform><VRTRasterBand dataType="UInt16" band="1"><SimpleSource>
<SourceFilename relativeToVRT="0">{source}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>
</VRTDataset>"""
OGR_VRT = """<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>{source}</SrcDataSource></OGRVRTLayer>
</OGRVRTDataSource>"""
WMS = """<GDAL_WMS><Service name="TMS"><ServerUrl>{source}/${{z}}</ServerUrl></Service><DataWindow>
<UpperLeftX>-1</UpperLeftX><UpperLeftY>1</UpperLeftY><LowerRightX>1</LowerRightX><LowerRightY>-1</LowerRightY>
<TileLevel>1</TileLevel></DataWindow><Projection>EPSG:4326</Projection></GDAL_WMS>"""
STYLE_WITH_CODE = """<qgis version="3.22"><editforminitcode>open(r'{source}', 'w')</editforminitcode></qgis>"""
PAM = """<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{source}</MDI></Metadata></PAMDataset>"""


def test_nothing_that_refers_elsewhere_is_followed(
    folder: Path, make_raster: MakeRaster, tmp_path: Path, silent_server: tuple[str, list[str]]
) -> None:
    url, asked = silent_server
    private = make_raster(tmp_path / "private.tif", image())
    remote = f"/vsicurl/{url}/image.tif"
    (folder / "plain.vrt").write_text(VRT.format(source=private))
    (folder / "vrt-inside.tif").write_text(VRT.format(source=private))
    (folder / "remote-vrt.tif").write_text(VRT.format(source=remote))
    (folder / "service.tif").write_text(WMS.format(source=url))
    (folder / "table.csv").write_text(OGR_VRT.format(source=f"/vsicurl/{url}/table.csv"))
    (folder / "zones.geojson").write_text(OGR_VRT.format(source=f"/vsicurl/{url}/zones.geojson"))
    (folder / "style.qml").write_text(STYLE_WITH_CODE.format(source=tmp_path / "was-here"))
    (folder / "map.qgs").write_text("<qgis/>")
    make_raster(folder / "overview-inside.tif", image())
    inside = gdal.Open(str(folder / "overview-inside.tif"), gdal.GA_Update)
    inside.SetMetadataItem("OVERVIEW_FILE", remote, "OVERVIEWS")
    del inside
    make_raster(folder / "overview-beside.tif", image())
    (folder / "overview-beside.tif.aux.xml").write_text(PAM.format(source=remote))
    make_raster(folder / "false-ovr.tif", image())
    (folder / "false-ovr.tif.ovr").write_text(VRT.format(source=remote))
    make_raster(folder / "good.tif", image())
    files = sorted(folder.iterdir())

    scanned = scan(folder, files, [])
    opened = [open_layer(found, found.name) for found in scanned.found]

    assert asked == []
    assert names(scanned) == ["good.tif"]
    assert all(layer.isValid() for layer in opened)
    assert {skipped.path.name for skipped in scanned.skipped} == {
        file.name for file in files if not file.name.endswith((".ovr", ".aux.xml")) and file.name != "good.tif"
    }
    assert "VRT" in reason(scanned, "vrt-inside.tif")
    assert "refers to other files" in reason(scanned, "overview-inside.tif")
    assert "false-ovr.tif.ovr" in reason(scanned, "false-ovr.tif")
    assert "style" in reason(scanned, "style.qml")
    assert not (tmp_path / "was-here").exists()


def test_such_references_would_be_followed_if_they_were_opened(
    folder: Path, make_raster: MakeRaster, silent_server: tuple[str, list[str]]
) -> None:
    """Shows that the test above can fail: GDAL itself asks the server for what a plain GeoTIFF names."""
    url, asked = silent_server
    make_raster(folder / "a.tif", image())
    dataset = gdal.Open(str(folder / "a.tif"), gdal.GA_Update)
    dataset.SetMetadataItem("OVERVIEW_FILE", f"/vsicurl/{url}/x.ovr", "OVERVIEWS")
    del dataset
    dataset = gdal.Open(str(folder / "a.tif"))
    dataset.GetRasterBand(1).GetOverviewCount()
    assert asked


def test_files_belong_to_the_scene_that_names_them_or_begins_their_name(folder: Path, make_raster: MakeRaster) -> None:
    for name in ("s1.tif", "s10_ndvi.tif", "s1/s1_0-0.tif", "tiles/x_1.tif", "merged.tif"):
        make_raster(folder / name, image())
    features = [
        feature("s1", **{"up42.data_path": "s1.tif"}),
        feature("s10"),
        feature("other", **{"up42.data_path": "tiles"}),
    ]
    scanned = scan(folder, [p.relative_to(folder) for p in folder.rglob("*.tif")], features)
    assert {found.name: found.scene_id for found in scanned.found} == {
        "s1": "s1",
        "s10_ndvi": "s10",
        "s1_0-0": "s1",
        "x_1": "other",
        "merged": "",
    }
    assert [scene.id for scene in scanned.scenes] == ["s1", "s10", "other"]


def test_the_output_folder_itself_may_be_part_of_the_path(folder: Path, make_raster: MakeRaster) -> None:
    make_raster(folder / "output" / "strange.tif", image())
    scanned = scan(folder, [Path("output/strange.tif")], [feature("s1", **{"up42.data_path": "strange.tif"})])
    assert [found.scene_id for found in scanned.found] == ["s1"]


def test_mixed_geometries_become_one_layer_each(folder: Path) -> None:
    point = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [-54.5, -25.3]}}
    geojson(folder / "mixed.geojson", feature("z"), point)
    scanned = scan(folder, [Path("mixed.geojson")], [])
    assert sorted(open_layer(found, "").featureCount() for found in scanned.found) == [1, 1]
