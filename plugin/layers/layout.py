"""A print layout of a job: title, AOI, dates, the map, legend, scale bar, credits and licence. For the GUI thread."""

from __future__ import annotations

import math
from typing import Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFillSymbol,
    QgsGeometry,
    QgsLayerTreeGroup,
    QgsLayoutItemLabel,
    QgsLayoutItemMap,
    QgsLayoutItemMapGrid,
    QgsLayoutItemPicture,
    QgsLayoutItemScaleBar,
    QgsLayoutMeasurement,
    QgsLayoutPoint,
    QgsMapLayer,
    QgsPrintLayout,
    QgsProject,
    QgsRectangle,
)
from qgis.PyQt.QtGui import QColor

from .layout_items import MM, place, text_format
from .layout_legend import add_legend
from .load import AOI, extent_of
from .map_marks import FRAME, INK, PAPER, SOFT_INK
from .picture import picture_crs
from .play import time_of
from .provenance import ROLE
from .words import tr

PAGE = (297.0, 210.0)  # A4 landscape, in millimetres like all lengths here
MARGIN = 12.0
MAP = (MARGIN + 4, 30.0, 205.0, 156.0)  # left, top, width, height
COLUMN = 229.0  # left of the column beside the map
COLUMN_WIDTH = PAGE[0] - COLUMN - MARGIN
MAP_ID = "map"  # the credits' expression names it
CREDITS = f"[% array_to_string(map_credits('{MAP_ID}'), ' · ') %]"
HIDDEN = 0.05  # the share of an image that may stick out from under others before it counts as seen
NORTH_ARROW = ":/images/north_arrows/layout_default_north_arrow.svg"
GRID_LINES = 3  # about so many on a side
POINTS = {"title": 18.0, "subtitle": 10.0, "small": 7.5}


def layout_of(project: QgsProject, group: QgsLayerTreeGroup) -> QgsPrintLayout:
    """Make a layout of what a job's group shows now and add it to the project; its name is the job's.

    The credits are an expression on the map's layers, so that they follow what is shown.
    """
    layers = _seen([node.layer() for node in group.findLayers() if node.layer() is not None and node.isVisible()])
    layout = QgsPrintLayout(project)
    layout.initializeDefaults()
    layout.setName(_free_name(project, group.name()))
    crs = picture_crs(layers)
    map_item = _add_map(layout, layers, extent_of(group, crs), crs)
    _add_label(layout, "title", group.name(), (MARGIN, 9.0, PAGE[0] - 2 * MARGIN, 10.0), INK, bold=True)
    _add_label(layout, "subtitle", _subtitle(layers), (MARGIN, 19.0, PAGE[0] - 2 * MARGIN, 7.0), SOFT_INK)
    _add_north(layout, map_item)
    add_legend(layout, map_item, layers, (COLUMN - 2, MAP[1] + 18.0, COLUMN_WIDTH, 90.0))
    _add_scale_bar(layout, map_item)
    said = " · ".join([CREDITS, *_licences(layers)])
    _add_label(layout, "credits", said, (MARGIN, 195.0, PAGE[0] - 2 * MARGIN, 10.0), SOFT_INK, points="small")
    project.layoutManager().addLayout(layout)
    return layout


def _free_name(project: QgsProject, wanted: str) -> str:
    name, number = wanted, 2
    while project.layoutManager().layoutByName(name) is not None:
        name, number = f"{wanted} ({number})", number + 1
    return name


def _subtitle(layers: list[QgsMapLayer]) -> str:
    """The AOI's name, and when the images that are seen were acquired."""
    names = [str(each["name"]) for layer in layers if layer.customProperty(ROLE) == AOI for each in layer.getFeatures()]
    said = [tr("AOI {name}").format(name=name) for name in names if name]
    return " · ".join([*said, *_dates(layers)])


def _dates(layers: list[QgsMapLayer]) -> list[str]:
    times = sorted(shown.begin().toUTC() for shown in map(time_of, layers) if shown is not None)
    if not times:
        return []
    days = list(dict.fromkeys(time.toString("yyyy-MM-dd") for time in times))
    if len(days) == 1:
        return [tr("acquired on {day} (UTC)").format(day=days[0])]
    return [tr("acquired from {first} to {last} (UTC)").format(first=days[0], last=days[-1])]


def _seen(layers: list[QgsMapLayer]) -> list[QgsMapLayer]:
    """Without the images that lie under others: their dates and credits would be said of what nobody sees."""
    seen, covered, crs = [], QgsGeometry(), QgsCoordinateReferenceSystem()
    for layer in layers:  # from the top
        shown = time_of(layer)
        if shown is not None:
            outline = QgsGeometry.fromRect(layer.extent())
            if not covered.isNull() and layer.crs() == crs:
                left = outline.difference(covered)
                if left.area() < HIDDEN * outline.area():
                    continue
            if covered.isNull():
                covered, crs = outline, layer.crs()
            elif layer.crs() == crs:
                covered = covered.combine(outline)
        seen.append(layer)
    return seen


def _licences(layers: list[QgsMapLayer]) -> list[str]:
    said = dict.fromkeys(text for layer in layers for text in layer.metadata().licenses() if text)
    return [tr("Licence: {name}").format(name=name) for name in said]


def _add_label(
    layout: QgsPrintLayout,
    item_id: str,
    text: str,
    where: tuple[float, float, float, float],
    colour: str,
    *,
    bold: bool = False,
    points: Optional[str] = None,
) -> None:
    label = QgsLayoutItemLabel(layout)
    label.setId(item_id)
    label.setText(text)
    drawn = text_format(POINTS[points or item_id], colour, bold)
    if hasattr(label, "setTextFormat"):  # 3.24
        label.setTextFormat(drawn)
    else:
        shape = drawn.font()
        shape.setPointSizeF(drawn.size())
        label.setFont(shape)
        label.setFontColor(drawn.color())
    layout.addLayoutItem(label)
    place(label, *where)


def _add_map(
    layout: QgsPrintLayout, layers: list[QgsMapLayer], extent: QgsRectangle, crs: QgsCoordinateReferenceSystem
) -> QgsLayoutItemMap:
    item = QgsLayoutItemMap(layout)
    item.setId(MAP_ID)
    layout.addLayoutItem(item)
    place(item, *MAP)
    item.setCrs(crs)
    item.setLayers(layers)
    item.setKeepLayerSet(True)
    if not extent.isEmpty():
        item.setExtent(extent)  # else there is nothing yet that could be zoomed
        place(item, *MAP)
        item.zoomToExtent(extent)
    item.setFrameEnabled(True)
    item.setFrameStrokeColor(QColor(FRAME))
    item.setFrameStrokeWidth(QgsLayoutMeasurement(0.3, MM))
    _add_coordinates(item)
    return item


def _add_coordinates(item: QgsLayoutItemMap) -> None:
    """Longitudes and latitudes along the frame, at round values."""
    degrees = item.extent().width()
    if not item.crs().isGeographic():
        degrees /= 111_320.0  # metres of a degree of latitude; only to choose how many lines
    if not degrees > 0:
        return
    grid = QgsLayoutItemMapGrid("coordinates", item)
    grid.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    step = _round(degrees / GRID_LINES)
    grid.setIntervalX(step)
    grid.setIntervalY(step)
    grid.setStyle(QgsLayoutItemMapGrid.GridStyle.FrameAnnotationsOnly)
    grid.setAnnotationEnabled(True)
    grid.setAnnotationFormat(QgsLayoutItemMapGrid.AnnotationFormat.DecimalWithSuffix)
    grid.setAnnotationPrecision(max(0, -math.floor(math.log10(step))))
    for mode, side in (
        (QgsLayoutItemMapGrid.DisplayMode.HideAll, QgsLayoutItemMapGrid.BorderSide.Right),
        (QgsLayoutItemMapGrid.DisplayMode.HideAll, QgsLayoutItemMapGrid.BorderSide.Top),
        (QgsLayoutItemMapGrid.DisplayMode.LatitudeOnly, QgsLayoutItemMapGrid.BorderSide.Left),
        (QgsLayoutItemMapGrid.DisplayMode.LongitudeOnly, QgsLayoutItemMapGrid.BorderSide.Bottom),
    ):
        grid.setAnnotationDisplay(mode, side)
    grid.setAnnotationDirection(QgsLayoutItemMapGrid.AnnotationDirection.Vertical, QgsLayoutItemMapGrid.BorderSide.Left)
    if hasattr(grid, "setAnnotationTextFormat"):  # 3.16
        grid.setAnnotationTextFormat(text_format(7.0, SOFT_INK))
    item.grids().addGrid(grid)


def _round(value: float) -> float:
    """The nearest of 1, 2, 5 × 10ⁿ below `value`."""
    power = 10.0 ** math.floor(math.log10(value))
    return max(step * power for step in (1, 2, 5) if step * power <= value * (1 + 1e-9))


def _add_north(layout: QgsPrintLayout, map_item: QgsLayoutItemMap) -> None:
    arrow = QgsLayoutItemPicture(layout)
    arrow.setId("north")
    arrow.setPicturePath(NORTH_ARROW)
    arrow.setLinkedMap(map_item)
    layout.addLayoutItem(arrow)
    place(arrow, COLUMN, MAP[1], 11.0, 14.0)


def _add_scale_bar(layout: QgsPrintLayout, map_item: QgsLayoutItemMap) -> None:
    bar = QgsLayoutItemScaleBar(layout)
    bar.setId("scale")
    bar.setStyle("Single Box")
    bar.setLinkedMap(map_item)
    bar.applyDefaultSize(bar.guessUnits())
    bar.setHeight(2.0)
    bar.setFillSymbol(QgsFillSymbol.createSimple({"color": INK, "outline_style": "no"}))
    bar.setAlternateFillSymbol(QgsFillSymbol.createSimple({"color": PAPER, "outline_style": "no"}))
    bar.setNumberOfSegmentsLeft(0)
    bar.setNumberOfSegments(2)
    bar.setTextFormat(text_format(8.0))
    layout.addLayoutItem(bar)
    bar.setMinimumBarWidth(20.0)
    bar.setMaximumBarWidth(COLUMN_WIDTH - 12)
    bar.update()
    bar.attemptMove(QgsLayoutPoint(COLUMN, MAP[1] + MAP[3] - 12.0, MM))
