"""Draws demo scenes: GeoTIFFs cut to the AOI, and quicklooks of whole scenes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

import numpy as np
from osgeo import gdal
from shapely.geometry.base import BaseGeometry

from ..dates import say_day
from ..pixels import quicklooks
from ..pixels.crs import Reprojection
from ..pixels.rasters import (
    Cutter,
    Layout,
    Window,
    build_overviews,
    create_geotiff,
    pixel_bounds,
    windows,
)
from .clouds import Weather
from .paint import paint
from .scenes import KM_PER_DEGREE, RIGHTS, DemoScene
from .seasons import season
from .view import PixelToLonLat, View

PIXEL_METRES = 10.0
BANDS = ("B02 Blue", "B03 Green", "B04 Red", "B08 NIR")
_NODE_STEP = 8  # pixels between nodes
_QUICKLOOK_STEP = 4
_EDGE_DEGREES = 0.02  # edges are cut this fine before they are bent into UTM
_WHITE = 2400.0  # the reflectance * 10,000 that is white in a quicklook
_GAMMA = 1.15


@dataclass(frozen=True)
class Drawn:
    """What came of a scene: its size in pixels and how many of them lie inside the AOI."""

    columns: int
    rows: int
    valid: int


def cut_of(scene: DemoScene, area: Optional[BaseGeometry]) -> BaseGeometry:
    """The part of a scene that is asked for, in EPSG:4326; empty or a line where there is none."""
    return scene.footprint if area is None else scene.footprint.intersection(area)


def draw_scene(
    scene: DemoScene, area: Optional[BaseGeometry], path: Path, progress: Callable[[float], None]
) -> Optional[Drawn]:
    """Write the part of a scene inside `area` (EPSG:4326) as a GeoTIFF; None, and no file, where no pixel is inside."""
    cut = cut_of(scene, area)
    if cut.area == 0:
        return None
    crs = f"EPSG:{scene.utm}"
    outline = Reprojection("EPSG:4326", crs).polygon(_only_areas(cut), _EDGE_DEGREES)
    grid = (0.0, PIXEL_METRES, 0.0, 0.0, 0.0, -PIXEL_METRES)  # pixels are counted from the CRS's origin
    left, top, right, bottom = pixel_bounds(outline, grid)
    if right <= left or bottom <= top:
        return None
    layout = Layout(
        right - left, bottom - top, (left * PIXEL_METRES, PIXEL_METRES, 0.0, -top * PIXEL_METRES, 0.0, -PIXEL_METRES),
        crs, gdal.GDT_UInt16, 0, BANDS,
    )  # fmt: skip
    valid = _paint_windows(scene, layout, (left, top), Cutter(outline, layout.geotransform, crs), path, progress)
    if not valid:
        path.unlink()
        return None
    build_overviews(path)
    return Drawn(layout.columns, layout.rows, valid)


def _paint_windows(
    scene: DemoScene,
    layout: Layout,
    first: tuple[int, int],
    cutter: Cutter,
    path: Path,
    progress: Callable[[float], None],
) -> int:
    """Paint a scene window by window into a new file; gives the number of pixels inside the cutter's polygon."""
    place = _utm_place(Reprojection(layout.crs, "EPSG:4326"))
    weather, look = Weather(scene.number), season(scene.moment, scene.footprint.centroid.y)
    dataset = create_geotiff(path, layout, _tags(scene))
    valid = 0
    for window in windows(layout.columns, layout.rows, *first):
        inside = cutter.mask(window)
        if inside.any():
            start = (window.column + first[0], window.row + first[1], window.columns, window.rows)
            picture = paint(View(place, start, _NODE_STEP, PIXEL_METRES), look, weather)
            picture *= inside
            dataset.WriteArray(picture, window.column, window.row)
            valid += int(np.count_nonzero(inside))
        progress((window.row + window.rows) / layout.rows)
    dataset.FlushCache()
    return valid


def _only_areas(geometry: BaseGeometry) -> BaseGeometry:
    """An intersection without the points and lines that it may come with."""
    if geometry.geom_type != "GeometryCollection":
        return geometry
    return geometry.buffer(0)


def _utm_place(to_degrees: Reprojection) -> PixelToLonLat:
    def place(columns: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return to_degrees.points(columns * PIXEL_METRES, rows * -PIXEL_METRES)

    return place


def _tags(scene: DemoScene) -> dict[str, str]:
    return {
        "TIFFTAG_DATETIME": f"{scene.moment:%Y:%m:%d %H:%M:%S}",
        "TIFFTAG_IMAGEDESCRIPTION": f"Demo scene of {say_day(scene.moment)}. {RIGHTS}.",
        "TIFFTAG_COPYRIGHT": RIGHTS,
        "TIFFTAG_SOFTWARE": "UP42 Jobs, local engine",
    }


def draw_quicklook(scene: DemoScene, path: Path) -> None:
    """Write a small picture of a whole scene, in natural colour, that covers its bounds in degrees and says DEMO."""
    bounds = scene.footprint.bounds
    west, south, east, north = bounds
    columns, rows = quicklooks.size_for(bounds)
    across, down = (east - west) / columns, (north - south) / rows

    def place(column: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return west + column * across, north - row * down

    metres = down * KM_PER_DEGREE * 1000
    view = View(place, (0, 0, columns, rows), _QUICKLOOK_STEP, metres)
    bands = paint(view, season(scene.moment, scene.footprint.centroid.y), Weather(scene.number))
    picture = (np.clip(bands[[2, 1, 0]] / _WHITE, 0, 1) ** (1 / _GAMMA) * 255).astype(np.uint8)
    cutter = Cutter(scene.footprint, (west, across, 0.0, north, 0.0, -down), "EPSG:4326")
    picture *= cutter.mask(Window(0, 0, columns, rows))
    quicklooks.stamp(picture)
    quicklooks.write_jpeg(path, picture)
