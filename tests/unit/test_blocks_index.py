"""The index block: right values on reflectance, and an expression that can do nothing but arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from osgeo import gdal

from up42_jobs.plugin.engine.blocks.band_index import FORMULAS, read_formula
from up42_jobs.plugin.engine.blocks.band_words import band_numbers, is_class_band, is_pan_name, scl_band
from up42_jobs.plugin.engine.blocks.base import BlockFailure
from up42_jobs.plugin.engine.blocks.expression import read_expression
from up42_jobs.plugin.engine.blocks.pixels.indices import compute_index
from up42_jobs.plugin.engine.blocks.pixels.rasters import prepare_gdal
from up42_jobs.tests.unit.blocks_support import parent_of, run_block, write_raster

NAMES = ("B03 Green", "B04 Red", "B08 NIR", "B12 SWIR 2")
TAGS = {"TIFFTAG_DATETIME": "2024:05:18 10:00:00"}


@pytest.fixture(autouse=True)
def _gdal():
    prepare_gdal()


def parent(folder, bands, names=NAMES, scale=None, offset=0.0):
    folder.mkdir()
    path = write_raster(folder / "S1.tif", bands, nodata=0, descriptions=names, tags=TAGS)
    if scale:
        dataset = gdal.Open(str(path), gdal.GA_Update)
        for number in range(1, len(names) + 1):
            dataset.GetRasterBand(number).SetScale(scale)
            dataset.GetRasterBand(number).SetOffset(offset)
        del dataset
    return parent_of(folder, {"S1": path})


def picture(columns=530, rows=520):
    bands = np.random.default_rng(5).integers(1100, 6000, (4, rows, columns)).astype(np.uint16)
    bands[:, 10:20, 10:20] = 0
    bands[2, 30:40, 30:40] = 0
    return bands


@pytest.mark.parametrize(("name", "high", "low"), [("NDVI", 2, 1), ("NDWI", 0, 2), ("NBR", 2, 3)])
def test_the_known_indices_on_reflectance(tmp_path, name, high, low):
    bands = picture()
    done = run_block("index", {"index": name}, tmp_path / "t", parent(tmp_path / "p", bands, scale=0.0001, offset=-0.1))
    dataset = done.raster()
    band = dataset.GetRasterBand(1)
    assert done.features[0]["properties"]["up42.data_path"] == f"S1_{name.lower()}.tif"
    assert (band.DataType, band.GetNoDataValue(), band.GetDescription()) == (gdal.GDT_Float32, -9999, name)
    assert dataset.GetMetadataItem("TIFFTAG_DATETIME") == TAGS["TIFFTAG_DATETIME"]
    one, other = bands[high] * 1e-4 - 0.1, bands[low] * 1e-4 - 0.1
    valid = (bands[high] > 0) & (bands[low] > 0)
    expected = np.where(valid, (one - other) / (one + other), -9999)
    np.testing.assert_allclose(dataset.ReadAsArray(), expected, atol=2e-6)
    assert f"{name} = {FORMULAS[name]}" in done.log


def test_ndvi_here_is_ndvi_there(tmp_path):
    source = parent(tmp_path / "p", picture(), scale=0.0001, offset=-0.1)
    here = run_block("index", {}, tmp_path / "a", source).raster().ReadAsArray()
    np.testing.assert_allclose(here, run_block("ndvi", {}, tmp_path / "b", source).raster().ReadAsArray(), atol=1e-6)


def test_windows_leave_no_trace(tmp_path):
    source = parent(tmp_path / "p", picture())
    formula = read_formula({"index": "expression", "expression": "B08 / B04"})
    pictures = []
    for side in (33, 4096):
        compute_index("S1", source / "S1.tif", tmp_path / f"{side}.tif", formula, lambda part: None, side)
        pictures.append(gdal.Open(str(tmp_path / f"{side}.tif")).ReadAsArray())
    np.testing.assert_array_equal(*pictures)


def test_an_expression_of_ones_own(tmp_path):
    bands = picture()
    text = "2.5 * (NIR - red) / (nir + 6*red - 7.5 * band1 + 1)"
    done = run_block(
        "index", {"index": "expression", "expression": text}, tmp_path / "t", parent(tmp_path / "p", bands)
    )
    green, red, nir, _ = bands.astype(np.float64)
    valid = (green > 0) & (red > 0) & (nir > 0)
    with np.errstate(all="ignore"):
        expected = np.where(valid, 2.5 * (nir - red) / (nir + 6 * red - 7.5 * green + 1), -9999)
    made = done.raster().ReadAsArray()
    near_pole = np.abs(nir + 6 * red - 7.5 * green + 1) < 50
    np.testing.assert_allclose(made[~near_pole], expected[~near_pole], rtol=1e-3)
    assert np.isfinite(made).all()


def test_where_there_is_no_number_there_is_nodata(tmp_path):
    bands = np.full((2, 4, 4), 5, np.uint16)
    bands[1, 0, 0] = 7
    source = parent(tmp_path / "p", bands, ("Red", "NIR"))
    for n, text in enumerate(
        ("1 / (nir - red)", "log(nir - red)", "sqrt(red - nir + 1)", "red ** nir ** 99 / (nir-red)")
    ):
        done = run_block("index", {"index": "expression", "expression": text}, tmp_path / str(n), source)
        made = done.raster().ReadAsArray()
        assert np.isfinite(made).all() and (made == -9999).any(), text


def test_a_missing_band_is_named_with_those_there_are(tmp_path):
    source = parent(tmp_path / "p", picture(20, 20)[:3], NAMES[:3])
    with pytest.raises(BlockFailure, match=r"NBR needs swir2, but S1 has no such band.*“B04 Red”"):
        run_block("index", {"index": "NBR"}, tmp_path / "t", source)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [("a + b * 2", (1.0, 3.0), 7.0),
     ("-(a - b) ** 2", (1.0, 3.0), -4.0), ("A > b", (1.0, 3.0), 0.0),
     ("a <= b", (1, 3), 1), ("max(a, min(b, 2))", (1.0, 3.0), 2.0),
     ("abs(a - b) / sqrt(4)", (1.0, 3.0), 1.0), ("exp(log(a))", (2.0, 3.0), 2.0)],
)  # fmt: skip
def test_what_expressions_mean(text, values, expected):
    arrays = {name: np.full((2, 2), value, np.float32) for name, value in zip("ab", values)}
    made = read_expression(text).compute(arrays)
    np.testing.assert_allclose(made, np.full((2, 2), expected), rtol=1e-6)
    assert made.dtype == np.float32


@pytest.mark.parametrize(
    "text",
    ["__import__('os').system('x')", "nir.__class__", "nir[0]", "lambda: nir", "[nir]", "nir if red else 0",
     "nir and red",
     "open('x')", "exec('1')", "nir; red", "nir = 2", "f'{nir}'", "'a' + nir", "True + nir", "nir < red < green",
     "abs(nir, 1)",
     "max(*nir)", "sqrt(x=nir)", "(nir := 2)", "nir @ red", "nir // red", "~nir", "not nir", "1 + 2", "", "nir +",
     "9e999 * nir",
     "1j * nir", "(" * 300 + "nir" + ")" * 100, "-" * 490 + "nir", "nir\n+ red; 2", "\x00", "sqrt + nir", "…"],
)  # fmt: skip
def test_nothing_else_can_be_said(text):
    with pytest.raises(BlockFailure) as caught:
        formula = read_expression(text)
        raise AssertionError(formula.words) if text[0] != "-" else BlockFailure("WRONG_INPUT_ERROR", "deep but right")
    assert caught.value.code == "WRONG_INPUT_ERROR"


@settings(max_examples=150, deadline=None)
@given(st.text("nired()+-*/.0123456789 <>=[]{}_'\",:;@abs\n", max_size=60))
@example("9**9**9**9**9 * nir")
@example("nir" + "**9" * 100)
def test_any_text_is_read_or_refused_and_quickly(text):
    try:
        expression = read_expression(text)
    except BlockFailure:
        return
    values = {word: np.full((2, 2), 0.3, np.float32) for word in expression.words}
    assert np.shape(expression.compute(values)) in ((2, 2), ())


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"index": "expression"}, "expression is missing"),
        ({"index": "NDVI", "expression": "nir"}, "set index to expression"),
        ({"index": "EVI"}, "NDVI, NDWI, NBR, expression"),
        ({"index": "expression", "expression": 5}, "must be a text"),
        ({"index": "expression", "expression": "nir" * 200}, "at most 500"),
        ({"index": "expression", "expression": "red + import"}, "can't be read at character"),
        ({"index": "expression", "expression": "red + nir.x"}, r"nir\.x at character 7"),
    ],
)
def test_wrong_parameters_say_what_and_where(parameters, words):
    with pytest.raises(BlockFailure, match=words):
        read_formula(parameters)


def test_words_for_bands():
    known = band_numbers(("B02 Blue", "B04 Red", "B8A NIR Narrow", "B11 SWIR 1", "B12", "SCL", "", "Red Edge 1"))
    words = ("b02", "b2", "blue", "b4", "red", "b8a", "swir1", "b12", "swir2", "scl")
    assert {word: known[word] for word in words} == {
        "b02": 1, "b2": 1, "blue": 1, "b4": 2, "red": 2, "b8a": 3, "swir1": 4, "b12": 5, "swir2": 5, "scl": 6,
    }  # fmt: skip
    assert known["band7"] == 7 and known["rededge1"] == 8 and "nir" not in known
    assert band_numbers(("B5 NIR", "B6 SWIR 1", "B7 SWIR 2"))["swir2"] == 3
    assert scl_band(("B04 Red", "SCL")) == 2 and scl_band(("Red",)) == 0
    assert is_class_band("Cluster") and is_class_band("SCL") and not is_class_band("B04 Red")
    assert is_pan_name("scene_pan") and is_pan_name("Panchromatic") and not is_pan_name("panama")
