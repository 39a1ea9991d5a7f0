"""The scenes of a Test Query as a table model, with a tick for each; nothing is ticked at first."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Optional, Sequence

from qgis.PyQt.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, pyqtSignal
from qgis.PyQt.QtGui import QPixmap

from ..host.found_scenes import FoundScene
from ..host.words import number
from .job_words import local_time, utc_time
from .ui_files import as_int, tooltip

SCENE_ROLE = Qt.ItemDataRole.UserRole
SORT_ROLE = Qt.ItemDataRole.UserRole + 1
RIGHT = as_int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
CHECKED = as_int(Qt.CheckState.Checked)


class SceneColumn(IntEnum):
    """The columns, from left to right."""

    DATE = 0
    CLOUD = 1
    COVERAGE = 2
    ID = 3


class ScenesModel(QAbstractTableModel):
    """One row for each scene, in the order given."""

    ticks_changed = pyqtSignal()

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self.scenes: list[FoundScene] = []
        self._ticked: set[str] = set()
        self._pixmaps: dict[int, QPixmap] = {}
        self._ids_below = False

    def set_ids_below(self, below: bool) -> None:
        """Whether the ids stand below the dates: where there is no room for a column of them."""
        if below != self._ids_below:
            self._ids_below = below
            if self.scenes:
                self.dataChanged.emit(self.index(0, 0), self.index(len(self.scenes) - 1, 0))

    def set_scenes(self, scenes: Sequence[FoundScene], ticked: Sequence[str] = ()) -> None:
        """Show these scenes; `ticked` are the ids that the user had ticked before."""
        self.beginResetModel()
        self.scenes = list(scenes)
        self._ticked = {found.scene.id for found in scenes} & set(ticked)
        self._pixmaps = {}
        self.endResetModel()
        self.ticks_changed.emit()

    @property
    def ids(self) -> list[str]:
        """The ids of all scenes, in the order given."""
        return [found.scene.id for found in self.scenes]

    @property
    def ticked(self) -> list[str]:
        """The ids of the ticked scenes, in the order given."""
        return [scene_id for scene_id in self.ids if scene_id in self._ticked]

    def untick_all(self) -> None:
        """Take all ticks away."""
        self._ticked.clear()
        if self.scenes:
            role = [Qt.ItemDataRole.CheckStateRole]
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.scenes) - 1, 0), role)
        self.ticks_changed.emit()

    def row_of(self, scene_id: str) -> Optional[int]:
        """The row of a scene, or None."""
        return next((row for row, found in enumerate(self.scenes) if found.scene.id == scene_id), None)

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008  (Qt's own signature)
        """Qt's question."""
        return 0 if parent.isValid() else len(self.scenes)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Qt's question."""
        return 0 if parent.isValid() else len(SceneColumn)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The columns' titles, and what they mean."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return {
                SceneColumn.DATE: self.tr("Acquired"),
                SceneColumn.CLOUD: self.tr("Cloud"),
                SceneColumn.COVERAGE: self.tr("AOI"),
                SceneColumn.ID: self.tr("Scene ID"),
            }[SceneColumn(section)]
        if role == Qt.ItemDataRole.ToolTipRole:
            return {
                SceneColumn.DATE: self.tr("Acquisition time, in your time zone; UTC where the mouse rests"),
                SceneColumn.CLOUD: self.tr("Cloud cover of the whole scene; of the AOI alone where the data tells it"),
                SceneColumn.COVERAGE: self.tr("The share of the AOI that the scene covers"),
                SceneColumn.ID: self.tr("What the data provider calls the scene"),
            }[SceneColumn(section)]
        return None

    def flags(self, index: QModelIndex) -> Any:
        """Scenes can be chosen; the first column carries the tick."""
        flags = super().flags(index)
        if index.isValid() and index.column() == SceneColumn.DATE:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, tick, thumbnail, tooltip, and for our own use the scene and what it is sorted by."""
        if not index.isValid():
            return None
        found, column = self.scenes[index.row()], SceneColumn(index.column())
        if role == SCENE_ROLE:
            return found
        if role == SORT_ROLE:
            return _sort_key(found, column)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(found, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(found, column)
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (SceneColumn.CLOUD, SceneColumn.COVERAGE):
            return RIGHT
        if column is SceneColumn.DATE and role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if found.scene.id in self._ticked else Qt.CheckState.Unchecked
        if column is SceneColumn.DATE and role == Qt.ItemDataRole.DecorationRole:
            return self._pixmap(index.row())
        return None

    def setData(self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Tick or untick a scene."""
        if not index.isValid() or role != Qt.ItemDataRole.CheckStateRole:
            return False
        scene_id = self.scenes[index.row()].scene.id
        if as_int(value) == CHECKED:
            self._ticked.add(scene_id)
        else:
            self._ticked.discard(scene_id)
        self.dataChanged.emit(index, index, [role])
        self.ticks_changed.emit()
        return True

    def _pixmap(self, row: int) -> Optional[QPixmap]:
        image = self.scenes[row].thumbnail
        if row not in self._pixmaps and image is not None:
            self._pixmaps[row] = QPixmap.fromImage(image)
        return self._pixmaps.get(row)

    def _text(self, found: FoundScene, column: SceneColumn) -> str:
        scene = found.scene
        if column is SceneColumn.DATE:
            when = local_time(scene.acquired_at) or self.tr("unknown")
            return "\n".join(filter(None, (when, scene.id if self._ids_below else "", self._pass(found))))
        if column is SceneColumn.CLOUD:
            return self._cloud(found)
        if column is SceneColumn.COVERAGE:
            return "" if found.coverage is None else self.tr("{n} %").format(n=_whole(found.coverage))
        return scene.id

    def _cloud(self, found: FoundScene) -> str:
        """`12 %`, or above it what of the AOI is under clouds: `AOI 3 %`."""
        whole, own = found.scene.cloud_cover, found.aoi_cloud
        lines = [] if own is None else [self.tr("AOI {n} %").format(n=_whole(own))]
        if whole is not None:
            words = self.tr("{n} %") if own is None else self.tr("scene {n} %")
            lines.append(words.format(n=number(whole)))
        return "\n".join(lines)

    def _pass(self, found: FoundScene) -> str:
        """What the scenes of one pass of the satellite are together; "" for a scene that was taken alone."""
        if (found.pass_scenes or 1) < 2 or found.pass_coverage is None:
            return ""
        return self.tr("{n} scenes: {percent} %").format(
            n=number(found.pass_scenes), percent=_whole(found.pass_coverage)
        )

    def _tip(self, found: FoundScene, column: SceneColumn) -> str:
        if column is SceneColumn.DATE:
            together = self._pass(found)
            if together:
                together = self.tr("One pass, {scenes} of the AOI together").format(scenes=together)
            return "\n".join(filter(None, (utc_time(found.scene.acquired_at), tooltip(found.scene.id), together)))
        return tooltip(found.scene.id if column is SceneColumn.ID else self._text(found, column))


def _whole(percent: float) -> str:
    """In whole percent, but never 100 or 0 where a part is missing or shared."""
    return number(min(99.0, max(1.0, percent)) if 0 < percent < 100 else percent)


def _sort_key(found: FoundScene, column: SceneColumn) -> Any:
    scene = found.scene
    if column is SceneColumn.DATE:
        return scene.acquired_at.isoformat() if scene.acquired_at else ""
    if column is SceneColumn.CLOUD:
        first = found.aoi_cloud if found.aoi_cloud is not None else scene.cloud_cover
        return -1.0 if first is None else first
    if column is SceneColumn.COVERAGE:
        return -1.0 if found.coverage is None else found.coverage
    return scene.id
