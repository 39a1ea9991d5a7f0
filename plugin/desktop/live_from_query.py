"""From a Test Query to a Live Job: its request into the form, with exactly the chosen scenes. Buys nothing."""

from __future__ import annotations

from typing import Optional

from ..host.records import JobRecord
from ..host.words import number, tr
from ..jobs.job import JobType
from .form_from_job import NotRestored, fill_form
from .request_model import RequestModel

IDS, LIMIT = "ids", "limit"


def fill_live_job(model: RequestModel, record: JobRecord, ids: Optional[list[str]]) -> str:
    """Make the form's request the Live Job of a Test Query; gives what to tell of it.

    `ids`: the scenes to buy; None: the job searches again. What a Test Query ignores, such as the AOI's maximum, is
    among the model's problems then. Raises NotRestored.
    """
    if ids is not None and not ids:
        raise NotRestored(tr("No scene is ticked: tick those that the Live Job is to buy."))
    catalogue = model.catalogue
    if catalogue is None or catalogue.connection.id != record.connection_id:
        raise NotRestored(tr("This Test Query was run on another connection: choose that one first."))
    if catalogue.project.id != record.job.project_id:
        raise NotRestored(tr("This Test Query was run in another project: choose that one first."))
    fill_form(model, record, JobType.LIVE_JOB)
    data = model.data_task
    if data is None or IDS not in data.block.parameters:
        if ids is None:
            return tr("The Live Job is in the form. It searches again with the same filters.")
        return tr(
            "The Live Job is in the form, but its data block can't be asked for chosen scenes: it searches again with"
            " the same filters and may find others."
        )
    model.set_parameter(data.name, IDS, ids)
    if ids is None:
        return tr("The Live Job is in the form. It searches again, and may find other scenes than the Test Query.")
    if LIMIT in data.block.parameters:  # ids override it, but not every platform's estimate knows (contract 3.2)
        model.set_parameter(data.name, LIMIT, len(ids))
    text = tr("The Live Job is in the form: it buys exactly the chosen scenes ({n}).")
    return text.format(n=number(len(ids)))
