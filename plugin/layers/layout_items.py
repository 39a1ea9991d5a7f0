"""What all items of a layout need: where they lie, and how their text looks. Lengths are millimetres."""

from __future__ import annotations

from qgis.core import QgsLayoutItem, QgsLayoutPoint, QgsLayoutSize, QgsTextFormat, QgsUnitTypes
from qgis.PyQt.QtGui import QColor

from .map_marks import INK, font

MM = QgsUnitTypes.LayoutUnit.LayoutMillimeters


def place(item: QgsLayoutItem, left: float, top: float, width: float, height: float) -> None:
    """Where the item lies on the page, and how large it is."""
    item.attemptMove(QgsLayoutPoint(left, top, MM))
    item.attemptResize(QgsLayoutSize(width, height, MM))


def text_format(points: float, colour: str = INK, bold: bool = False) -> QgsTextFormat:
    """The layout's font in that size and colour (#rrggbb)."""
    text = QgsTextFormat()
    text.setFont(font(12, bold))
    text.setSize(points)
    text.setSizeUnit(QgsUnitTypes.RenderUnit.RenderPoints)
    text.setColor(QColor(colour))
    return text
