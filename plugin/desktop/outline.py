"""An outline on the map that stands out on bright and on dark imagery: a dark line on a light one."""

from __future__ import annotations

from qgis.core import QgsGeometry, QgsWkbTypes
from qgis.gui import QgsMapCanvas, QgsRubberBand
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor

# A map's symbol, not a widget's colour: it lies on imagery, which has no theme.
LINE = QColor(0, 105, 100)
EDGE = QColor(255, 255, 255, 230)
OFFERED = QColor(230, 97, 0)  # what a repair would make of it
OFFERED_FILL = QColor(230, 97, 0, 60)
WIDTH = 2


class Outline:
    """One polygon or multipolygon on the canvas, in the map's CRS."""

    def __init__(self, canvas: QgsMapCanvas, dashed: bool = False, offered: bool = False) -> None:
        """`offered`: in another colour, filled: what is not the AOI yet."""
        self._canvas = canvas
        self._band = QgsRubberBand(canvas, QgsWkbTypes.GeometryType.PolygonGeometry)
        self._band.setStrokeColor(OFFERED if offered else LINE)
        self._band.setSecondaryStrokeColor(EDGE)
        self._band.setFillColor(OFFERED_FILL if offered else QColor(Qt.GlobalColor.transparent))
        self._band.setWidth(WIDTH)
        self._band.setLineStyle(Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine)

    def show(self, geometry: QgsGeometry) -> None:
        """Draw `geometry` instead of what was drawn."""
        if geometry.isNull() or geometry.isEmpty():
            self.hide()
            return
        self._band.setToGeometry(geometry)
        self._band.show()

    def hide(self) -> None:
        """Draw nothing."""
        self._band.reset(QgsWkbTypes.GeometryType.PolygonGeometry)

    def remove(self) -> None:
        """Leave the canvas for good."""
        self._canvas.scene().removeItem(self._band)
