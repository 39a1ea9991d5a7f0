"""How rasters look: band roles, one stretch for a job, NDVI, nodata; judged by the pixels that are drawn."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Callable, Sequence

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import QgsMapRendererParallelJob, QgsMapSettings, QgsRasterLayer, QgsVectorLayer
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QImage

from up42_jobs.plugin.layers import overviews
from up42_jobs.plugin.layers.bands import index_of, natural_colour
from up42_jobs.plugin.layers.classes import colour_of
from up42_jobs.plugin.layers.look import COLOUR, GREY, INDEX, MOST_GAMMA, OWN, Look, measure
from up42_jobs.plugin.layers.open_layer import open_layer
from up42_jobs.plugin.layers.overviews import build_overviews, overviews_hook
from up42_jobs.plugin.layers.palettes import PALETTES
from up42_jobs.plugin.layers.scan import Found, scan
from up42_jobs.plugin.layers.style import apply_look, plain
from up42_jobs.plugin.net.cancel import Cancel, Cancelled

MakeRaster = Callable[..., Path]
SIZE = 60  # pixels of the test images, and of their pictures
BLANK = QColor(255, 0, 255)

pytestmark = pytest.mark.usefixtures("qgis_app")


def flat(*values: float, kind: str = "uint16") -> np.ndarray:
    """An image of bands that each have one value."""
    return np.stack([np.full((SIZE, SIZE), value) for value in values]).astype(kind)


def noisy(low: float, high: float, bands: int = 3, kind: str = "uint16") -> np.ndarray:
    return np.random.default_rng(1).uniform(low, high, (bands, SIZE, SIZE)).astype(kind)


def found(*paths: Path) -> list[Found]:
    return scan(paths[0].parent, paths, []).found


def look_of(look: Look, path: Path) -> tuple[str, tuple[int, ...]]:
    raster = look.rasters[str(path)]
    return raster.style, raster.bands


def layer_of(item: Found, look: Look) -> QgsRasterLayer:
    layer = open_layer(item, item.name)
    assert layer.isValid()
    apply_look(layer, look)
    return layer


def picture(layer: QgsRasterLayer) -> QImage:
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setExtent(layer.extent())
    settings.setOutputSize(QSize(SIZE, SIZE))
    settings.setBackgroundColor(BLANK)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    return job.renderedImage()


def colour(image: QImage, column: int = SIZE // 2, row: int = SIZE // 2) -> tuple[int, int, int]:
    pixel = image.pixelColor(column, row)
    return pixel.red(), pixel.green(), pixel.blue()


@pytest.mark.parametrize(
    ("descriptions", "expected"),
    [
        (["B02 Blue", "B03 Green", "B04 Red", "B08 NIR"], (3, 2, 1)),
        (["B02", "B03", "B04", "B08"], (3, 2, 1)),
        (["B8", "B4", "B3", "B2"], (2, 3, 4)),
        (["SR_B2", "SR_B3", "SR_B4", "SR_B5"], (3, 2, 1)),
        (["red", "green", "blue", "nir"], (1, 2, 3)),
        (["coastal blue", "Blue", "green", "Red Edge", "rededge 2", "Red"], (6, 3, 2)),
        ([], (3, 2, 1)),
    ],
)
def test_red_green_and_blue_are_found_by_description(
    descriptions: Sequence[str], expected: tuple[int, int, int], make_raster: MakeRaster, tmp_path: Path
) -> None:
    path = make_raster(tmp_path / "a.tif", noisy(0, 9, max(4, len(descriptions))), descriptions=descriptions)
    assert natural_colour(gdal.Open(str(path))) == expected


def test_a_picture_of_bytes_is_shown_as_it_is(make_raster: MakeRaster, tmp_path: Path) -> None:
    path = make_raster(tmp_path / "visual.tif", flat(200, 100, 50, kind="uint8"))
    look = measure(found(path))
    assert look_of(look, path) == (COLOUR, (1, 2, 3))
    assert colour(picture(layer_of(found(path)[0], look))) == (200, 100, 50)


def test_the_colour_interpretation_counts_where_there_are_no_descriptions(
    make_raster: MakeRaster, tmp_path: Path
) -> None:
    path = make_raster(tmp_path / "a.tif", noisy(0, 5000), options=["PHOTOMETRIC=RGB"])
    assert look_of(measure(found(path)), path) == (COLOUR, (1, 2, 3))


def test_alike_scenes_share_one_stretch_and_nodata_does_not_count(make_raster: MakeRaster, tmp_path: Path) -> None:
    names = ["Blue", "Green", "Red"]
    dark, bright = noisy(1000, 2000), noisy(3000, 4000)
    dark[:, :30] = 0
    paths = [
        make_raster(tmp_path / "dark.tif", dark, descriptions=names, nodata=0),
        make_raster(tmp_path / "bright.tif", bright, descriptions=names, nodata=0),
    ]
    look = measure(found(*paths))
    first, second = (look.rasters[str(path)] for path in paths)
    assert first == second
    low, high = first.ranges[0]
    assert low == pytest.approx(1060, abs=15)
    assert high == pytest.approx(3970, abs=15)

    images = [picture(layer_of(item, look)) for item in found(*paths)]
    assert max(colour(images[1], row=45)) < 90  # found() sorts: bright, dark
    assert min(colour(images[0], row=45)) > 165
    assert images[1].pixelColor(30, 10) == BLANK


def test_a_collar_of_zeros_without_nodata_is_transparent_but_dark_pixels_are_not(
    make_raster: MakeRaster, tmp_path: Path
) -> None:
    values = noisy(6000, 9000)
    values[:, :, 40:] = 100  # very dark: below the cut
    values[:, :20] = 0
    path = make_raster(tmp_path / "landsat.tif", values)
    item = found(path)[0]
    look = measure([item])
    assert look.rasters[item.uri].zero_is_empty
    assert look.rasters[item.uri].ranges[0][0] >= 100
    image = picture(layer_of(item, look))
    assert image.pixelColor(10, 5) == BLANK
    assert colour(image, column=50) == (0, 0, 0)


@pytest.mark.parametrize("bands", [3, 1])
def test_an_alpha_band_makes_pixels_transparent(bands: int, make_raster: MakeRaster, tmp_path: Path) -> None:
    values = flat(*[200] * bands, 255, kind="uint8")
    values[:bands, :30, :30] = 150
    values[-1, 40:] = 0
    path = make_raster(tmp_path / "a.tif", values)
    dataset = gdal.Open(str(path), gdal.GA_Update)
    dataset.GetRasterBand(bands + 1).SetColorInterpretation(gdal.GCI_AlphaBand)
    del dataset
    item = found(path)[0]
    image = picture(layer_of(item, measure([item])))
    assert image.pixelColor(30, 50) == BLANK
    assert colour(image, row=35) != colour(image, column=10, row=10) != (BLANK.red(), BLANK.green(), BLANK.blue())


@pytest.mark.parametrize(
    ("name", "description", "values", "expected"),
    [
        ("scene_ndvi", "", (0.1, 0.8, 0.9), "ndvi"),
        ("scene", "NDVI", (0.1, 0.8, 0.9), "ndvi"),
        ("scene", "", (-0.3, 0.8, 0.9), "ndvi"),
        ("scene", "", (0.0, 0.4, 0.9), ""),  # a reflectance
        ("scene_ndwi", "", (-0.3, 0.8, 0.9), "ndwi"),
        ("scene", "NBR", (-0.3, 0.8, 0.9), "nbr"),
        ("scene_ndvi", "", (-2000.0, 8000.0, 9000.0), ""),  # scaled
        ("scene", "", (-25.0, -3.0, 0.5), ""),  # decibel
    ],
)
def test_an_index_is_known_by_name_description_or_values(
    name: str, description: str, values: tuple[float, float, float], expected: str
) -> None:
    assert index_of(name, description, values, is_float=True) == expected


@pytest.mark.parametrize(("index", "value"), [("ndvi", 0.6), ("ndwi", 0.5), ("nbr", -0.2)])
def test_an_index_has_fixed_colours_whatever_its_values(
    index: str, value: float, make_raster: MakeRaster, tmp_path: Path
) -> None:
    values = flat(value, kind="float32")
    values[:, :20] = np.nan
    path = make_raster(tmp_path / f"x_{index}.tif", values, nodata=float("nan"))
    item = found(path)[0]
    look = measure([item])
    assert look_of(look, path) == (INDEX, (1,))
    image = picture(layer_of(item, look))
    expected = next(QColor(text) for stop, text, _ in PALETTES[index] if stop == value)
    assert colour(image, row=50) == pytest.approx((expected.red(), expected.green(), expected.blue()), abs=3)
    assert image.pixelColor(30, 5) == BLANK


@pytest.mark.parametrize(("high", "unit"), [(9000, 1), (0.9, 1 / 10000)])
def test_clouds_do_not_make_the_ground_dark(high: float, unit: float, make_raster: MakeRaster, tmp_path: Path) -> None:
    """Ground and clouds, 40 % of them: the stretch is that of the ground. Soil and towns count as ground."""
    values = noisy(600, 1400).astype("float32") * unit
    values[0, 30:36] = 3600 * unit  # soil, bright and red
    clear = measure(found(make_raster(tmp_path / "clear.tif", values))).rasters[str(tmp_path / "clear.tif")]
    values[:, :24] = high
    path = make_raster(tmp_path / "cloudy.tif", values)
    cloudy = measure(found(path)).rasters[str(path)]
    for with_clouds, without in zip(cloudy.ranges, clear.ranges):
        assert with_clouds == pytest.approx(without, rel=0.1)


def test_woods_that_are_most_of_a_job_are_not_black(make_raster: MakeRaster, tmp_path: Path) -> None:
    land = noisy(1500, 3500)
    land[:, :, : SIZE * 7 // 10] = noisy(300, 500)[:, :, : SIZE * 7 // 10]
    path = make_raster(tmp_path / "woods.tif", land, descriptions=["Blue", "Green", "Red"])
    look = measure(found(path))
    assert 1.3 < look.rasters[str(path)].gamma <= MOST_GAMMA
    image = picture(layer_of(found(path)[0], look))
    edge = SIZE * 7 // 10
    woods, fields = (
        [sum(colour(image, column, row)) / 3 for column in range(*columns) for row in range(SIZE)]
        for columns in ((0, edge), (edge, SIZE))
    )
    assert sum(woods) / len(woods) > 20
    assert 120 < sum(fields) / len(fields) < 215  # and the others are not washed out


def test_a_town_beside_the_sea_is_no_cloud(make_raster: MakeRaster, tmp_path: Path) -> None:
    values = noisy(150, 250)
    values[:, 30:] = noisy(1200, 2400)[:, 30:]
    path = make_raster(tmp_path / "coast.tif", values)
    for low, high in measure(found(path)).rasters[str(path)].ranges:
        assert low < 250 and high > 2200


def test_one_band_is_grey_in_the_units_that_qgis_shows(make_raster: MakeRaster, tmp_path: Path) -> None:
    path = make_raster(tmp_path / "dem.tif", noisy(100, 200, bands=1, kind="int16"))
    dataset = gdal.Open(str(path), gdal.GA_Update)
    dataset.GetRasterBand(1).SetScale(0.1)
    dataset.GetRasterBand(1).SetOffset(5.0)
    del dataset
    look = measure(found(path))
    assert look_of(look, path) == (GREY, (1,))
    assert look.rasters[str(path)].ranges[0] == pytest.approx((15.1, 24.8), abs=0.3)
    image = picture(layer_of(found(path)[0], look))
    greys = {colour(image, column, 30) for column in range(SIZE)}
    assert all(r == g == b for r, g, b in greys)
    assert len(greys) > 10


def test_a_mask_of_two_values_is_black_and_white(make_raster: MakeRaster, tmp_path: Path) -> None:
    values = flat(0, kind="uint8")
    values[0, 0, 0] = 1
    path = make_raster(tmp_path / "mask.tif", values)
    assert measure(found(path)).rasters[str(path)].ranges == ((0.0, 1.0),)


def test_colours_that_the_file_brings_stay(make_raster: MakeRaster, tmp_path: Path) -> None:
    path = make_raster(tmp_path / "classes.tif", flat(2, kind="uint8"))
    dataset = gdal.Open(str(path), gdal.GA_Update)
    table = gdal.ColorTable()
    table.SetColorEntry(2, (10, 200, 30, 255))
    dataset.GetRasterBand(1).SetColorTable(table)
    del dataset
    look = measure(found(path))
    assert look_of(look, path) == (OWN, ())
    assert colour(picture(layer_of(found(path)[0], look))) == (10, 200, 30)


def test_damaged_pixels_leave_a_layer_without_a_look(make_raster: MakeRaster, tmp_path: Path) -> None:
    path = make_raster(tmp_path / "a.tif", noisy(0, 60000), options=["COMPRESS=DEFLATE"])
    path.write_bytes(path.read_bytes()[:-8000])
    assert str(path) not in measure(found(path)).rasters


def test_opening_a_layer_computes_nothing_and_writes_nothing(make_raster: MakeRaster, tmp_path: Path) -> None:
    path = make_raster(tmp_path / "a.tif", noisy(0, 5000, 4))
    path.with_suffix(".qml").write_text("<qgis><pipe><rasteropacity/></pipe></qgis>")  # is not looked at either
    item = found(path)[0]
    layer_of(item, measure([item]))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.qml", "a.tif"]


def test_large_images_get_overviews_beside_them(make_raster: MakeRaster, tmp_path: Path) -> None:
    rows = np.linspace(0, 3000, 2600)
    image = np.broadcast_to(rows[None, :, None], (2, 2600, 2600)).astype("uint16")
    large = make_raster(tmp_path / "large.tif", image, options=["TILED=YES", "COMPRESS=DEFLATE"])
    small = make_raster(tmp_path / "small.tif", image[:, :500, :500])
    hook = overviews_hook(Cancel())
    hook(large)
    hook(small)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["large.tif", "large.tif.ovr", "small.tif"]
    dataset = gdal.Open(str(large))
    band = dataset.GetRasterBand(1)
    assert band.GetOverviewCount() >= 2
    assert band.GetOverview(0).XSize == 650
    assert band.GetOverview(0).ReadAsArray()[325, 0] == pytest.approx(1500.0, abs=3)
    assert not build_overviews(large, Cancel())  # it has some now


def test_floats_get_overviews_and_what_is_no_image_gets_none(make_raster: MakeRaster, tmp_path: Path) -> None:
    path = make_raster(tmp_path / "ndvi.tif", np.full((1, 2100, 300), 0.5, "float32"))
    (tmp_path / "data.json").write_text("{}")
    assert build_overviews(path, Cancel())
    assert not build_overviews(tmp_path / "data.json", Cancel())
    dataset = gdal.Open(str(path))
    assert dataset.GetRasterBand(1).GetOverview(0).ReadAsArray().mean() == pytest.approx(0.5)


def test_cancelled_overviews_leave_nothing_behind(
    make_raster: MakeRaster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_raster(tmp_path / "large.tif", noisy(0, 5000, 1).repeat(60, 1).repeat(60, 2))
    cancel = Cancel()
    wait = overviews._predictor  # asked when all is ready to be built

    def cancel_now(dataset: gdal.Dataset) -> str:
        cancel.cancel()
        return wait(dataset)

    monkeypatch.setattr(overviews, "_predictor", cancel_now)
    with pytest.raises(Cancelled):
        build_overviews(path, cancel)
    assert [p.name for p in tmp_path.iterdir()] == ["large.tif"]


def test_measuring_works_on_another_thread(make_raster: MakeRaster, tmp_path: Path) -> None:
    path = make_raster(tmp_path / "a.tif", noisy(0, 5000))
    looks: list[Look] = []
    thread = threading.Thread(target=lambda: looks.append(measure(found(path))))
    thread.start()
    thread.join(20)
    assert look_of(looks[0], path) == (COLOUR, (3, 2, 1))


@pytest.mark.parametrize("options", [["TILED=YES", "COMPRESS=DEFLATE"], ["COMPRESS=DEFLATE"]], ids=["tiles", "strips"])
def test_a_large_image_is_measured_from_places_all_over_it(
    make_raster: MakeRaster, tmp_path: Path, options: list[str]
) -> None:
    """The same stretch as from the whole image, within what a sample may differ; its collar is seen too."""
    side = 4500
    image = np.linspace(1000, 3000, side)[None, :, None] + np.linspace(0, 1000, side)[None, None, :]
    image = np.repeat(image.astype("uint16"), 3, axis=0)
    image[:, :700, :700] = 0
    path = make_raster(tmp_path / "large.tif", image, options=options)
    look = measure(found(path)).rasters[str(path)]
    assert look.zero_is_empty
    low, high = np.percentile(image[0][image[0] > 0], (2, 98))
    for measured in look.ranges:
        assert measured == pytest.approx((low, high), abs=0.05 * (high - low))


def test_areas_of_classes_have_the_colours_of_their_classes(tmp_path: Path) -> None:
    def areas(name: str, values: list[float]) -> QgsVectorLayer:
        square = [[[0, 0], [1, 0], [1, 1], [0, 0]]]
        features = [
            {"type": "Feature", "properties": {"value": v}, "geometry": {"type": "Polygon", "coordinates": square}}
            for v in values
        ]
        path = tmp_path / name
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        layer = open_layer(Found(path, str(path), "ogr", "vector", path.stem, ""), path.stem)
        plain(layer)
        return layer

    classes = areas("classes.geojson", [0, 2, 2, 5])
    assert [c.value() for c in classes.renderer().categories()] == [0, 2, 5]
    assert classes.renderer().categories()[2].symbol().color().name() == colour_of(5)  # as in the raster
    clusters = areas("clusters.geojson", [1, 2])
    assert clusters.renderer().categories()[0].symbol().color().name() == colour_of(0)  # 0 is nodata there
    assert areas("heights.geojson", [0.5, 120.7]).renderer().type() == "singleSymbol"
    assert areas("many.geojson", list(range(200))).renderer().type() == "singleSymbol"
