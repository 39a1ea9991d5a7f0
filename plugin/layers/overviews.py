"""Overviews (smaller copies that GDAL draws from when the map is zoomed out) for large rasters that came without."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Callable, Iterator, Optional

from osgeo import gdal

from ..net.cancel import Cancel
from .strangers import RASTER, NotLoadable, kind_of, open_raster, quiet

LARGE = 2048  # pixels on the longer side; up to here a redraw without overviews takes some 0.2 s at most
SMALLEST = 256  # pixels on the longer side of the coarsest overview
# Levels from 4 on: a quarter of the size of levels from 2 on, and at 1:2 the full image is read fast enough.
FIRST_LEVEL = 4
OPTIONS = {"COMPRESS_OVERVIEW": "LZW", "BIGTIFF_OVERVIEW": "IF_SAFER"}
INTEGER_PREDICTOR, FLOAT_PREDICTOR = "2", "3"  # of the TIFF format: what makes LZW small


def lacks_overviews(path: Path) -> bool:
    """True for a GeoTIFF that is large and has no overviews: the map draws it slowly."""
    dataset = _opened(path)
    return dataset is not None and _needs_overviews(dataset)


def build_overviews(path: Path, cancel: Cancel, told: Callable[[float], None] = lambda _fraction: None) -> bool:
    """Write `<path>.ovr` beside a GeoTIFF that `lacks_overviews`; True where it was written.

    It gets its name when it is whole: a map that is drawn meanwhile, or a QGIS that is killed, never meets half of it.
    A file that can't be read, a full disk or a folder that can't be written is no error: the image is then drawn
    slower. `told` hears how much is done. Raises Cancelled; nothing half-written stays.
    """
    cancel.check()
    dataset = _opened(path)
    if dataset is None or not _needs_overviews(dataset):
        return False
    # GDAL calls overviews like the file that they are of: this one only points to the image.
    pointer = path.with_name(f".{path.name}.up42.vrt")
    part = pointer.with_name(f"{pointer.name}.ovr")
    try:
        with quiet(), _thread_options({**OPTIONS, "PREDICTOR_OVERVIEW": _predictor(dataset)}):
            built = _build(dataset, pointer, cancel, told) and part.exists()
        cancel.check()
        if built:
            part.replace(path.with_name(f"{path.name}.ovr"))
        return built
    except OSError:
        return False
    finally:
        del dataset
        for left in (pointer, part):
            with suppress(OSError):
                left.unlink()


def _opened(path: Path) -> Optional[gdal.Dataset]:
    try:
        return open_raster(path) if kind_of(path) == RASTER else None
    except NotLoadable:
        return None


def overviews_hook(cancel: Cancel) -> Callable[[Path], None]:
    """What `delivery` calls with each file that it has unpacked (`after_member`)."""

    def after_member(path: Path) -> None:
        build_overviews(path, cancel)

    return after_member


def _needs_overviews(dataset: gdal.Dataset) -> bool:
    """JPEG 2000 has resolution levels in itself, the other kinds are small: only GeoTIFFs are looked at."""
    return (
        dataset.GetDriver().ShortName == "GTiff"
        and dataset.RasterCount > 0
        and max(dataset.RasterXSize, dataset.RasterYSize) > LARGE
        and dataset.GetRasterBand(1).GetOverviewCount() == 0
    )


def _build(dataset: gdal.Dataset, pointer: Path, cancel: Cancel, told: Callable[[float], None]) -> bool:
    levels = [FIRST_LEVEL]
    while max(dataset.RasterXSize, dataset.RasterYSize) / levels[-1] > SMALLEST:
        levels.append(levels[-1] * 2)
    # One band of bytes may be classes, and classes have no average.
    classes = dataset.RasterCount == 1 and dataset.GetRasterBand(1).DataType == gdal.GDT_Byte
    method = "NEAREST" if classes else "AVERAGE"

    def goes_on(fraction: float, *_more: object) -> int:
        told(fraction)
        return 0 if cancel.cancelled else 1

    try:
        gdal.GetDriverByName("VRT").CreateCopy(str(pointer), dataset).FlushCache()
        image = gdal.OpenEx(str(pointer), gdal.OF_RASTER, allowed_drivers=["VRT"])
        return image is not None and image.BuildOverviews(method, levels, callback=goes_on) == 0
    except (RuntimeError, AttributeError):  # it can't be written; the first where GDAL's exceptions are switched on
        return False


def _predictor(dataset: gdal.Dataset) -> str:
    floats = dataset.GetRasterBand(1).DataType in (gdal.GDT_Float32, gdal.GDT_Float64)
    return FLOAT_PREDICTOR if floats else INTEGER_PREDICTOR


@contextmanager
def _thread_options(options: dict[str, str]) -> Iterator[None]:
    for name, value in options.items():
        gdal.SetThreadLocalConfigOption(name, value)
    try:
        yield
    finally:
        for name in options:
            gdal.SetThreadLocalConfigOption(name, None)
