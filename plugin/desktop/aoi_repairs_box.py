"""The ways to mend the AOI, one button each with what it changes; looked at on the map before they are taken."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import QEvent, QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from ..host.aoi_reader import AoiReader
from ..host.words import number
from ..host.work import Work
from ..jobs.aoi import GeometricFilter
from ..jobs.aoi_repairs import Repair, RepairKind, can_be_mended
from .aoi_on_map import AoiOnMap
from .in_turns import after_a_frame
from .request_model import RequestModel

SHOWN = (QEvent.Type.Enter, QEvent.Type.FocusIn)
HIDDEN = (QEvent.Type.Leave, QEvent.Type.FocusOut)


class AoiRepairsBox(QWidget):
    """Follows the model; pointing at a button, or going to it by Tab, shows what it would make of the AOI."""

    chosen = pyqtSignal(object)  # Repair
    offered = pyqtSignal()  # others than before; `repairs`

    def __init__(
        self, model: RequestModel, reader: AoiReader, on_map: AoiOnMap, parent: Optional[QWidget] = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("aoiRepairs")
        self._model, self._reader, self._on_map = model, reader, on_map
        self._work: Optional[Work] = None
        # Not while others still follow the change: the search is Python, and would take turns with them.
        self._later = after_a_frame(self._look, self)
        self._for: Optional[tuple] = None
        self._repairs: dict[QPushButton, Repair] = {}
        self.comes_after: QWidget = self  # by Tab
        self.each_polygon_wanted = False  # a job of each polygon is offered where somebody makes them
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(3)
        self.hide()
        model.changed.connect(self._follow)

    @property
    def repairs(self) -> list[Repair]:
        """What is offered now."""
        return list(self._repairs.values())

    def _follow(self) -> None:
        request = self._model.request
        problem = next((p for p in self._model.problems if p.where == "aoi"), None)
        aoi = request.aoi if request is not None else None
        if request is None or aoi is None or problem is None or not can_be_mended(problem):
            self._for = None
            self.stop()
            self._offer([])
            return
        limits, chosen_filter = request.project.aoi_limits, request.geometric_filter
        wanted = (aoi, limits, chosen_filter)
        if self._for is not None and self._for[0] is aoi and self._for[1:] == wanted[1:]:
            return
        self._for = wanted
        self.stop()
        self._offer([])
        self._later.start()

    def _look(self) -> None:
        if self._for is not None:
            self._work = self._reader.repairs(*self._for, self._offer)

    def _offer(self, found: list[Repair]) -> None:
        self._on_map.offer(())
        for button in self._repairs:
            button.removeEventFilter(self)
            self._layout.removeWidget(button)
            button.deleteLater()
        self._repairs = {}
        before = self.comes_after
        for repair in found:
            if repair.kind is RepairKind.EACH_POLYGON and not self.each_polygon_wanted:
                continue
            button = self._button(repair)
            self._layout.addWidget(button)
            self.setTabOrder(before, button)
            before = button
            self._repairs[button] = repair
        self.setVisible(bool(self._repairs))
        self.offered.emit()

    def state_price(self, repair: Repair, words: str) -> None:
        """Say what a job would cost after this repair; "" where nothing has a price."""
        for button, one in self._repairs.items():
            if one is repair:
                button.setText(" · ".join(filter(None, (self._says(repair), words))))

    def _button(self, repair: Repair) -> QPushButton:
        button = QPushButton(self._says(repair), self)
        button.setObjectName(f"repair_{repair.kind.value}")
        button.setAutoDefault(False)
        button.setStyleSheet("text-align: left; padding: 3px 6px;")
        button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        button.setToolTip(self._tooltip(repair))
        button.installEventFilter(self)
        button.clicked.connect(lambda _checked, repair=repair: self._choose(repair))
        return button

    def _says(self, repair: Repair) -> str:
        chosen_filter = self._for[2] if self._for else GeometricFilter.INTERSECTS
        return f"{self._words(repair)} · {self._size(repair, chosen_filter)}"

    def _choose(self, repair: Repair) -> None:
        self._on_map.offer(())
        self.chosen.emit(repair)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show on the map what the button under the pointer, or with the keyboard, would make of the AOI."""
        if watched in self._repairs:
            if event.type() in SHOWN:
                self._on_map.offer(self._repairs[watched].aois)
            elif event.type() in HIDDEN:
                self._on_map.offer(())
        return super().eventFilter(watched, event)

    def _words(self, repair: Repair) -> str:
        count = len(repair.aois)
        return {
            RepairKind.MAKE_VALID: self.tr("Make Valid"),
            RepairKind.FILL_HOLES: self.tr("Fill Holes"),
            RepairKind.SIMPLIFY: self.tr("Simplify"),
            RepairKind.MERGE: self.tr("Merge"),
            RepairKind.LARGEST: self.tr("Keep the Largest"),
            RepairKind.HULL: self.tr("Take the Hull"),
            RepairKind.BOX: self.tr("Take the Bounding Box"),
            RepairKind.GROW: self.tr("Grow"),
            RepairKind.WEST_SIDE: self.tr("Keep the West Side"),
            RepairKind.EAST_SIDE: self.tr("Keep the East Side"),
            RepairKind.OVER_DATE_LINE: self.tr("Over the 180° Meridian"),
            RepairKind.AROUND_WORLD: self.tr("The Long Way Round"),
            RepairKind.CUT_AT_WORLDS_END: self.tr("Cut at the World's End"),
            RepairKind.EACH_POLYGON: self.tr("One Job per Polygon (%n)", "", count),
        }[repair.kind]

    def _tooltip(self, repair: Repair) -> str:
        return {
            RepairKind.MAKE_VALID: self.tr("Take what the outline encloses where it crosses itself"),
            RepairKind.FILL_HOLES: self.tr("Keep the outline, without its holes"),
            RepairKind.SIMPLIFY: self.tr("Leave out the vertices that change the outline least"),
            RepairKind.MERGE: self.tr("Make one polygon of those that touch or overlap"),
            RepairKind.LARGEST: self.tr("Leave out all other polygons"),
            RepairKind.HULL: self.tr("Take the smallest polygon without dents around everything"),
            RepairKind.BOX: self.tr("Take the rectangle around everything"),
            RepairKind.GROW: self.tr("Add a margin all around that is just wide enough"),
            RepairKind.WEST_SIDE: self.tr("Take what is west of the 180° meridian"),
            RepairKind.EAST_SIDE: self.tr("Take what is east of the 180° meridian"),
            RepairKind.OVER_DATE_LINE: self.tr("The edge is meant the short way, over the 180° meridian"),
            RepairKind.AROUND_WORLD: self.tr("The edge is meant as it is, the long way"),
            RepairKind.CUT_AT_WORLDS_END: self.tr("Leave out what is beyond the poles or the 180° meridian"),
            RepairKind.EACH_POLYGON: self.tr("Make a job of each polygon, with one confirmation"),
        }[repair.kind]

    def _size(self, repair: Repair, chosen_filter: GeometricFilter) -> str:
        after = _km2(repair.sent_km2(chosen_filter))
        if repair.change_km2 is None:
            return self.tr("{after} km²").format(after=after)
        return self.tr("{after} km² ({change})").format(after=after, change=signed(repair.change_km2))

    def stop(self) -> None:
        """Look for no more repairs."""
        self._later.stop()
        if self._work is not None:
            self._work.cancel()
            self._work = None


def _km2(value: float) -> str:
    """Three digits that say something."""
    decimals = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3 if value >= 0.01 else 6
    return number(value, decimals)


def signed(change: float) -> str:
    """A change in km² with its sign; `±0` where it is too small to be told."""
    if abs(change) < 5e-7:
        return "±0"
    return f"{'+' if change > 0 else '−'}{_km2(abs(change))}"
