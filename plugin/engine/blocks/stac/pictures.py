"""Quicklooks of scenes: the catalogue's thumbnail, put where it belongs; else a coarse reading of the scene itself."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any, Mapping, Optional

import numpy as np
from osgeo import gdal

from ..pixels import quicklooks
from ..pixels.crs import spatial_reference
from .files import NotReadable, prepare_thread
from .http import Http
from .scenes import StacScene

MAX_THUMBNAIL_BYTES = 20_000_000
_PICTURES = ("image/jpeg", "image/png", "image/webp")
_DRIVERS = ["JPEG", "PNG", "WEBP"]


def thumbnail_key(scene: StacScene) -> Optional[str]:
    """The asset with a small picture of the whole scene."""
    for key in ("thumbnail", "rendered_preview", "preview", "overview"):
        asset = scene.assets.get(key)
        if asset is not None and (not asset.media_type or asset.media_type.split(";")[0] in _PICTURES):
            return key
    return None


def draw_thumbnail(scene: StacScene, address: str, http: Http, path: Path) -> None:
    """Fetch the thumbnail and warp it onto the footprint's bounds in degrees. Raises NotReadable, and as `Http`."""
    prepare_thread()
    content = http.content(address, MAX_THUMBNAIL_BYTES)
    name = f"/vsimem/{uuid.uuid4().hex}"
    gdal.FileFromMemBuffer(name, content)
    try:
        picture = gdal.OpenEx(name, gdal.OF_RASTER, allowed_drivers=_DRIVERS)
        _warp(picture, _placed(scene, picture), scene.footprint.bounds, path)
    except RuntimeError as e:
        raise NotReadable("its thumbnail is no picture that can be read") from e
    finally:
        gdal.Unlink(name)


def draw_from_pixels(scene: StacScene, address: str, path: Path) -> None:
    """Read the scene's own file coarsely, from its overviews. Raises NotReadable."""
    prepare_thread()
    try:
        source = gdal.OpenEx(f"/vsicurl/{address}", gdal.OF_RASTER, allowed_drivers=["GTiff"])
        _warp(source, None, scene.footprint.bounds, path)
    except RuntimeError as e:
        raise NotReadable("no quicklook of it can be drawn") from e


def _placed(scene: StacScene, picture: Any) -> Optional[tuple[str, tuple[float, ...]]]:
    """CRS and geotransform of a thumbnail that shows the whole raster (proj extension); None where nobody says."""
    for known in (*_raster_assets(scene), scene.properties):
        code = known.get("proj:code") or known.get("proj:epsg") or scene.properties.get("proj:code")
        code = code or scene.properties.get("proj:epsg")
        box = known.get("proj:bbox") or _box(known.get("proj:transform"), known.get("proj:shape"))
        if code and box and len(box) == 4:
            west, south, east, north = (float(value) for value in box)
            wide, high = (east - west) / picture.RasterXSize, (north - south) / picture.RasterYSize
            crs = code if isinstance(code, str) else f"EPSG:{code}"
            return crs, (west, wide, 0.0, north, 0.0, -high)
    return None


def _raster_assets(scene: StacScene) -> list[Mapping[str, Any]]:
    return [asset.projection for asset in scene.assets.values() if asset.projection]


def _box(transform: Any, shape: Any) -> Optional[tuple[float, float, float, float]]:
    try:
        wide, _, x, _, high, y = (float(value) for value in transform[:6])
        rows, columns = (float(value) for value in shape[:2])
    except (TypeError, ValueError):
        return None
    return x, y + rows * high, x + columns * wide, y


def _warp(source: Any, placed: Optional[tuple[str, tuple[float, ...]]], bounds: Any, path: Path) -> None:
    columns, rows = quicklooks.size_for(bounds)
    if placed is not None:
        copy = gdal.GetDriverByName("MEM").CreateCopy("", source)
        copy.SetSpatialRef(spatial_reference(placed[0]))
        copy.SetGeoTransform(placed[1])
        source = copy
    elif source.GetSpatialRef() is None:  # nobody says where it lies: it is taken for the footprint's frame
        picture = source.ReadAsArray(buf_xsize=columns, buf_ysize=rows)
        quicklooks.write_jpeg(path, _colours(picture.reshape(-1, rows, columns)))
        return
    warped = gdal.Warp(
        "", source, format="MEM", dstSRS="EPSG:4326", outputBounds=tuple(bounds), width=columns, height=rows,
        dstAlpha=True, resampleAlg="bilinear",
    )  # fmt: skip
    pixels = warped.ReadAsArray()
    colours, valid = _colours(pixels[:-1]), pixels[-1] > 0
    if pixels.dtype != np.uint8:
        colours = quicklooks.stretched(colours.astype(np.float64), valid & np.isfinite(colours).all(axis=0))
    quicklooks.write_jpeg(path, np.where(valid, colours, 0).astype(np.uint8))


def _colours(pixels: np.ndarray) -> np.ndarray:
    """The first three bands, or the first alone."""
    return pixels[:3] if len(pixels) >= 3 else pixels[:1]
