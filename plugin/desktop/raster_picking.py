"""From the form to the rasters of a workflow on stored data, and what is picked back into the form. Buys nothing."""

from __future__ import annotations

from typing import Optional

from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtGui import QImage
from qgis.PyQt.QtWidgets import QWidget

from ..host.stored_rasters import ASSET_IDS, IDS, Listing, StoredRasters, can_be_picked
from ..host.work import Work
from .raster_picker import RasterPicker
from .request_model import RequestModel

PICTURES_AT_ONCE = 20


class RasterPicking(QObject):
    """One dialog at most. The list of a workflow is kept until a folder is added or it is listed again."""

    folder_wanted = pyqtSignal()

    def __init__(self, model: RequestModel, rasters: StoredRasters, canvas: QgsMapCanvas, window: QWidget) -> None:
        super().__init__(window)
        self._model, self._rasters, self._canvas, self._window = model, rasters, canvas, window
        self.dialog: Optional[RasterPicker] = None
        self._kept: dict[tuple[str, str], Listing] = {}  # connection and workflow
        self._about: tuple[str, str] = ("", "")  # what the dialog lists
        self._listing: Optional[Work] = None
        self._fetching: Optional[Work] = None
        self._wanted: list[str] = []  # names of rasters whose pictures are still to come
        self._pictures: dict[str, QImage] = {}

    def open(self) -> None:
        """Show what there is; nothing where the workflow takes no chosen rasters."""
        request, catalogue = self._model.request, self._model.catalogue
        if request is None or catalogue is None or not can_be_picked(request.workflow):
            return
        if self.dialog is not None:
            self.dialog.raise_()
            return
        self._about = (catalogue.connection.id, request.workflow.id if request.workflow else "")
        self.dialog = RasterPicker(self._canvas, request.aoi, self._window)
        self.dialog.again_wanted.connect(self.list_again)
        self.dialog.folder_wanted.connect(self.folder_wanted)
        self.dialog.picked.connect(self._put_in_form)
        self.dialog.shown.connect(self._want_pictures)
        self.dialog.finished.connect(self._closed)  # it deletes itself
        self.dialog.show()
        kept = self._kept.get(self._about)
        if kept is not None:
            self._show(kept)
        else:
            self.list_again()

    def list_again(self) -> None:
        """Ask what there is now."""
        request, catalogue, dialog = self._model.request, self._model.catalogue, self.dialog
        self._kept.clear()
        self._pictures.clear()
        if request is None or catalogue is None or dialog is None or not can_be_picked(request.workflow):
            return
        self._cancel()
        dialog.busy()

        def got(listing: Listing) -> None:
            self._listing = None
            self._kept[self._about] = listing
            self._show(listing)

        def failed(text: str) -> None:
            self._listing = None
            if self.dialog is not None:
                self.dialog.refuse(text)

        self._listing = self._rasters.list(catalogue.connection, request, got, failed)

    def _show(self, listing: Listing) -> None:
        if self.dialog is None:
            return
        self.dialog.show_rasters(listing.rasters, self._chosen())
        if not listing.rasters:
            self.dialog.refuse(self.tr("There are no rasters yet: add a folder with GeoTIFFs of yours."))

    def _chosen(self) -> list[str]:
        """What the form has: asset ids or names."""
        request, data = self._model.request, self._model.data_task
        given = (request.parameters.get(data.name) or {}) if request is not None and data is not None else {}
        lists = [given.get(name) for name in (ASSET_IDS, IDS)]
        return [str(one) for found in lists if isinstance(found, list) for one in found]

    def _want_pictures(self, names: list[str]) -> None:
        """Those that were fetched before at once; of the others a page after the other, those first that are listed."""
        kept = {name: self._pictures[name] for name in names if name in self._pictures}
        if kept and self.dialog is not None:
            self.dialog.show_pictures(kept)
        self._wanted = [name for name in names if name not in kept]
        self._fetch()

    def _fetch(self) -> None:
        kept, catalogue = self._kept.get(self._about), self._model.catalogue
        if self._fetching is not None or not self._wanted or kept is None or catalogue is None:
            return
        page, self._wanted = self._wanted[:PICTURES_AT_ONCE], self._wanted[PICTURES_AT_ONCE:]

        def got(images: dict[str, QImage]) -> None:
            self._fetching = None
            self._pictures.update(images)
            if not images:  # the newest have pictures: none of what follows has
                self._wanted = []
            if self.dialog is not None:
                self.dialog.show_pictures(images)
                self._fetch()

        self._fetching = self._rasters.thumbnails(catalogue.connection, kept.job, page, got)

    def _put_in_form(self, ids: list[str]) -> None:
        data, catalogue = self._model.data_task, self._model.catalogue
        if data is None or catalogue is None or not can_be_picked(self._model.workflow):
            return
        values: dict[str, Optional[list[str]]] = {ASSET_IDS: ids}
        if IDS in data.block.parameters:
            values[IDS] = None  # a block takes either
        self._model.set_parameters(data.name, values)

    def _closed(self) -> None:
        self.dialog = None
        self._cancel()

    def _cancel(self) -> None:
        for work in (self._listing, self._fetching):
            if work is not None:
                work.cancel()
        self._listing = self._fetching = None
        self._wanted = []

    def stop(self) -> None:
        """For unload."""
        if self.dialog is not None:
            self.dialog.reject()
        self._cancel()
