"""*Choose Rasters*: the rasters of the registered folders in a list; those that are ticked are taken."""

from __future__ import annotations

from functools import partial
from typing import Any, Optional, Sequence

from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QDate, QSignalBlocker, QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QIcon, QImage, QPixmap
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QHeaderView, QTreeWidgetItem, QWidget

from ..host.found_scenes import THUMBNAIL, FoundScene
from ..host.stored_rasters import StoredRaster
from ..host.words import number, tr
from ..jobs.aoi import Aoi
from ..jobs.coverage import polygon_of
from .in_turns import InTurns
from .job_words import local_time, utc_time
from .scenes_on_map import ScenesOnMap
from .ui_files import set_up, tooltip

RASTER_ROLE = Qt.ItemDataRole.UserRole
NAME, ACQUIRED, BANDS, FOLDER = range(4)
WIDTH = 110  # pixels, of a column whose texts may be cut
ROOM = 2  # pixels
PAGE = 200  # rows that are made in one turn of the event loop


class RasterPicker(QDialog):
    """Not modal, deleted when closed. The footprints of the rows that are chosen are drawn on the map."""

    again_wanted = pyqtSignal()
    folder_wanted = pyqtSignal()
    picked = pyqtSignal(object)  # list[str]: what the parameter asset_ids takes
    shown = pyqtSignal(object)  # list[str]: names of rasters that have no picture yet

    def __init__(self, canvas: QgsMapCanvas, aoi: Optional[Aoi], parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "raster_picker")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._aoi = aoi
        self._rasters: list[StoredRaster] = []
        self._ticked: set[str] = set()  # ids, names too: of what is in the form, before it is listed
        self._turns = InTurns((), self)  # in which further rows are made and looked through
        self._on_map = ScenesOnMap(canvas, self)
        self.rastersTree.setIconSize(QSize(*THUMBNAIL))
        header = self.rastersTree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(ACQUIRED, QHeaderView.ResizeMode.ResizeToContents)
        for column in (BANDS, FOLDER):
            header.resizeSection(column, WIDTH)
        for edit in (self.rastersFromDate, self.rastersToDate):
            edit.setNullRepresentation(tr("any date"))
            edit.setAllowNull(True)
            edit.clear()
            edit.dateValueChanged.connect(lambda _date: self._filter())
        self.onAoiBox.setEnabled(aoi is not None)
        self.okButton = self.rasterButtons.button(QDialogButtonBox.StandardButton.Ok)
        self.okButton.setObjectName("takeRastersButton")
        self._connect()
        self.busy()

    def _connect(self) -> None:
        self.rasterFilterEdit.textChanged.connect(lambda _text: self._filter())
        self.onAoiBox.toggled.connect(lambda _on: self._filter())
        self.rastersTree.itemChanged.connect(self._tick)
        self.rastersTree.itemSelectionChanged.connect(self._show_on_map)
        self.listAgainButton.clicked.connect(lambda: self.again_wanted.emit())
        self.addRasterFolderButton.clicked.connect(lambda: self.folder_wanted.emit())
        self.accepted.connect(lambda: self.picked.emit(self.ticked))
        self.finished.connect(lambda _result: self._on_map.remove())

    def busy(self) -> None:
        """While the folders are looked into."""
        self.listAgainButton.setEnabled(False)
        self.rastersMessage.setText(self.tr("Looking into the folders…"))
        self._show_count()

    def refuse(self, text: str) -> None:
        """Say why there is no list."""
        self.listAgainButton.setEnabled(True)
        self.rastersMessage.setText(text)

    def show_rasters(self, rasters: Sequence[StoredRaster], ticked: Sequence[str] = ()) -> None:
        """List them. `ticked`: ids or names of those that are chosen at first; what was ticked here stays so."""
        self._ticked |= set(ticked)
        self.listAgainButton.setEnabled(True)
        self._rasters = list(rasters)
        self._ticked = {raster.id for raster in rasters if {raster.id, raster.scene.id} & self._ticked}
        self._on_map.set_scenes([FoundScene(raster.scene, None, raster.outline, None) for raster in rasters])
        with QSignalBlocker(self.rastersTree):
            self.rastersTree.clear()
        self._filter()

    def _item(self, raster: StoredRaster) -> QTreeWidgetItem:
        scene = raster.scene
        bands = ", ".join(band or "?" for band in raster.bands)
        item = QTreeWidgetItem([scene.id, local_time(scene.acquired_at) or "", bands, raster.folder])
        item.setCheckState(NAME, Qt.CheckState.Checked if raster.id in self._ticked else Qt.CheckState.Unchecked)
        item.setData(NAME, RASTER_ROLE, raster)
        item.setSizeHint(NAME, QSize(0, THUMBNAIL[1] + ROOM))  # its picture comes later
        for column, text in enumerate((scene.id, utc_time(scene.acquired_at) or "", bands, raster.folder)):
            item.setToolTip(column, tooltip(text))
        return item

    def _items(self) -> list[Any]:
        return [self.rastersTree.topLevelItem(row) for row in range(self.rastersTree.topLevelItemCount())]

    def show_pictures(self, images: dict[str, QImage]) -> None:
        """Put small pictures beside the rasters of these names."""
        with QSignalBlocker(self.rastersTree):
            for item in self._items():
                image = images.get(item.data(NAME, RASTER_ROLE).scene.id)
                if image is not None:
                    item.setIcon(NAME, QIcon(QPixmap.fromImage(image)))
        self.rastersTree.viewport().update()

    @property
    def ticked(self) -> list[str]:
        """The ids of the ticked rasters, in the list's order; also of those that a filter hides."""
        return [raster.id for raster in self._rasters if raster.id in self._ticked]

    def _tick(self, item: QTreeWidgetItem, column: int) -> None:
        """With several rows chosen, a tick counts for all of them."""
        if column != NAME:
            return
        others = self.rastersTree.selectedItems() if item.isSelected() else []
        with QSignalBlocker(self.rastersTree):
            for one in {id(one): one for one in (item, *others)}.values():
                one.setCheckState(NAME, item.checkState(NAME))
                change = self._ticked.add if _is_ticked(item) else self._ticked.discard
                change(one.data(NAME, RASTER_ROLE).id)
        self.rastersTree.viewport().update()
        self._show_count()

    def _filter(self) -> None:
        """Show what passes, a page in each turn of the event loop; rows that are not there yet are made."""
        self._turns.stop()
        first, *others = range(0, max(1, len(self._rasters)), PAGE)
        self._filter_page(first)
        self._show_count()
        if not others:
            self._want_pictures()
            return
        pages = [partial(self._filter_page, start) for start in others]
        self._turns = InTurns([*pages, self._show_count, self._want_pictures], self)
        self._turns.start()

    def _filter_page(self, start: int) -> None:
        page = self._rasters[start : start + PAGE]
        if start >= self.rastersTree.topLevelItemCount():
            with QSignalBlocker(self.rastersTree):
                self.rastersTree.addTopLevelItems([self._item(raster) for raster in page])
        for row, raster in enumerate(page, start):
            self.rastersTree.topLevelItem(row).setHidden(not self._passes(raster))

    def _want_pictures(self) -> None:
        items = [item for item in self._items() if not item.isHidden() and item.icon(NAME).isNull()]
        self.shown.emit([item.data(NAME, RASTER_ROLE).scene.id for item in items])

    def _passes(self, raster: StoredRaster) -> bool:
        words = self.rasterFilterEdit.text().casefold().split()
        text = " ".join((raster.scene.id, raster.folder, *raster.bands)).casefold()
        if not all(word in text for word in words) or not self._is_in_time(raster):
            return False
        if self._aoi is None or not self.onAoiBox.isChecked():
            return True
        footprint = polygon_of(raster.scene.footprint)
        return footprint is not None and footprint.intersects(self._aoi.geometry)

    def _is_in_time(self, raster: StoredRaster) -> bool:
        """What tells no date passes only where none is asked for."""
        first, last = (QDate() if edit.isNull() else edit.date() for edit in (self.rastersFromDate, self.rastersToDate))
        when = raster.scene.acquired_at
        if when is None:
            return first.isNull() and last.isNull()
        day = QDate(when.year, when.month, when.day)
        return (first.isNull() or day >= first) and (last.isNull() or day <= last)

    def _show_count(self) -> None:
        ticked = len(self.ticked)
        self.okButton.setText(self.tr("Take %n", "", ticked) if ticked else self.tr("Take"))
        self.okButton.setEnabled(ticked > 0)
        if not self._rasters:
            return
        shown, every = sum(not item.isHidden() for item in self._items()), len(self._rasters)
        text = self.tr("Listed: {shown} of {all} · ticked: {ticked}")
        self.rastersMessage.setText(text.format(shown=number(shown), all=number(every), ticked=number(ticked)))

    def _show_on_map(self) -> None:
        self._on_map.show_chosen([item.data(NAME, RASTER_ROLE).scene.id for item in self.rastersTree.selectedItems()])


def _is_ticked(item: QTreeWidgetItem) -> bool:
    return item.checkState(NAME) == Qt.CheckState.Checked
