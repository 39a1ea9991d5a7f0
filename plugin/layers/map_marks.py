"""What is drawn on a printed map besides its layers: coordinates along the frame, scale bar, legend line.

Lengths are in pixels of the picture; `unit` is the size of one step of the design, so that all sizes look alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Sequence, Union

import numpy as np
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsDistanceArea,
    QgsMapSettings,
    QgsPointXY,
    QgsProject,
)
from qgis.PyQt.QtCore import QPointF, QRectF, Qt
from qgis.PyQt.QtGui import QColor, QFont, QFontMetricsF, QLinearGradient, QPainter, QPen, QTextOption

from .style import LINE_EDGE

INK, SOFT_INK, FRAME, PAPER = "#1f2933", "#5f6b76", "#9aa5b1", "#ffffff"
FONTS = ("Open Sans", "Segoe UI", "Helvetica Neue", "DejaVu Sans")
TICKS = 4  # about so many coordinates on one side
SAMPLES = 65  # points on a side where coordinates are computed exactly
LEFT, RIGHT = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight


@dataclass(frozen=True)
class LineEntry:
    """A line with a dark edge and its name in the legend."""

    label: str
    colour: str


@dataclass(frozen=True)
class RampEntry:
    """The colours of an index, from its lowest value to its highest, and its name in the legend."""

    label: str
    stops: tuple[tuple[float, str], ...]


Entry = Union[LineEntry, RampEntry]


def font(pixels: float, bold: bool = False) -> QFont:
    """A clear sans serif of that height, whichever the machine has."""
    made = QFont(FONTS[0])
    if hasattr(made, "setFamilies"):
        made.setFamilies(list(FONTS))
    made.setStyleHint(QFont.StyleHint.SansSerif)
    made.setPixelSize(max(1, round(pixels)))
    made.setBold(bold)
    return made


def write(painter: QPainter, place: QRectF, text: str, drawn_in: QFont, colour: str, align: Qt.AlignmentFlag) -> None:
    """One line of text in the middle of the height of `place`, cut with … where it is too long."""
    painter.setFont(drawn_in)
    painter.setPen(QColor(colour))
    fitting = QFontMetricsF(drawn_in).elidedText(text, Qt.TextElideMode.ElideRight, place.width())
    option = QTextOption(align | Qt.AlignmentFlag.AlignVCenter)
    option.setWrapMode(QTextOption.WrapMode.NoWrap)
    painter.drawText(place, fitting, option)


def draw_coordinates(painter: QPainter, frame: QRectF, settings: QgsMapSettings, unit: float) -> None:
    """Short ticks with longitudes below the frame and latitudes left of it."""
    extent = settings.visibleExtent()
    along = np.linspace(0.0, 1.0, SAMPLES)
    bottom = [(extent.xMinimum() + extent.width() * t, extent.yMinimum()) for t in along]
    left = [(extent.xMinimum(), extent.yMinimum() + extent.height() * t) for t in along]
    small = font(5.2 * unit)
    painter.setPen(QPen(QColor(FRAME), max(1.0, 0.5 * unit)))
    for share, value in _ticks(along, [lon for lon, _ in _degrees(bottom, settings)]):
        x = frame.left() + frame.width() * share
        painter.setPen(QPen(QColor(FRAME), max(1.0, 0.5 * unit)))
        painter.drawLine(QPointF(x, frame.bottom()), QPointF(x, frame.bottom() + 2 * unit))
        place = QRectF(x - 30 * unit, frame.bottom() + 2 * unit, 60 * unit, 8 * unit)
        write(painter, place, _degree(value, "E", "W"), small, SOFT_INK, Qt.AlignmentFlag.AlignHCenter)
    for share, value in _ticks(along, [lat for _, lat in _degrees(left, settings)]):
        y = frame.bottom() - frame.height() * share
        painter.setPen(QPen(QColor(FRAME), max(1.0, 0.5 * unit)))
        painter.drawLine(QPointF(frame.left() - 2 * unit, y), QPointF(frame.left(), y))
        painter.save()
        painter.translate(frame.left() - 6.5 * unit, y)
        painter.rotate(-90)
        place = QRectF(-30 * unit, -4 * unit, 60 * unit, 8 * unit)
        write(painter, place, _degree(value, "N", "S"), small, SOFT_INK, Qt.AlignmentFlag.AlignHCenter)
        painter.restore()


def draw_scale_bar(painter: QPainter, place: QRectF, frame: QRectF, settings: QgsMapSettings, unit: float) -> None:
    """A bar of a round length, at most as long as `place` is wide; true in the middle of the map in `frame`."""
    extent, middle = settings.visibleExtent(), settings.visibleExtent().center()
    measure = QgsDistanceArea()
    measure.setSourceCrs(settings.destinationCrs(), QgsProject.instance().transformContext())
    measure.setEllipsoid("EPSG:7030")
    half = extent.width() / 100  # near the middle, so that it does not matter where the CRS ends
    metres = measure.measureLine(QgsPointXY(middle.x() - half, middle.y()), QgsPointXY(middle.x() + half, middle.y()))
    if not (math.isfinite(metres) and metres > 0):
        return
    metres_per_pixel = metres * 50 / frame.width()
    length = _round_down(metres_per_pixel * place.width())
    bar, x, y = length / metres_per_pixel, place.left(), place.top() + 10 * unit
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(INK))
    painter.drawRect(QRectF(x, y, bar, 2.4 * unit))
    painter.setBrush(QColor(PAPER))
    painter.drawRect(QRectF(x + bar / 2, y + 0.6 * unit, bar / 2 - 0.6 * unit, 1.2 * unit))
    label = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    write(painter, QRectF(x, y - 9 * unit, place.width(), 8 * unit), label, font(6.2 * unit, bold=True), INK, LEFT)


def draw_legend(painter: QPainter, place: QRectF, entries: Sequence[Entry], unit: float) -> float:
    """The entries below each other from the top of `place`; the y where they end."""
    text, row = font(6.4 * unit), QRectF(place.left(), place.top(), place.width(), 11 * unit)
    for entry in entries:
        if isinstance(entry, RampEntry):
            write(painter, row, entry.label, text, INK, LEFT)
            _draw_ramp(painter, row.translated(0, 11 * unit), unit, entry.stops)
            row.translate(0, 30 * unit)
            continue
        y = row.center().y()
        for colour, width in ((LINE_EDGE, 3.2), (entry.colour, 1.8)):
            painter.setPen(QPen(QColor(colour), width * unit, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
            painter.drawLine(QPointF(row.left(), y), QPointF(row.left() + 13 * unit, y))
        write(painter, row.adjusted(18 * unit, 0, 0, 0), entry.label, text, INK, LEFT)
        row.translate(0, row.height())
    return row.top()


def draw_notes(painter: QPainter, place: QRectF, notes: Sequence[tuple[str, str]], unit: float) -> None:
    """Pairs of a line and a smaller one below it, as many as fit; how many did not is said at the end."""
    height = 18 * unit
    fitting = max(0, int(place.height() / height))
    for i, (line, small) in enumerate(notes[:fitting]):
        if i == fitting - 1 and len(notes) > fitting:
            line, small = f"… +{len(notes) - i}", ""
        row = QRectF(place.left(), place.top() + i * height, place.width(), 9 * unit)
        write(painter, row, line, font(6.4 * unit), INK, LEFT)
        write(painter, row.translated(0, 8 * unit), small, font(4.6 * unit), SOFT_INK, LEFT)


def _draw_ramp(painter: QPainter, row: QRectF, unit: float, stops: Sequence[tuple[float, str]]) -> None:
    low, high = stops[0][0], stops[-1][0]
    ramp = QLinearGradient(row.left(), 0, row.right(), 0)
    for value, colour in stops:
        ramp.setColorAt((value - low) / (high - low), QColor(colour))
    painter.setPen(QPen(QColor(FRAME), max(1.0, 0.4 * unit)))
    painter.setBrush(ramp)
    painter.drawRect(QRectF(row.left(), row.top(), row.width(), 6 * unit))
    below = QRectF(row.left(), row.top() + 6.5 * unit, row.width(), 8 * unit)
    small = font(5.2 * unit)
    for align, value in ((LEFT, low), (Qt.AlignmentFlag.AlignHCenter, (low + high) / 2), (RIGHT, high)):
        write(painter, below, f"{value:g}".replace("-", "−"), small, SOFT_INK, align)


def _degrees(points: Sequence[tuple[float, float]], settings: QgsMapSettings) -> list[tuple[float, float]]:
    """The points in longitude and latitude; none where they lie outside of what the CRS can tell."""
    to_wgs84 = QgsCoordinateTransform(
        settings.destinationCrs(), QgsCoordinateReferenceSystem("EPSG:4326"), QgsProject.instance().transformContext()
    )
    try:
        moved = [to_wgs84.transform(QgsPointXY(x, y)) for x, y in points]
    except QgsCsException:
        return []
    return [(point.x(), point.y()) for point in moved]


def _ticks(along: np.ndarray, degrees: Sequence[float]) -> list[tuple[float, float]]:
    """(share of the side, value) of the round coordinates on it; none where they don't run one way."""
    if len(degrees) != len(along) or not np.all(np.diff(degrees) > 0):
        return []
    step = _round_down((degrees[-1] - degrees[0]) / (TICKS - 1))
    values = np.arange(math.ceil(degrees[0] / step), math.floor(degrees[-1] / step) + 1) * step
    return [(float(np.interp(value, degrees, along)), float(value)) for value in values]


def _round_down(value: float) -> float:
    """The largest of 1, 2, 5 × 10ⁿ that is not larger than `value`."""
    power = 10.0 ** math.floor(math.log10(value))
    return max(step * power for step in (1, 2, 5) if step * power <= value * (1 + 1e-9))


def _degree(value: float, positive: str, negative: str) -> str:
    side = "" if value == 0 else positive if value > 0 else negative
    return f"{abs(round(value, 6)):g}° {side}".strip()
