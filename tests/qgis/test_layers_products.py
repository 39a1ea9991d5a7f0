"""Real products load: each kind's extent, bands, CRS, and the picture that is drawn of it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import QgsMapLayer, QgsMapRendererParallelJob, QgsMapSettings, QgsProject, QgsRectangle
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QImage

from up42_jobs.plugin.host.zip_members import unpack_zips
from up42_jobs.plugin.layers.job_info import JobInfo
from up42_jobs.plugin.layers.load import add_job
from up42_jobs.plugin.layers.look import CLASSES, COLOUR, measure
from up42_jobs.plugin.layers.overviews import overviews_hook
from up42_jobs.plugin.layers.prepare import prepare
from up42_jobs.plugin.layers.scan import Scan, scan
from up42_jobs.plugin.net.cancel import Cancel

from .products_support import DIMAP_COLUMNS, DIMAP_ROWS, SCENE_METRES, dimap, image, land, safe

MakeRaster = Callable[..., Path]
BLANK = QColor(255, 0, 255)
INFO = JobInfo("j", "Itaipu · Test", "Itaipu", None, "live_job", "Test", "Imagery")
UTM = "EPSG:32721"
SQUARE = [[[-54.6, -25.4], [-54.5, -25.4], [-54.5, -25.3], [-54.6, -25.3], [-54.6, -25.4]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "job"
    made.mkdir()
    return made


def members(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def load(folder: Path, *features: dict[str, Any]) -> tuple[dict[str, QgsMapLayer], Scan]:
    """The layers of all files in the folder, by what tells them apart; footprints left out."""
    scanned, look = prepare(folder, members(folder), features, INFO)
    group = add_job(QgsProject.instance(), INFO, scanned, look)
    found = {node.name(): node.layer() for node in group.findLayers() if node.name() != "Footprints"}
    assert all(layer.isValid() for layer in found.values())
    return found, scanned


def picture(layer: QgsMapLayer, size: int = 60) -> QImage:
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    extent = layer.extent()
    extent.grow(max(extent.width(), extent.height()) * 0.05)
    settings.setExtent(extent)
    settings.setOutputSize(QSize(size, size))
    settings.setBackgroundColor(BLANK)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    return job.renderedImage()


def colours(drawn: QImage) -> set[tuple[int, int, int]]:
    """The colours that are drawn, the background left out."""
    pixels = (drawn.pixelColor(x, y) for x in range(drawn.width()) for y in range(drawn.height()))
    return {(p.red(), p.green(), p.blue()) for p in pixels if p != BLANK}


def only(layers: dict[str, QgsMapLayer]) -> QgsMapLayer:
    assert len(layers) == 1, list(layers)
    return next(iter(layers.values()))


def corners(rectangle: QgsRectangle) -> tuple[float, float, float, float]:
    return rectangle.xMinimum(), rectangle.yMinimum(), rectangle.xMaximum(), rectangle.yMaximum()


@pytest.mark.parametrize(("name", "driver"), [("IMG_MS_R1C1.JP2", "JP2OpenJPEG"), ("IMG_MS_R1C1.TIF", "GTiff")])
def test_dimap(project: QgsProject, folder: Path, name: str, driver: str) -> None:
    """One layer: the volume, RPC, preview and the image itself belong to it."""
    dimap(folder / "id1" / "asset", name, driver)
    layers, scanned = load(folder)
    layer = only(layers)
    assert scanned.skipped == []
    assert layer.bandCount() == 4
    assert layer.crs().authid() == UTM
    assert corners(layer.extent()) == pytest.approx(
        (740000, 7200000 - 2 * DIMAP_ROWS, 740000 + 2 * DIMAP_COLUMNS, 7200000)
    )
    assert layer.renderer().redBand() == 3
    assert len(colours(picture(layer))) > 100


def test_safe(project: QgsProject, folder: Path) -> None:
    """10 m, 20 m, 60 m and the true colour image of one product; only the first is shown."""
    safe(folder / "S2A_scene")
    layers, scanned = load(folder)
    assert scanned.skipped == []
    by_part = {name.rpartition(" ")[2]: layer for name, layer in layers.items()}
    assert {part: layer.bandCount() for part, layer in by_part.items()} == {"10m": 4, "20m": 11, "60m": 7, "TCI": 3}
    assert {layer.crs().authid() for layer in layers.values()} == {UTM}
    for layer in layers.values():
        assert corners(layer.extent()) == pytest.approx(
            (740000, 7200000 - SCENE_METRES, 740000 + SCENE_METRES, 7200000)
        )
    renderer = by_part["10m"].renderer()
    assert (renderer.redBand(), renderer.greenBand(), renderer.blueBand()) == (1, 2, 3)  # B4, B3, B2
    assert len(colours(picture(by_part["10m"]))) > 100
    assert colours(picture(by_part["TCI"])) == {(200, 100, 50)}
    root = project.layerTreeRoot()
    assert [part for part, layer in by_part.items() if root.findLayer(layer.id()).isVisible()] == ["10m"]


def test_netcdf(project: QgsProject, folder: Path, make_raster: MakeRaster) -> None:
    make_raster(folder / "no2.nc", np.linspace(0, 5, 2 * 40 * 50).reshape(2, 40, 50).astype("float32"), driver="netCDF")
    layers, _ = load(folder)
    assert sorted(name.rpartition(" ")[2] for name in layers) == ["Band1", "Band2"]
    for layer in layers.values():
        assert layer.crs().authid() == UTM
        assert corners(layer.extent()) == pytest.approx((740000, 7200000 - 40 * 30, 740000 + 50 * 30, 7200000))
        greys = colours(picture(layer))
        assert len(greys) > 20
        assert all(r == g == b for r, g, b in greys)


@pytest.mark.parametrize("bands", [1, 4])
def test_geotiff(project: QgsProject, folder: Path, make_raster: MakeRaster, bands: int) -> None:
    values = land(bands, 40, 50)
    values[:, :20] = 0
    make_raster(folder / "scene.tif", values, nodata=0)
    layer = only(load(folder)[0])
    assert layer.bandCount() == bands
    assert layer.crs().authid() == UTM
    assert corners(layer.extent()) == pytest.approx((740000, 7200000 - 40 * 30, 740000 + 50 * 30, 7200000))
    drawn = picture(layer)
    assert drawn.pixelColor(30, 15) == BLANK  # nodata
    assert drawn.pixelColor(30, 40) != BLANK
    assert len(colours(drawn)) > 50


def test_jp2(project: QgsProject, folder: Path) -> None:
    image(folder / "scene.jp2", land(3, 40, 50), "JP2OpenJPEG", 10.0, "REVERSIBLE=YES", "QUALITY=100")
    layer = only(load(folder)[0])
    assert (layer.bandCount(), layer.crs().authid()) == (3, UTM)
    assert corners(layer.extent()) == pytest.approx((740000, 7200000 - 400, 740500, 7200000))
    assert len(colours(picture(layer))) > 100


def write_square(path: Path) -> None:
    square = {"type": "Feature", "properties": {"name": "x"}, "geometry": {"type": "Polygon", "coordinates": SQUARE}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [square]}))


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".shp"])
def test_vector_files(project: QgsProject, folder: Path, tmp_path: Path, suffix: str) -> None:
    source = folder / "zones.geojson" if suffix == ".geojson" else tmp_path / "zones.geojson"
    write_square(source)
    if suffix != ".geojson":
        gdal.VectorTranslate(str(folder / f"zones{suffix}"), str(source))
    layers, scanned = load(folder)
    layer = only(layers)
    assert scanned.skipped == []
    assert (layer.featureCount(), layer.crs().authid(), layer.fields().names()[-1]) == (1, "EPSG:4326", "name")
    assert corners(layer.extent()) == pytest.approx((-54.6, -25.4, -54.5, -25.3))
    assert colours(picture(layer))


def test_csv_with_positions_and_one_without(project: QgsProject, folder: Path) -> None:
    (folder / "ships.csv").write_text("id,lon,lat\n1,-54.5,-25.3\n2,-54.6,-25.4\n")
    (folder / "statistics.csv").write_text("zone,mean\nz,0.4\n")
    layers, _ = load(folder)
    ships = next(layer for name, layer in layers.items() if "ships" in name)
    assert (ships.featureCount(), ships.crs().authid()) == (2, "EPSG:4326")
    assert corners(ships.extent()) == pytest.approx((-54.6, -25.4, -54.5, -25.3))
    assert colours(picture(ships))
    assert not next(layer for name, layer in layers.items() if "statistics" in name).isSpatial()


def test_zip_in_the_archive(project: QgsProject, folder: Path, make_raster: MakeRaster, tmp_path: Path) -> None:
    make_raster(tmp_path / "inner.tif", land(3, 40, 50))
    with zipfile.ZipFile(folder / "delivery.zip", "w") as archive:
        archive.write(tmp_path / "inner.tif", "deep/inner.tif")
    (folder / "broken.zip").write_bytes(b"PK\x03\x04 no zip")
    with zipfile.ZipFile(folder / "hostile.zip", "w") as archive:
        archive.writestr("../outside.tif", b"x")
    cancel = Cancel()
    for _ in range(2):  # the second time nothing is unpacked
        files, skipped = unpack_zips(folder, members(folder)[:3], cancel, overviews_hook(cancel))
        assert files == [Path("unpacked/delivery/deep/inner.tif")]
        assert [one.path.name for one in skipped] == ["broken.zip", "hostile.zip"]
    found = scan(folder, files, []).found
    assert [one.path.name for one in found] == ["inner.tif"]
    layers, _ = {}, None
    scanned, look = prepare(folder, files, [], INFO)
    layer = add_job(QgsProject.instance(), INFO, scanned, look).findLayers()[0].layer()
    assert (layer.bandCount(), layer.crs().authid(), layers) == (3, UTM, {})
    assert corners(layer.extent()) == pytest.approx((740000, 7200000 - 40 * 30, 740000 + 50 * 30, 7200000))
    assert len(colours(picture(layer))) > 100
    assert not (tmp_path / "outside.tif").exists()


def test_the_scene_classification_has_esas_colours(project: QgsProject, folder: Path, make_raster: MakeRaster) -> None:
    values = np.repeat(np.arange(12), 5)[None, :, None].repeat(50, 2).astype("uint8")
    path = make_raster(folder / "S2A_T21JYM_SCL.tif", values)
    look = measure(scan(folder, [path], []).found)
    assert look.rasters[str(path)].style == CLASSES
    layer = only(load(folder)[0])
    drawn = picture(layer)
    assert {(0, 160, 0), (0, 0, 255), (255, 255, 255), (100, 200, 255)} <= colours(drawn)
    assert drawn.pixelColor(30, 4) == BLANK  # class 0: no data
    assert [entry.label for entry in layer.renderer().classes()][4] == "Vegetation"


def test_clusters_get_colours_that_differ_and_names_that_the_file_brings(
    project: QgsProject, folder: Path, make_raster: MakeRaster
) -> None:
    values = np.repeat(np.arange(10), 6)[None, :, None].repeat(50, 2).astype("uint8")
    make_raster(folder / "scene_kmeans.tif", values, nodata=0)
    named = gdal.Open(str(make_raster(folder / "cover.tif", values)), gdal.GA_Update)
    named.GetRasterBand(1).SetCategoryNames(["nothing", "water", "trees"])
    del named
    layers, _ = load(folder)
    clusters = next(layer for name, layer in layers.items() if "kmeans" in name)
    assert len(colours(picture(clusters))) == 9
    assert picture(clusters).pixelColor(30, 4) == BLANK
    cover = next(layer for name, layer in layers.items() if "cover" in name)
    assert [entry.label for entry in cover.renderer().classes()][:4] == ["nothing", "water", "trees", "3"]


def test_scenes_of_several_layers_get_groups_of_their_own(
    project: QgsProject, folder: Path, make_raster: MakeRaster
) -> None:
    features = []
    for day in (3, 18):
        scene_id = f"S_{day:02}"
        for band in ("a", "b"):
            make_raster(folder / f"{scene_id}_{band}.tif", land(3, 20, 20))
        features.append(
            {
                "type": "Feature",
                "id": scene_id,
                "geometry": {"type": "Polygon", "coordinates": SQUARE},
                "properties": {"datetime": f"2020-05-{day:02}T13:00:00Z"},
            }
        )
    scanned, look = prepare(folder, members(folder), features, INFO)
    group = add_job(project, INFO, scanned, look)
    scenes = group.findGroup("Scenes")
    assert [child.name() for child in scenes.children()] == ["2020-05-18 S_18", "2020-05-03 S_03"]
    assert [len(child.findLayers()) for child in scenes.children()] == [2, 2]
    looks = {raster.ranges for raster in look.rasters.values() if raster.style == COLOUR}
    assert len(looks) == 1  # one stretch for the whole job


@pytest.mark.parametrize(
    "named",
    ["/vsicurl/{url}/image.tif", "{url}/image.tif", "//127.0.0.1/share/image.tif", "../../private.tif", "{private}"],
)
def test_a_product_that_names_files_elsewhere_is_not_opened(
    project: QgsProject,
    folder: Path,
    make_raster: MakeRaster,
    tmp_path: Path,
    silent_server: tuple[str, list[str]],
    named: str,
) -> None:
    url, asked = silent_server
    private = make_raster(tmp_path / "private.tif", land(4, 40, 50))
    described = dimap(folder / "id1")
    described.write_text(described.read_text().replace("IMG_TEST_MS_R1C1.JP2", named.format(url=url, private=private)))
    mtd = safe(folder / "id2")
    text = mtd.read_text().replace(
        "</Granule>", f"<IMAGE_FILE>{named.format(url=url, private=private)}</IMAGE_FILE></Granule>"
    )
    mtd.write_text(text)
    scanned = scan(folder, [described.relative_to(folder), mtd.relative_to(folder)], [])
    assert scanned.found == []
    assert all("outside" in one.reason for one in scanned.skipped)
    assert asked == []


def test_an_image_of_a_product_that_is_none_is_not_opened(project: QgsProject, folder: Path) -> None:
    described = dimap(folder / "id1", "IMG_MS_R1C1.TIF", "GTiff")
    (described.parent / "IMG_MS_R1C1.TIF").write_text(
        "<VRTDataset rasterXSize='50' rasterYSize='40'><VRTRasterBand dataType='UInt16' band='1'/></VRTDataset>"
    )
    scanned = scan(folder, [described.relative_to(folder)], [])
    assert scanned.found == []
    assert "IMG_MS_R1C1.TIF" in scanned.skipped[0].reason
