"""What the algorithms share: their parameters, and the way from them to a request."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Iterator

from qgis.core import (
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtGui import QIcon

from ..host.aoi_source import aoi_from_source
from ..host.connections import Connection
from ..host.errors import RequestProblems, explain
from ..host.journey import read_catalogue
from ..host.parts import Parts, make_parts
from ..host.records import Catalogue
from ..host.words import tr
from ..jobs import parameters as job_parameters
from ..jobs.aoi import GeometricFilter
from ..jobs.request import JobRequest
from ..jobs.workflow import Workflow
from ..net.cancel import Cancel, Cancelled
from .icon import icon

CANCEL_STEP_SECONDS = 0.1


class JobAlgorithm(QgsProcessingAlgorithm):
    """An algorithm on one connection. Errors are told as QgsProcessingException, cancel within a second."""

    def createInstance(self) -> JobAlgorithm:
        return type(self)()

    def icon(self) -> QIcon:
        return icon()

    def add_connection(self) -> None:
        """CONNECTION: the id of a connection."""
        self.addParameter(QgsProcessingParameterString("CONNECTION", tr("Connection"), defaultValue="this-computer"))

    def add_request(self) -> None:
        """WORKFLOW, AOI, FILTER and PARAMETERS."""
        self.addParameter(QgsProcessingParameterString("WORKFLOW", tr("Workflow (name or ID)")))
        self.addParameter(
            QgsProcessingParameterFeatureSource(
                "AOI", tr("AOI"), [QgsProcessing.SourceType.TypeVectorPolygon], optional=True
            )
        )
        filters = QgsProcessingParameterEnum(
            "FILTER", tr("Geometric filter"), [f.value for f in GeometricFilter], defaultValue="intersects"
        )
        filters.setUsesStaticStrings(True)
        self.addParameter(filters)
        self.addParameter(
            QgsProcessingParameterString("PARAMETERS", tr("Parameters (JSON)"), multiLine=True, optional=True)
        )

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        parts = make_parts()
        try:
            with cancelled_by(feedback) as cancel:
                return self.work(parameters, context, feedback, parts, cancel)
        except Cancelled:
            return {}
        except QgsProcessingException:
            raise
        except Exception as e:
            raise QgsProcessingException(explain(e)) from e
        finally:
            parts.close()

    def work(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        parts: Parts,
        cancel: Cancel,
    ) -> dict[str, Any]:
        """What the algorithm does; may block, and may raise what `host.errors.explain` can tell."""
        raise NotImplementedError

    def connection(self, parameters: dict[str, Any], context: QgsProcessingContext, parts: Parts) -> Connection:
        """The connection that CONNECTION names."""
        wanted = self.parameterAsString(parameters, "CONNECTION", context)
        found = parts.connections.by_id(wanted)
        if found is None:
            known = ", ".join(c.id for c in parts.connections.all())
            text = tr("There is no connection “{id}”: use one of {known}.")
            raise QgsProcessingException(text.format(id=wanted, known=known))
        return found

    def request(
        self, parameters: dict[str, Any], context: QgsProcessingContext, parts: Parts, cancel: Cancel
    ) -> tuple[Catalogue, JobRequest]:
        """The request that the parameters ask for; only the catalogue is read. Raises RequestProblems."""
        catalogue = read_catalogue(parts.connections, self.connection(parameters, context, parts), cancel)
        workflow = find_workflow(catalogue, self.parameterAsString(parameters, "WORKFLOW", context))
        source = self.parameterAsSource(parameters, "AOI", context)
        request = JobRequest(
            catalogue.project,
            workflow,
            aoi=aoi_from_source(source) if source is not None else None,
            geometric_filter=GeometricFilter(self.parameterAsEnumString(parameters, "FILTER", context)),
            parameters=read_parameters(self.parameterAsString(parameters, "PARAMETERS", context), workflow),
        )
        return catalogue, replace(request, name=self.job_name(parameters, context, request))

    def job_name(self, parameters: dict[str, Any], context: QgsProcessingContext, request: JobRequest) -> str:
        """The job's name; an estimate needs none."""
        return ""


def find_workflow(catalogue: Catalogue, wanted: str) -> Workflow:
    """The workflow of that id, else the first of that name."""
    for workflow in catalogue.workflows:
        if workflow.id == wanted:
            return workflow
    for workflow in catalogue.workflows:
        if workflow.name.casefold() == wanted.casefold():
            return workflow
    known = ", ".join(workflow.name for workflow in catalogue.workflows)
    text = tr("There is no workflow “{name}”: use one of {known}.")
    raise QgsProcessingException(text.format(name=wanted, known=known))


def read_parameters(text: str, workflow: Workflow) -> job_parameters.Values:
    """The workflow's defaults with what the JSON text (or the file it names) changes. Raises RequestProblems."""
    values = job_parameters.defaults(workflow)
    text = text.strip()
    if not text:
        return values
    if not text.startswith("{") and Path(text).is_file():
        text = Path(text).read_text(encoding="utf-8")
    given, problems = job_parameters.from_text(text, workflow)
    problems = [p for p in problems if p.code != "task_missing"]  # a task left out keeps its defaults
    if given is None or problems:
        raise RequestProblems(problems)
    return {task: {**values[task], **given.get(task, {})} for task in values}


@contextmanager
def cancelled_by(feedback: QgsProcessingFeedback) -> Iterator[Cancel]:
    """A Cancel that follows the feedback's: its signal can't reach a worker thread without an event loop."""
    cancel, over = Cancel(), threading.Event()

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
