"""`up42jobs:startengine` and `up42jobs:stopengine`: a local engine that outlives the process that starts it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingOutputString,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
)

from ..host.engine_folder import ENVIRONMENT, default_data_folder
from ..host.engine_stay import start_to_stay, stop
from ..host.words import tr
from .base import JobAlgorithm, Run

LAST_PORT = 65_535


class EngineAlgorithm(JobAlgorithm):
    """An algorithm on the engine of one data folder."""

    def add_data(self) -> None:
        """DATA, and the output URL."""
        self.add(
            QgsProcessingParameterFile(
                "DATA", tr("Data folder"), behavior=QgsProcessingParameterFile.Behavior.Folder, optional=True
            ),
            tr(
                "Where the engine keeps its jobs. Empty: that of this profile, which “local” and “practice” use. For"
                " another one, set {name} for the other algorithms."
            ).format(name=ENVIRONMENT),
            advanced=True,
        )
        self.addOutput(QgsProcessingOutputString("URL", tr("URL")))

    def data(self, run: Run) -> Path:
        """The data folder."""
        given = self.text(run, "DATA")
        return Path(given).expanduser().absolute() if given else default_data_folder()


class StartEngine(EngineAlgorithm):
    """Starts an engine that stays, or asks the one that runs to stay."""

    def name(self) -> str:
        return "startengine"

    def displayName(self) -> str:
        return tr("Start Engine")

    def shortHelpString(self) -> str:
        return tr(
            "Starts the local engine so that it outlives this process, and goes on with its jobs until Stop Engine or"
            " the computer's end. Without it, the engine of “local” and “practice” is started when it is needed and"
            " ends with its last client; its queue is kept for the next start. If an engine runs already, it is asked"
            " to stay, on the port that it has."
        )

    def initAlgorithm(self, configuration: Any = None) -> None:
        self.add(
            QgsProcessingParameterNumber("PORT", tr("Port"), defaultValue=0, minValue=0, maxValue=LAST_PORT),
            tr("On 127.0.0.1. 0: any that is free."),
        )
        self.add_data()

    def work(self, run: Run) -> dict[str, Any]:
        url = start_to_stay(self.data(run), int(self.number(run, "PORT")), run.cancel)
        run.feedback.pushInfo(tr("The engine runs at {url} until Stop Engine.").format(url=url))
        return {"URL": url}


class StopEngine(EngineAlgorithm):
    """Ends the engine and waits until it has ended."""

    def name(self) -> str:
        return "stopengine"

    def displayName(self) -> str:
        return tr("Stop Engine")

    def shortHelpString(self) -> str:
        return tr(
            "Ends the local engine, whoever uses it. Jobs that have not ended go on at its next start. Tells the URL"
            " that it had; empty if none ran."
        )

    def initAlgorithm(self, configuration: Any = None) -> None:
        self.add_data()

    def work(self, run: Run) -> dict[str, Any]:
        url = stop(self.data(run), run.cancel)
        text = tr("The engine at {url} has ended.") if url else tr("No engine runs on this data folder.")
        run.feedback.pushInfo(text.format(url=url))
        return {"URL": url or ""}
