"""`up42jobs:estimatejob`: credits and time of a Live Job, before it is run."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ..host.errors import RequestProblems
from ..host.parts import Parts
from ..host.words import credit_range, duration_range, tr
from ..net.cancel import Cancel
from .base import JobAlgorithm


class EstimateJob(JobAlgorithm):
    """Asks the platform what exactly this request may cost; sends no job."""

    def name(self) -> str:
        return "estimatejob"

    def displayName(self) -> str:
        return tr("Estimate Job")

    def shortHelpString(self) -> str:
        return tr("Credits and processing time of a Live Job, each as a range, in total and per task. Nothing is run.")

    def initAlgorithm(self, configuration: Any = None) -> None:
        self.add_connection()
        self.add_request()
        for name, text in (
            ("CREDITS_MIN", tr("Credits, at least")),
            ("CREDITS_MAX", tr("Credits, at most")),
            ("SECONDS_MIN", tr("Seconds, at least")),
            ("SECONDS_MAX", tr("Seconds, at most")),
        ):
            self.addOutput(QgsProcessingOutputNumber(name, text))

    def work(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        parts: Parts,
        cancel: Cancel,
    ) -> dict[str, Any]:
        catalogue, request = self.request(parameters, context, parts, cancel)
        problems = request.problems()
        if problems:
            raise RequestProblems(problems)
        estimate = parts.connections.open(catalogue.connection, cancel).estimate(request)
        for task in estimate.tasks:
            text = tr("{task}: {credits} credits, {time}")
            feedback.pushInfo(
                text.format(task=task.task, credits=credit_range(task.credits), time=duration_range(task.seconds))
            )
        return {
            "CREDITS_MIN": estimate.credits.min,
            "CREDITS_MAX": estimate.credits.max,
            "SECONDS_MIN": estimate.seconds.min,
            "SECONDS_MAX": estimate.seconds.max,
        }
