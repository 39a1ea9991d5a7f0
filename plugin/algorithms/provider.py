"""The provider "UP42 Jobs" of QGIS Processing."""

from __future__ import annotations

from qgis.core import Qgis, QgsMessageLog, QgsProcessingProvider
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtGui import QIcon

from .icon import icon


class Up42JobsProvider(QgsProcessingProvider):
    """Everything the dock does, scripted. Stable id: `up42jobs`."""

    def id(self) -> str:
        return "up42jobs"

    def name(self) -> str:
        return "UP42 Jobs"

    def icon(self) -> QIcon:
        return icon()

    def loadAlgorithms(self) -> None:
        """Add the algorithms; without shapely there are none, and the log says what mends it."""
        try:
            from .estimate_job import EstimateJob
            from .list_workflows import ListWorkflows
            from .run_job import RunJob
        except ImportError as e:
            text = QCoreApplication.translate(
                "UP42Jobs", "The algorithms of UP42 Jobs need the Python package {name}: install it, then restart QGIS."
            )
            QgsMessageLog.logMessage(text.format(name=e.name), "UP42 Jobs", Qgis.MessageLevel.Warning)
            return
        for algorithm in (ListWorkflows, EstimateJob, RunJob):
            self.addAlgorithm(algorithm())
