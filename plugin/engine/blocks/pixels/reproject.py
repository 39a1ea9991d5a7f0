"""A raster in another coordinate reference system, by GDAL's warper: in pieces, so memory stays bounded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Optional

from osgeo import gdal

from ..band_words import is_class_band
from ..base import BlockFailure
from ..processing import Progress
from .crs import spatial_reference
from .rasters import (
    build_overviews,
    callback_of,
    copy_looks,
    create_geotiff,
    descriptions,
    in_degrees,
    kept_tags,
    layout_of,
    open_raster,
    windows,
)

MEMORY_MB = 128
OPTIONS = [
    "TILED=YES", "COMPRESS=DEFLATE", "ZLEVEL=4", "BIGTIFF=IF_SAFER", "INTERLEAVE=BAND", "BLOCKXSIZE=512",
    "BLOCKYSIZE=512",
]  # fmt: skip
_NORTH_POLE, _SOUTH_POLE = 5041, 5042  # Universal Polar Stereographic, beyond UTM


@dataclass(frozen=True)
class Converted:
    """What came of a raster. `pixel` is its size in units of the new CRS; `class_bands` were not interpolated."""

    before: str
    epsg: int
    columns: int
    rows: int
    pixel: float
    class_bands: str


def utm_of(longitude: float, latitude: float) -> int:
    """The EPSG code of the UTM zone (WGS 84) at a place; beyond 84° N and 80° S those of the poles."""
    if latitude > 84 or latitude < -80:
        return _NORTH_POLE if latitude > 0 else _SOUTH_POLE
    zone = int((longitude + 180) % 360 // 6) + 1
    return (32600 if latitude >= 0 else 32700) + zone


def convert(scene: str, source: Path, target: Path, epsg: Optional[int], method: str, tell: Progress) -> Converted:
    """Write a raster in the CRS of an EPSG code, None for UTM; the same bands, type, scale and tags.

    Pixels outside of the old frame are nodata; where the source has none declared, an alpha band says it.
    Raises BlockFailure.
    """
    dataset = open_raster(source, scene)
    layout = layout_of(dataset)
    if epsg is None:
        centre = in_degrees(layout).centroid
        epsg = utm_of(centre.x, centre.y)
    names = descriptions(dataset)
    classes = [n for n, name in enumerate(names, start=1) if is_class_band(name)]
    crs = _checked(epsg)
    try:
        if classes and len(classes) < len(names) and method != "near":
            _warp_apart(dataset, target, crs, method, classes, tell)
        else:
            _warp(dataset, target, crs, "near" if classes else method, callback_of(tell))
            _finish(dataset, target)
    except RuntimeError as e:
        target.unlink(missing_ok=True)
        raise BlockFailure(
            "WRONG_INPUT_ERROR",
            f"{scene} can't be brought into EPSG:{epsg}, which may not reach there.",
        ) from e
    build_overviews(target, "NEAREST" if len(classes) == len(names) else "AVERAGE")
    made = layout_of(open_raster(target, scene))
    shown = ", ".join(names[n - 1] for n in classes) if method != "near" else ""
    return Converted(_say(layout.crs), epsg, made.columns, made.rows, made.geotransform[1], shown)


def _checked(epsg: int) -> str:
    try:
        spatial_reference(f"EPSG:{epsg}").ExportToWkt()
    except RuntimeError as e:
        raise BlockFailure(
            "WRONG_INPUT_ERROR", f"output_epsg_code is {epsg}, which is no coordinate reference system of EPSG."
        ) from e
    return f"EPSG:{epsg}"


def _say(wkt: str) -> str:
    reference = spatial_reference(wkt)
    code = reference.GetAuthorityCode(None)
    return f"EPSG:{code}" if code else reference.GetName() or "a CRS of its own"


def _has_limits(dataset: gdal.Dataset) -> bool:
    """Whether a raster can say which pixels are no data."""
    return dataset.GetRasterBand(1).GetMaskFlags() != gdal.GMF_ALL_VALID


def _warp(dataset: gdal.Dataset, target: Path, crs: str, method: str, callback: Callable[..., int]) -> None:
    gdal.Warp(
        str(target), dataset, format="GTiff", dstSRS=crs, resampleAlg=method, creationOptions=OPTIONS,
        dstAlpha=not _has_limits(dataset), warpMemoryLimit=MEMORY_MB, multithread=True,
        callback=callback,
    )  # fmt: skip


def _warp_apart(dataset: gdal.Dataset, target: Path, crs: str, method: str, classes: list[int], tell: Progress) -> None:
    """The bands of classes by nearest neighbour, the others as asked, then all in one file."""
    others = [n for n in range(1, dataset.RasterCount + 1) if n not in classes]
    paths = [target.with_name(f"{target.stem}.{part}.part.tif") for part in ("values", "classes")]
    try:
        for path, bands, how, start in ((paths[0], others, method, 0.0), (paths[1], classes, "near", 0.4)):
            chosen = gdal.Translate("", dataset, format="VRT", bandList=bands)
            _warp(chosen, path, crs, how, callback_of(tell, start, 0.4))
        _join(dataset, [gdal.Open(str(path)) for path in paths], (others, classes), target)
    finally:
        for path in paths:
            path.unlink(missing_ok=True)
    tell(1.0)


def _join(dataset: gdal.Dataset, parts: list[gdal.Dataset], bands: tuple[list[int], list[int]], target: Path) -> None:
    layout = replace(layout_of(parts[0]), bands=descriptions(dataset), nodata=dataset.GetRasterBand(1).GetNoDataValue())
    alpha = parts[0].RasterCount > len(bands[0])
    if alpha:
        layout = replace(layout, bands=(*layout.bands, "Alpha"))
    output = create_geotiff(target, layout, kept_tags(dataset))
    copy_looks(dataset, output)
    if alpha:
        output.GetRasterBand(len(layout.bands)).SetColorInterpretation(gdal.GCI_AlphaBand)
    for window in windows(layout.columns, layout.rows):
        for part, numbers in zip(parts, bands):
            for place, number in enumerate(numbers, start=1):
                pixels = part.GetRasterBand(place).ReadAsArray(*window.origin_and_size)
                output.GetRasterBand(number).WriteArray(pixels, window.column, window.row)
        if alpha:
            pixels = parts[0].GetRasterBand(parts[0].RasterCount).ReadAsArray(*window.origin_and_size)
            output.GetRasterBand(len(layout.bands)).WriteArray(pixels, window.column, window.row)
    output.FlushCache()


def _finish(dataset: gdal.Dataset, target: Path) -> None:
    """Tags, descriptions, colours, scale and offset as in the source."""
    made = gdal.Open(str(target), gdal.GA_Update)
    made.SetMetadata(kept_tags(dataset))
    for number, name in enumerate(descriptions(dataset), start=1):
        made.GetRasterBand(number).SetDescription(name)
    copy_looks(dataset, made)
    made.FlushCache()
