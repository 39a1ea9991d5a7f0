"""The AOI on the map: its outline, dashed the rectangle that a Bounding Box sends, and what a repair would make."""

from __future__ import annotations

from typing import Optional, Sequence

from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject

from ..host.aoi_for_map import aoi_to_map_geometry
from ..jobs.aoi import Aoi, GeometricFilter
from ..jobs.many_aois import ManyAois
from .outline import Outline
from .request_model import RequestModel

ROOM_AROUND = 1.3  # when zooming to the AOI
WELL_SEEN = 0.2  # of the map's width
FLASHES, FLASH_MS = 4, 600


class AoiOnMap(QObject):
    """Follows the model; drawn while the dock is open."""

    def __init__(self, model: RequestModel, canvas: QgsMapCanvas, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._model, self._canvas = model, canvas
        self._sent = Outline(canvas, dashed=True)
        self._drawn = Outline(canvas)
        self._offered = Outline(canvas, offered=True)
        self._visible = True
        self._shown: Optional[tuple] = None
        model.changed.connect(self._show)
        canvas.destinationCrsChanged.connect(self._show_again)

    def set_visible(self, visible: bool) -> None:
        """Show or hide all of it."""
        self._visible = visible
        self._show_again()

    def zoom(self) -> None:
        """Move the map to the AOI."""
        if self._model.request is not None and self._model.request.aoi is not None:
            zoom_to_aoi(self._canvas, self._model.request.aoi)

    def offer(self, aois: Sequence[Aoi]) -> None:
        """Show what a repair would make of the AOI; nothing for none."""
        if not aois:
            self._offered.hide()
            return
        whole = aois[0] if len(aois) == 1 else Aoi(ManyAois.of(aois).geometry)
        self._offered.show(aoi_to_map_geometry(whole, self._canvas.mapSettings().destinationCrs()))

    def remove(self) -> None:
        """Leave the canvas; for unload."""
        self._canvas.destinationCrsChanged.disconnect(self._show_again)
        self._model.changed.disconnect(self._show)
        self._sent.remove()
        self._drawn.remove()
        self._offered.remove()

    def _show_again(self) -> None:
        self._shown = None
        self._show()

    def _show(self) -> None:
        request = self._model.request
        aoi = request.aoi if request is not None and self._visible else None
        boxed = aoi is not None and request is not None and request.geometric_filter is GeometricFilter.BBOX
        if self._shown is not None and self._shown[0] is aoi and self._shown[1] == boxed:
            return
        self._shown = (aoi, boxed)
        self._offered.hide()
        if aoi is None:
            self._drawn.hide()
            self._sent.hide()
            return
        crs = self._canvas.mapSettings().destinationCrs()
        self._drawn.show(aoi_to_map_geometry(aoi, crs))
        if boxed:
            rectangle = Aoi(aoi.sent_geometry(GeometricFilter.BBOX))
            self._sent.show(aoi_to_map_geometry(rectangle, crs))
        else:
            self._sent.hide()


def zoom_to_aoi(canvas: QgsMapCanvas, aoi: Aoi, only_if_unseen: bool = False) -> None:
    """Move the map so that the AOI fills most of it; not at all if it is wanted so and the AOI is well in view."""
    extent = aoi_to_map_geometry(aoi, canvas.mapSettings().destinationCrs()).boundingBox()
    seen = canvas.extent().contains(extent) and extent.width() > canvas.extent().width() * WELL_SEEN
    if not extent.isEmpty() and not (only_if_unseen and seen):
        extent.scale(ROOM_AROUND)
        canvas.setExtent(extent)
        canvas.refresh()


def flash_aoi(canvas: QgsMapCanvas, aoi: Aoi) -> None:
    """Let the outline of the AOI flash on the map."""
    crs = canvas.mapSettings().destinationCrs()
    canvas.flashGeometries([aoi_to_map_geometry(aoi, crs)], crs, flashes=FLASHES, duration=FLASH_MS)
