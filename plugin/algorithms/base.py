"""What the algorithms share: one connection and project, errors in words, cancel within a second."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Iterable, Iterator, Optional

import qgis.utils
from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QCoreApplication, QThread
from qgis.PyQt.QtGui import QIcon

from ..host.connections import ENVIRONMENT, Connection, Connections
from ..host.errors import HostError, explain
from ..host.parts import Parts, make_parts
from ..host.words import tr
from ..jobs.workflow import Project, Workflow
from ..net.cancel import Cancel, Cancelled
from ..platforms.contract import Platform
from .icon import icon

CANCEL_STEP_SECONDS = 0.1
UNSEEN_PERCENT = 0.001
LOCAL = "local"  # what scripts call This Computer
_BY_SCRIPT_NAME = {LOCAL: "this-computer", "": "environment"}


@dataclass(frozen=True)
class Run:
    """One run of an algorithm: what it was given and what it works with."""

    parameters: dict[str, Any]
    context: QgsProcessingContext
    feedback: QgsProcessingFeedback
    parts: Parts
    cancel: Cancel


@dataclass(frozen=True)
class Place:
    """Where a run takes place: a connection, its platform and one of its projects."""

    connection: Connection
    platform: Platform
    project: Project


class JobAlgorithm(QgsProcessingAlgorithm):
    """An algorithm on one connection. Errors are told as QgsProcessingException, cancel within a second."""

    def createInstance(self) -> JobAlgorithm:
        return type(self)()

    def icon(self) -> QIcon:
        return icon()

    def add(
        self, parameter: QgsProcessingParameterDefinition, help_text: str = "", *, advanced: bool = False
    ) -> None:
        """Add a parameter with its help."""
        parameter.setHelp(help_text)
        if advanced:
            parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
        self.addParameter(parameter)

    def add_text(
        self, name: str, title: str, help_text: str = "", *, default: Optional[str] = None, optional: bool = True
    ) -> None:
        """Add a parameter that is a line of text."""
        self.add(QgsProcessingParameterString(name, title, defaultValue=default, optional=optional), help_text)

    def add_choice(self, name: str, title: str, choices: list[str], default: str, help_text: str = "") -> None:
        """Add a parameter that is one of a few words, which scripts give as such: `FILTER=contains`."""
        choice = QgsProcessingParameterEnum(name, title, choices, defaultValue=default)
        choice.setUsesStaticStrings(True)
        self.add(choice, help_text)

    def add_connection(self) -> None:
        """CONNECTION and PROJECT."""
        self.add_text(
            "CONNECTION",
            tr("Connection"),
            tr(
                "“local” (This Computer: free, no account), “practice” (play credits), or the ID of a connection."
                " Empty: the server of the environment, given by {names}. Left out: that one where it is given, else"
                " “local”."
            ).format(names=", ".join(ENVIRONMENT)),
            default="" if os.environ.get(ENVIRONMENT[0]) else LOCAL,
        )
        self.add_text("PROJECT", tr("Project"), tr("ID or name of the project. Empty: the connection's first one."))

    def prepareAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """In the desktop the user who runs this is asked for QGIS's master password, if the login needs it.

        Only there, and only on the GUI thread: `qgis_process` and a model's steps are told in a sentence, later.
        """
        if self.parameterDefinition("CONNECTION") is not None and _user_is_there():
            parts = make_parts()
            try:
                wanted = self.parameterAsString(parameters, "CONNECTION", context).strip()
                with suppress(QgsProcessingException):  # no such connection: the run says so
                    parts.connections.unlock(find_connection(parts.connections, wanted))
            except HostError as e:
                raise QgsProcessingException(str(e)) from e
            finally:
                parts.close()
        return True

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        parts = make_parts()
        try:
            with cancelled_by(feedback) as cancel:
                return self.work(Run(parameters, context, feedback, parts, cancel))
        except Cancelled:
            return {}
        except QgsProcessingException:
            raise
        except Exception as e:
            raise QgsProcessingException(explain(e)) from e
        finally:
            parts.close()

    def work(self, run: Run) -> dict[str, Any]:
        """What the algorithm does; may block, and may raise what `host.errors.explain` can tell."""
        raise NotImplementedError

    def text(self, run: Run, name: str) -> str:
        """A parameter's text without blanks around it; "" where there is none."""
        return self.parameterAsString(run.parameters, name, run.context).strip()

    def choice(self, run: Run, name: str) -> str:
        """The word chosen. Raises QgsProcessingException where it is none of them."""
        return self.parameterAsEnumString(run.parameters, name, run.context)

    def number(self, run: Run, name: str) -> float:
        """A parameter's number."""
        return self.parameterAsDouble(run.parameters, name, run.context)

    def yes(self, run: Run, name: str) -> bool:
        """A parameter's yes or no."""
        return self.parameterAsBool(run.parameters, name, run.context)

    def place(self, run: Run) -> Place:
        """The connection and project that CONNECTION and PROJECT name; starts the local engine where it is needed."""
        connection = find_connection(run.parts.connections, self.text(run, "CONNECTION"))
        platform = run.parts.connections.open(connection, run.cancel)
        return Place(connection, platform, find_project(platform.projects(), self.text(run, "PROJECT")))


def _user_is_there() -> bool:
    """True on the GUI thread of a QGIS with windows."""
    application = QCoreApplication.instance()
    on_gui_thread = application is not None and QThread.currentThread() == application.thread()
    return on_gui_thread and qgis.utils.iface is not None


def find_connection(connections: Connections, wanted: str) -> Connection:
    """The connection of that id, title or script name; "": the environment's."""
    known = connections.all()
    for connection in known:
        names = (connection.id.casefold(), connection.title.casefold())
        if _BY_SCRIPT_NAME.get(wanted.casefold(), wanted.casefold()) in names:
            return connection
    if not wanted:
        missing = ", ".join(name for name in ENVIRONMENT if not os.environ.get(name))
        text = tr("CONNECTION is empty, but the environment lacks {missing}: set it, or use CONNECTION={local}.")
        raise QgsProcessingException(text.format(missing=missing, local=LOCAL))
    text = tr("There is no connection “{id}”: use one of {known}.")
    raise QgsProcessingException(text.format(id=wanted, known=", ".join([LOCAL, *(c.id for c in known)])))


def find_project(projects: list[Project], wanted: str) -> Project:
    """The project of that id, else of that name; the first one where none is named."""
    for project in projects:
        if not wanted or wanted == project.id:
            return project
    for project in projects:
        if wanted.casefold() == project.name.casefold():
            return project
    text = tr("There is no project “{name}” on this connection: use one of {known}.")
    raise QgsProcessingException(text.format(name=wanted, known=quoted(project.name for project in projects)))


def find_workflow(workflows: list[Workflow], wanted: str) -> Workflow:
    """The workflow of that id, else the first of that name."""
    for workflow in workflows:
        if workflow.id == wanted:
            return workflow
    for workflow in workflows:
        if workflow.name.casefold() == wanted.casefold():
            return workflow
    text = tr("There is no workflow “{name}”: use one of {known}.")
    raise QgsProcessingException(text.format(name=wanted, known=quoted(workflow.name for workflow in workflows)))


def quoted(names: Iterable[str]) -> str:
    """Names as a list for people; a name may have commas of its own."""
    return ", ".join(f"“{name}”" for name in names)


def separated(text: str) -> list[str]:
    """The items of a list that is written with commas or blanks between them, each once."""
    return list(dict.fromkeys(text.replace(",", " ").split()))


class ScriptCancel(Cancel):
    """Keeps a dialog alive through the waits of a run on the GUI thread, which is where the batch dialog runs them.

    That dialog handles its Cancel button only when it is told of a progress, and a feedback tells only of a new one:
    so it moves by what nobody sees.
    """

    def __init__(self, feedback: QgsProcessingFeedback) -> None:
        super().__init__()
        self._feedback = feedback

    def wait(self, seconds: float) -> bool:
        application = QCoreApplication.instance()
        if application is None or QThread.currentThread() != application.thread():
            return super().wait(seconds)
        until = monotonic() + seconds
        while not super().wait(min(CANCEL_STEP_SECONDS, until - monotonic())):
            if monotonic() >= until:
                return False
            progress = self._feedback.progress()
            self._feedback.setProgress(progress + UNSEEN_PERCENT)
            self._feedback.setProgress(progress)
        return True


@contextmanager
def cancelled_by(feedback: QgsProcessingFeedback) -> Iterator[Cancel]:
    """A Cancel that follows the feedback's: its signal can't reach a worker thread without an event loop."""
    cancel, over = ScriptCancel(feedback), threading.Event()

    def watch() -> None:
        while not over.wait(CANCEL_STEP_SECONDS):
            if feedback.isCanceled():
                cancel.cancel()
                return

    threading.Thread(target=watch, name="up42_jobs: cancel", daemon=True).start()
    try:
        yield cancel
    finally:
        over.set()
