"""Every way to an AOI ends here, in `RequestModel.set_aoi` or `refuse_aoi`: what is drawn, read, pasted, repaired."""

from __future__ import annotations

from typing import Optional

from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry, QgsProject
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QApplication

from ..host.aoi_for_map import aoi_to_map_geometry, map_view
from ..host.aoi_layer import save_as_layer
from ..host.aoi_on_earth import aoi_from_map_geometry
from ..host.aoi_reader import AoiReader
from ..host.aoi_source import FoundAois
from ..host.words import tell
from ..jobs.aoi import Aoi, AoiError
from ..jobs.aoi_repairs import Repair, RepairKind
from ..jobs.problem import Problem
from .aoi_drawing import AoiDrawing
from .aoi_drop import Dropped, dropped
from .aoi_layer_row import AoiLayerRow
from .aoi_memory import AoiMemory
from .aoi_on_map import zoom_to_aoi
from .aoi_sources import AoiSources
from .request_model import RequestModel


class AoiTaking(QObject):
    """Keeps what the AOI was made of (`note`, the polygons of a layer) as long as it is the AOI."""

    begun = pyqtSignal()  # another source is asked: the layer that was taken before is not any more
    layer_dropped = pyqtSignal(object)  # QgsVectorLayer of the project: for the layer row
    many_wanted = pyqtSignal(object)  # sequence of Aoi

    def __init__(
        self,
        model: RequestModel,
        canvas: QgsMapCanvas,
        drawing: AoiDrawing,
        reader: AoiReader,
        memory: AoiMemory,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._model, self._canvas, self._drawing, self._memory = model, canvas, drawing, memory
        self.sources = AoiSources(reader, self)
        self.note = ""  # what was left out of the source
        self._found = FoundAois(())
        self._edited: Optional[Aoi] = None
        self._typed: Optional[tuple[str, str]] = None  # the name that was typed for the AOI of a source
        self.sources.taken.connect(self._take_found)
        self.sources.refused.connect(self.refuse)
        drawing.drawn.connect(self.drawn)
        drawing.edited.connect(self._take_edited)
        model.changed.connect(self._end_editing_of_another)

    @property
    def aoi(self) -> Optional[Aoi]:
        """The AOI of the form."""
        return self._model.request.aoi if self._model.request else None

    @property
    def _crs(self) -> QgsCoordinateReferenceSystem:
        return self._canvas.mapSettings().destinationCrs()

    def begin(self) -> None:
        """Another source: the one before gives nothing any more."""
        self._drawing.stop()
        self.begun.emit()
        self.sources.stop()
        self.note, self._found, self._typed = "", FoundAois(()), None

    def drawn(self, geometry: QgsGeometry) -> None:
        """Take what was drawn on the map."""
        name = self.aoi.name if self.aoi else self.tr("AOI")
        self.begin()
        try:
            self._take(aoi_from_map_geometry(geometry, self._crs, name))
        except AoiError as refused:
            self.refuse(refused.problem)

    def map_view(self) -> None:
        """Take what the map shows."""
        self.drawn(map_view(self._canvas.mapSettings()))

    def known(self, aoi: Aoi) -> None:
        """Take an AOI that is one already, and show it."""
        self.begin()
        self._take(aoi)
        zoom_to_aoi(self._canvas, aoi, only_if_unseen=True)

    def file(self, path: str) -> None:
        """Take the AOI from a file."""
        self.begin()
        self.sources.file(path)

    def paste(self) -> None:
        """Take the AOI from the clipboard."""
        given = dropped(QApplication.clipboard().mimeData())
        self.dropped(given if given is not None else Dropped(text=QApplication.clipboard().text()))

    def dropped(self, given: Dropped) -> None:
        """Take the AOI from what was dropped or pasted."""
        self.begin()
        if given.layer is not None:
            self.layer_dropped.emit(given.layer)
        else:
            self.sources.dropped(given)

    def layer(self, row: AoiLayerRow) -> None:
        """Take the AOI from the layer that is chosen in the row."""
        if row.layer is not None:
            self.note = ""
            self.sources.layer(row.layer, row.selected_only, row.name_field)

    def repair(self, repair: Repair) -> None:
        """Take the mended AOI; or ask for a job of each polygon, by the names that their features have."""
        if repair.kind is RepairKind.EACH_POLYGON:
            named = self._found.polygons
            self.many_wanted.emit(named if len(named) > 1 else repair.aois)
            return
        note = self.note
        self.begin()
        self.note = note
        self._take(repair.aois[0])

    def rename(self, name: str) -> None:
        """Give the AOI another name; it stays when its layer is read again."""
        if self.aoi is not None:
            self._typed = (self._found.name, name)
            self._edited = renamed = self.aoi.named(name)
            self._model.set_aoi(renamed)

    def edit(self, wanted: bool) -> None:
        """Make handles of the AOI's corners on the map, or end that."""
        aoi = self.aoi
        if not wanted or aoi is None:
            self._drawing.stop()
            return
        self.begun.emit()
        self.sources.stop()
        self._edited = aoi
        zoom_to_aoi(self._canvas, aoi, only_if_unseen=True)
        self._drawing.edit(aoi_to_map_geometry(aoi, self._crs, corners_only=True))

    def save_as_layer(self) -> None:
        """Add the AOI to the project as a temporary layer, each polygon of a source with its name."""
        if self.aoi is not None:
            parts = self._found.aois if len(self._found.aois) > 1 else (self.aoi,)
            QgsProject.instance().addMapLayer(save_as_layer(parts, self.aoi.name))

    def clear(self) -> None:
        """Have no AOI."""
        self.begin()
        self._model.set_aoi(None)

    def refuse(self, problem: Problem) -> None:
        """What was asked for can be no AOI."""
        self._found = FoundAois(())
        self._model.refuse_aoi(problem)

    def _take(self, aoi: Aoi) -> None:
        self._model.set_aoi(aoi)
        self._memory.add(aoi)

    def _take_found(self, found: FoundAois, unseen: bool) -> None:
        try:
            aoi = found.as_one(found.name or self.tr("AOI"))
        except AoiError as refused:
            self.refuse(refused.problem)
            return
        if self._typed is not None and self._typed[0] == found.name:
            aoi = aoi.named(self._typed[1])
        self._found = found
        self.note = self._left_out(found)
        self._take(aoi)
        if unseen:
            zoom_to_aoi(self._canvas, aoi, only_if_unseen=True)

    def _left_out(self, found: FoundAois) -> str:
        parts = []
        if found.left_out:
            parts.append(self.tr("Left out, for they are no polygons: %n.", "", found.left_out))
        if found.refused:
            name, problem = found.refused[0]
            count = self.tr("Left out, for they can't be read: %n.", "", len(found.refused))
            parts.append(f"{count} {name}: {tell(problem)}")
        return " ".join(parts)

    def _take_edited(self, geometry: QgsGeometry) -> None:
        name = self.aoi.name if self.aoi else self.tr("AOI")
        self._found, self.note = FoundAois(()), ""
        try:
            self._edited = aoi_from_map_geometry(geometry, self._crs, name, corners_only=True)
        except AoiError as refused:
            self._edited = None
            self._model.refuse_aoi(refused.problem)
        else:
            self._model.set_aoi(self._edited)

    def _end_editing_of_another(self) -> None:
        if self._drawing.editing and self.aoi is not self._edited:
            self._drawing.stop()
