"""GeoTIFFs in windows: coordinate systems, cutting to a polygon, creating, overviews. Memory stays bounded."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, Optional

import numpy as np
from osgeo import gdal, ogr, osr
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from ..bands import BLUE, GREEN, RED, role
from ..base import BlockFailure
from .crs import Reprojection, spatial_reference

TILE = 512  # pixels; windows and the tiles of our GeoTIFFs
CACHE_BYTES = 64_000_000
OVERVIEWS_FROM = 2048  # pixels
_COLOURS = {RED: gdal.GCI_RedBand, GREEN: gdal.GCI_GreenBand, BLUE: gdal.GCI_BlueBand}  # QGIS shows them so
GeoTransform = tuple[float, float, float, float, float, float]


def prepare_gdal() -> None:
    """Errors as exceptions, a bounded cache."""
    gdal.UseExceptions()
    ogr.UseExceptions()
    osr.UseExceptions()
    gdal.SetCacheMax(CACHE_BYTES)


def vectors_in_memory() -> ogr.DataSource:
    """An empty source of vector layers."""
    moved = int(gdal.VersionInfo()) >= 3_110_000  # GDAL 3.11 has moved them from the driver Memory to MEM
    return ogr.GetDriverByName("MEM" if moved else "Memory").CreateDataSource("")


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels."""

    column: int
    row: int
    columns: int
    rows: int

    @property
    def origin_and_size(self) -> tuple[int, int, int, int]:
        """As GDAL's functions take it: xoff, yoff, xsize, ysize."""
        return self.column, self.row, self.columns, self.rows


def windows(columns: int, rows: int, first_column: int = 0, first_row: int = 0, side: int = TILE) -> Iterator[Window]:
    """All windows of a raster, none across a multiple of `side` counted from (-first_column, -first_row)."""
    row = 0
    while row < rows:
        high = min(side - (row + first_row) % side, rows - row)
        column = 0
        while column < columns:
            wide = min(side - (column + first_column) % side, columns - column)
            yield Window(column, row, wide, high)
            column += wide
        row += high


class Cutter:
    """Tells which pixels of a raster have their centre inside a polygon of the raster's CRS."""

    def __init__(self, polygon: BaseGeometry, geotransform: GeoTransform, crs: str):
        self._geotransform = geotransform
        self._reference = spatial_reference(crs)
        self._source = vectors_in_memory()  # kept: the layer lives in it
        self._layer = self._source.CreateLayer("cut", self._reference, ogr.wkbUnknown)
        feature = ogr.Feature(self._layer.GetLayerDefn())
        feature.SetGeometry(ogr.CreateGeometryFromWkb(polygon.wkb))
        self._layer.CreateFeature(feature)

    def mask(self, window: Window) -> np.ndarray:
        """True inside, (rows, columns)."""
        canvas = gdal.GetDriverByName("MEM").Create("", window.columns, window.rows, 1, gdal.GDT_Byte)
        canvas.SetSpatialRef(self._reference)
        canvas.SetGeoTransform(shifted(self._geotransform, window.column, window.row))
        gdal.RasterizeLayer(canvas, [1], self._layer, burn_values=[1])
        return canvas.ReadAsArray().astype(bool)


def shifted(geotransform: GeoTransform, column: float, row: float) -> GeoTransform:
    """The geotransform of a raster that begins at this pixel of another."""
    x, across_x, down_x, y, across_y, down_y = geotransform
    return (
        x + column * across_x + row * down_x, across_x, down_x,
        y + column * across_y + row * down_y, across_y, down_y,
    )  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """What a GeoTIFF of ours is to be."""

    columns: int
    rows: int
    geotransform: GeoTransform
    crs: str  # WKT or EPSG:…
    data_type: int  # gdal.GDT_…
    nodata: Optional[float]
    bands: tuple[str, ...]  # descriptions


def create_geotiff(path: Path, layout: Layout, tags: Optional[dict[str, str]] = None) -> gdal.Dataset:
    """A new tiled, compressed GeoTIFF with CRS, nodata and band descriptions; write it in windows, then `close`."""
    options = ["TILED=YES", "COMPRESS=DEFLATE", "ZLEVEL=4", "BIGTIFF=IF_SAFER", "INTERLEAVE=BAND"]
    options += [f"BLOCKXSIZE={TILE}", f"BLOCKYSIZE={TILE}", f"PREDICTOR={_predictor(layout.data_type)}"]
    options += ["PHOTOMETRIC=MINISBLACK", "ALPHA=NO", "NUM_THREADS=ALL_CPUS"]
    dataset = gdal.GetDriverByName("GTiff").Create(
        str(path), layout.columns, layout.rows, len(layout.bands), layout.data_type, options
    )
    dataset.SetSpatialRef(spatial_reference(layout.crs))
    dataset.SetGeoTransform(layout.geotransform)
    if tags:
        dataset.SetMetadata(tags)
    for number, description in enumerate(layout.bands, start=1):
        band = dataset.GetRasterBand(number)
        band.SetDescription(description)
        if bands_role := role(description):
            band.SetColorInterpretation(_COLOURS.get(bands_role, gdal.GCI_Undefined))
        if layout.nodata is not None:
            band.SetNoDataValue(layout.nodata)
    return dataset


def _predictor(data_type: int) -> int:
    """What makes pixels compress well: TIFF's predictor 3 for floating point, 2 for whole numbers of up to 32 bits."""
    if data_type in (gdal.GDT_Float32, gdal.GDT_Float64):
        return 3
    return 2 if gdal.GetDataTypeSize(data_type) <= 32 else 1


def build_overviews(path: Path, how: str = "AVERAGE") -> None:
    """Give a GeoTIFF inner overviews where it is too large to be shown quickly without. Close it before.

    `how`: NEAREST for classes, whose numbers have no average.
    """
    dataset = gdal.Open(str(path), gdal.GA_Update)
    longest = max(dataset.RasterXSize, dataset.RasterYSize)
    if longest <= OVERVIEWS_FROM:
        return
    factors: list[int] = []
    while longest > TILE:
        longest = (longest + 1) // 2
        factors.append(2 ** (len(factors) + 1))
    options = {
        "COMPRESS_OVERVIEW": "DEFLATE",
        "PREDICTOR_OVERVIEW": str(_predictor(dataset.GetRasterBand(1).DataType)),
        "GDAL_TIFF_OVR_BLOCKSIZE": str(TILE),
        "GDAL_NUM_THREADS": "ALL_CPUS",
    }
    with _set_for_now(options):
        dataset.BuildOverviews(how, factors)


@contextmanager
def _set_for_now(options: dict[str, str]) -> Iterator[None]:
    """GDAL's options of the process, as they were afterwards: others say how the internet is read."""
    before = {name: gdal.GetConfigOption(name) for name in options}
    for name, value in options.items():
        gdal.SetConfigOption(name, value)
    try:
        yield
    finally:
        for name, old in before.items():
            gdal.SetConfigOption(name, old)


def open_raster(path: Path, whose: str) -> gdal.Dataset:
    """A GeoTIFF that is there. Raises BlockFailure with the scene's name where it is none."""
    try:
        dataset = gdal.OpenEx(str(path), gdal.OF_RASTER | gdal.OF_READONLY, allowed_drivers=["GTiff"])
    except RuntimeError as e:
        raise BlockFailure(
            "WRONG_INPUT_ERROR", f"{whose} is no GeoTIFF that can be read: this block works on rasters only."
        ) from e
    if dataset.GetSpatialRef() is None:
        raise BlockFailure("WRONG_INPUT_ERROR", f"{whose} has no coordinate reference system.")
    return dataset


def descriptions(dataset: gdal.Dataset) -> tuple[str, ...]:
    """The bands' descriptions; "" where there is none."""
    return tuple(dataset.GetRasterBand(n).GetDescription() for n in range(1, dataset.RasterCount + 1))


def pixel_bounds(geometry: BaseGeometry, geotransform: GeoTransform) -> tuple[int, int, int, int]:
    """First column, first row, end column, end row of the pixels whose centres lie within a geometry's bounds.

    The geometry is of the raster's CRS. Without such a pixel an end is not beyond its beginning.
    """
    inverse = gdal.InvGeoTransform(geotransform)
    if inverse is None:
        raise BlockFailure("WRONG_INPUT_ERROR", "A raster has no usable georeferencing.")
    west, south, east, north = geometry.bounds
    corners = [gdal.ApplyGeoTransform(inverse, x, y) for x in (west, east) for y in (south, north)]
    columns = [corner[0] for corner in corners]
    rows = [corner[1] for corner in corners]
    return (
        math.ceil(min(columns) - 0.5),
        math.ceil(min(rows) - 0.5),
        math.floor(max(columns) + 0.5),
        math.floor(max(rows) + 0.5),
    )


def is_value(pixels: np.ndarray, value: float) -> np.ndarray:
    """Where pixels have a value; nan equals nan."""
    return np.isnan(pixels) if math.isnan(value) else pixels == value


def valid_pixels(band: gdal.Band, pixels: np.ndarray, window: Window) -> np.ndarray:
    """Where the pixels that were read from a band's window hold a value, by its mask, nodata and finiteness."""
    if band.GetMaskFlags() & (gdal.GMF_PER_DATASET | gdal.GMF_ALPHA):
        valid = band.GetMaskBand().ReadAsArray(*window.origin_and_size) > 0
    else:
        nodata = band.GetNoDataValue()
        valid = np.ones(pixels.shape, bool) if nodata is None else ~is_value(pixels, nodata)
    if np.issubdtype(pixels.dtype, np.floating):
        valid &= np.isfinite(pixels)
    return valid


def layout_of(dataset: gdal.Dataset) -> Layout:
    """The layout of a raster, to make another one like it."""
    first = dataset.GetRasterBand(1)
    return Layout(
        dataset.RasterXSize, dataset.RasterYSize, dataset.GetGeoTransform(), dataset.GetSpatialRef().ExportToWkt(),
        first.DataType, first.GetNoDataValue(), descriptions(dataset),
    )  # fmt: skip


def copy_looks(source: gdal.Dataset, target: gdal.Dataset) -> None:
    """Give the bands of `target` the colours, scales and offsets of those of `source`."""
    for number in range(1, source.RasterCount + 1):
        old, new = source.GetRasterBand(number), target.GetRasterBand(number)
        if new.GetColorInterpretation() != old.GetColorInterpretation():
            new.SetColorInterpretation(old.GetColorInterpretation())
        if old.GetScale() not in (None, 1.0) or old.GetOffset() not in (None, 0.0):
            new.SetScale(1.0 if old.GetScale() is None else old.GetScale())
            new.SetOffset(old.GetOffset() or 0.0)


def callback_of(tell: Callable[[float], None], start: float = 0.0, part: float = 1.0) -> Callable[..., int]:
    """GDAL's progress (0 to 1) of a step, told as `part` of the whole from `start` on."""

    def callback(done: float, *_: object) -> int:
        tell(start + part * done)
        return 1

    return callback


def kept_tags(dataset: gdal.Dataset) -> dict[str, str]:
    """What a raster says of its acquisition and rights, for what is made from it."""
    return {name: text for name, text in dataset.GetMetadata().items() if name.startswith("TIFFTAG_")}


def in_degrees(layout: Layout) -> BaseGeometry:
    """The frame of a raster as a polygon in EPSG:4326."""
    corners = [
        gdal.ApplyGeoTransform(layout.geotransform, column, row)
        for column, row in ((0, 0), (layout.columns, 0), (layout.columns, layout.rows), (0, layout.rows))
    ]
    frame = Polygon([(x, y) for x, y in corners])
    west, south, east, north = frame.bounds
    return Reprojection(layout.crs, "EPSG:4326").polygon(frame, max(east - west, north - south) / 4)
