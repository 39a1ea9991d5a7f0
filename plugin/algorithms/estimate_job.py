"""`up42jobs:estimatejob`: credits and time of a Live Job, before it is run."""

from __future__ import annotations

import math
from typing import Any

from qgis.core import QgsProcessingException, QgsProcessingOutputNumber

from ..host.errors import RequestProblems
from ..host.words import credit_range, duration_range, tr
from .base import Run
from .request_inputs import RequestAlgorithm
from .tables import table_output, write_table

COLUMNS = (
    *(("task", str), ("credits_min", float), ("credits_max", float), ("seconds_min", float), ("seconds_max", float)),
    *(("unit", str), ("amount_min", float), ("amount_max", float)),
)


class EstimateJob(RequestAlgorithm):
    """Asks the platform what exactly this request may cost; sends no job."""

    def name(self) -> str:
        return "estimatejob"

    def displayName(self) -> str:
        return tr("Estimate Job")

    def shortHelpString(self) -> str:
        return tr(
            "Credits and processing time of a Live Job, each as a range, in total and per task. Nothing is run, and an"
            " estimate costs nothing. Where the time is unknown, SECONDS_MAX is left out."
        )

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
        self.add(table_output("TABLE", tr("Estimate per task")))

    def work(self, run: Run) -> dict[str, Any]:
        place = self.place(run)
        request = self.with_aoi(run, self.request(run, place))
        problems = request.problems()
        if problems:
            raise RequestProblems(problems)
        if request.workflow is not None and not request.workflow.needs_aoi:
            raise QgsProcessingException(tr("This workflow is on storage data, which has no estimate: price unknown."))
        estimate = place.platform.estimate(request)
        for one in estimate.tasks:
            text = tr("{task}: {credits} credits, {time}")
            run.feedback.pushInfo(
                text.format(task=one.task, credits=credit_range(one.credits), time=duration_range(one.seconds))
            )
        rows = [
            (
                *(one.task, one.credits.min, one.credits.max, one.seconds.min, _known(one.seconds.max)),
                *(one.unit, one.amount.min, one.amount.max),
            )
            for one in estimate.tasks
        ]
        known = {} if math.isinf(estimate.seconds.max) else {"SECONDS_MAX": estimate.seconds.max}
        return {
            "CREDITS_MIN": estimate.credits.min,
            "CREDITS_MAX": estimate.credits.max,
            "SECONDS_MIN": estimate.seconds.min,
            **known,
            **write_table(self, run, "TABLE", COLUMNS, rows),
        }


def _known(seconds: float) -> Any:
    return None if math.isinf(seconds) else seconds
