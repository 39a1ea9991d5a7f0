"""The menu with the rarer ways to an AOI: a file, the clipboard, one of those used last, an example."""

from __future__ import annotations

from typing import Optional

from qgis.core import QgsProviderRegistry
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QFileDialog, QMenu, QWidget

from ..host.aoi_recent import RecentAois
from ..host.words import area
from ..jobs.aoi import Aoi
from .ui_files import theme_icon

LONGEST = 40  # characters of a name in the menu


class AoiMoreMenu(QMenu):
    """Each entry is a signal; the AOI box does the rest."""

    file_chosen = pyqtSignal(str)
    paste_wanted = pyqtSignal()
    recent_chosen = pyqtSignal(object)  # Aoi
    example_wanted = pyqtSignal()

    def __init__(self, recent: Optional[RecentAois], parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("aoiMoreMenu")
        self._recent = recent
        self._dialog: Optional[QFileDialog] = None
        file = self.addAction(theme_icon("mActionFileOpen"), self.tr("From File…"), self._choose_file)
        file.setObjectName("aoiFromFileAction")
        paste = self.addAction(theme_icon("mActionEditPaste"), self.tr("Paste"), self.paste_wanted)
        paste.setObjectName("aoiPasteAction")
        paste.setToolTip(self.tr("GeoJSON, WKT, KML, features copied in QGIS, or “west, south, east, north”"))
        self.setToolTipsVisible(True)
        self._recent_menu = self.addMenu(theme_icon("mIconHistory"), self.tr("Recent AOIs"))
        self._recent_menu.setObjectName("aoiRecentMenu")
        self.addSeparator()
        self.addAction(self.tr("Example"), self.example_wanted).setObjectName("aoiExampleAction")
        self.aboutToShow.connect(self._fill_recent)

    def _fill_recent(self) -> None:
        self._recent_menu.clear()
        aois = self._recent.all() if self._recent is not None else []
        for aoi in aois:
            name = aoi.name if len(aoi.name) <= LONGEST else f"{aoi.name[: LONGEST - 1]}…"
            text = f"{name} · {area(aoi.area_km2)}".replace("&", "&&")
            self._recent_menu.addAction(text, lambda aoi=aoi: self.recent_chosen.emit(aoi))
        if aois:
            self._recent_menu.addSeparator()
            self._recent_menu.addAction(self.tr("Clear List"), self._recent.forget)
        self._recent_menu.setEnabled(bool(aois))

    def _choose_file(self) -> None:
        self._dialog = QFileDialog(self.parentWidget(), self.tr("AOI From File"))
        self._dialog.setObjectName("aoiFileDialog")
        self._dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        everything = self.tr("All files") + " (*)"
        vectors = QgsProviderRegistry.instance().fileVectorFilters().split(";;")
        self._dialog.setNameFilters([everything, *(f for f in vectors if not f.endswith("(*)"))])
        self._dialog.fileSelected.connect(self.file_chosen)
        self._dialog.open()


def example() -> Aoi:
    """The Itaipu dam, 8 km by 8 km: known from above, and a place that every demo scene covers."""
    west, south, east, north = -54.62, -25.44, -54.54, -25.37
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return Aoi.from_geojson({"type": "Polygon", "coordinates": [ring]})
