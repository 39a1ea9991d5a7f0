"""What can be done with a job's layers: play its scenes, compare them, lay them out for print."""

from __future__ import annotations

from typing import Callable, Optional

from qgis.core import QgsLayerTree, QgsLayerTreeGroup, QgsLayerTreeNode, QgsProject, QgsTemporalNavigationObject
from qgis.gui import QgisInterface
from qgis.PyQt.QtCore import QObject
from qgis.PyQt.QtWidgets import QAction, QDockWidget, QMenu

from ..host.records import JobRecord
from ..layers.layout import layout_of
from ..layers.load import find_group
from ..layers.play import OneAtATime, passes_of, set_up_controller
from ..layers.provenance import JOB_ID
from .scenes_compare import ScenesCompare
from .ui_files import theme_icon

CONTROLLER_DOCK = "Temporal Controller"  # QGIS's object name of it


class SceneActions(QObject):
    """Three actions for the group of a job: in the Jobs tab for the chosen job, and in QGIS's layer tree."""

    def __init__(
        self, iface: QgisInterface, tell: Callable[[str, str], None], parent: Optional[QObject] = None
    ) -> None:
        """`tell(level, text)` shows a sentence in the message bar."""
        super().__init__(parent)
        self._iface, self._tell = iface, tell
        self._job_id = ""
        self.compare = ScenesCompare(iface.mapCanvas(), self)
        self.play_action = self._action(
            "playScenesAction", self.tr("Play Scenes"), "temporal_navigation/forward", self._play,
            self.tr("Set up the temporal controller with one frame for each date of this job, and play them"),
        )  # fmt: skip
        self.compare_action = self._action(
            "compareScenesAction", self.tr("Compare Scenes"), "mActionShowSelectedLayers", self.compare.start,
            self.tr("Show one date of this job at a time; the arrow keys step through them"),
        )  # fmt: skip
        self.layout_action = self._action(
            "newLayoutAction", self.tr("New Layout from Job"), "mActionNewLayout", self._lay_out,
            self.tr("Make a print layout with title, dates, map, legend, scale bar, credits and licence"),
        )  # fmt: skip
        self.actions = [self.play_action, self.compare_action, self.layout_action]
        self._tree = iface.layerTreeView()
        if hasattr(self._tree, "contextMenuAboutToShow"):  # 3.32
            self._tree.contextMenuAboutToShow.connect(self._fill_tree_menu)

    def _action(self, name: str, text: str, icon: str, do: Callable[[QgsLayerTreeGroup], None], tip: str) -> QAction:
        action = QAction(theme_icon(icon), text, self)
        action.setObjectName(name)
        action.setToolTip(tip)
        action.triggered.connect(lambda: self._with_group(do))
        return action

    def _with_group(self, do: Callable[[QgsLayerTreeGroup], None]) -> None:
        group = find_group(QgsProject.instance(), self._job_id) if self._job_id else None
        if group is not None:
            do(group)

    def add_to(self, menu: QMenu) -> None:
        """Put the actions into a menu; they are about the job that `show_record` got last."""
        menu.addSeparator()
        menu.addActions(self.actions)
        menu.aboutToShow.connect(self._enable)

    def show_record(self, record: Optional[JobRecord]) -> None:
        """The job that the actions are about; whether they can be done is looked at when a menu opens."""
        self._job_id = record.job.id if record is not None else ""

    def _enable(self) -> None:
        group = find_group(QgsProject.instance(), self._job_id) if self._job_id else None
        self.layout_action.setEnabled(group is not None)
        self.play_action.setEnabled(group is not None and len(passes_of(group)) > 1)
        self.compare_action.setEnabled(group is not None and len(OneAtATime(group).passes) > 1)

    def _fill_tree_menu(self, menu: QMenu) -> None:
        """In the layer tree the actions are about the job whose group, or a part of it, was clicked."""
        job_id = job_of(self._tree.currentNode())
        if job_id:
            self._job_id = job_id
            self._enable()
            menu.addSeparator()
            menu.addActions(self.actions)

    def _play(self, group: QgsLayerTreeGroup) -> None:
        controller = self._iface.mapCanvas().temporalController()
        passes = passes_of(group)
        if not isinstance(controller, QgsTemporalNavigationObject) or len(passes) < 2:
            return
        dock = self._iface.mainWindow().findChild(QDockWidget, CONTROLLER_DOCK)
        if dock is not None:
            dock.show()
        self.compare.end()
        set_up_controller(controller, passes)
        controller.playForward()

    def _lay_out(self, group: QgsLayerTreeGroup) -> None:
        layout = layout_of(QgsProject.instance(), group)
        self._tell("success", self.tr("The layout “{name}” is in the project.").format(name=layout.name()))
        self._iface.openLayoutDesigner(layout)

    def remove(self) -> None:
        """For unload."""
        if hasattr(self._tree, "contextMenuAboutToShow"):
            self._tree.contextMenuAboutToShow.disconnect(self._fill_tree_menu)
        self.compare.remove()


def job_of(node: Optional[QgsLayerTreeNode]) -> str:
    """The id of the job whose group the node is, or lies in; "" where it belongs to none."""
    while node is not None:
        if QgsLayerTree.isGroup(node) and node.customProperty(JOB_ID):
            return str(node.customProperty(JOB_ID))
        node = node.parent()
    return ""
