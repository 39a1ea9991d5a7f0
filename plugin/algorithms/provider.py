"""The provider "UP42 Jobs" of QGIS Processing."""

from __future__ import annotations

from pathlib import Path

from qgis.core import Qgis, QgsApplication, QgsMessageLog, QgsProcessingModelAlgorithm, QgsProcessingProvider
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtGui import QIcon

from .icon import icon

MODELS = Path(__file__).parents[2] / "resources" / "models"


class Up42JobsProvider(QgsProcessingProvider):
    """Everything the dock does, scripted. Stable id: `up42jobs`."""

    def id(self) -> str:
        return "up42jobs"

    def name(self) -> str:
        return "UP42 Jobs"

    def icon(self) -> QIcon:
        return icon()

    def load(self) -> bool:
        """Load the algorithms; the models again when the registry knows the provider, because their steps are in it."""
        QgsApplication.processingRegistry().providerAdded.connect(self._added)
        return super().load()

    def _added(self, provider_id: str) -> None:
        if provider_id == self.id():
            QgsApplication.processingRegistry().providerAdded.disconnect(self._added)
            self.refreshAlgorithms()

    def loadAlgorithms(self) -> None:
        """Add the algorithms and models; without shapely there are none, and the log says what mends it."""
        try:
            from .cancel_job import CancelJob
            from .collect_outputs import CollectOutputs
            from .engine_algorithms import StartEngine, StopEngine
            from .estimate_job import EstimateJob
            from .list_jobs import ListJobs
            from .list_workflows import ListWorkflows
            from .run_job import RunJob
            from .search_scenes import SearchScenes
            from .submit_job import SubmitJob
        except ImportError as e:
            text = QCoreApplication.translate(
                "UP42Jobs", "The algorithms of UP42 Jobs need the Python package {name}: install it, then restart QGIS."
            )
            QgsMessageLog.logMessage(text.format(name=e.name), "UP42 Jobs", Qgis.MessageLevel.Warning)
            return
        for algorithm in (EstimateJob, SubmitJob, CollectOutputs, RunJob, SearchScenes):
            self.addAlgorithm(algorithm())
        for algorithm in (ListWorkflows, ListJobs, CancelJob, StartEngine, StopEngine):
            self.addAlgorithm(algorithm())
        if QgsApplication.processingRegistry().providerById(self.id()) is not None:
            self._load_models()

    def _load_models(self) -> None:
        for path in sorted(MODELS.glob("*.model3")):
            model = QgsProcessingModelAlgorithm()
            if model.fromFile(str(path)):
                self.addAlgorithm(model)
