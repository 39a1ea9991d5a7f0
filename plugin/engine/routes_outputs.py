"""Tasks of a job, their logs, data.json, quicklooks and archives (contract 2.6, 5)."""

from __future__ import annotations

from typing import Any, Mapping

from . import stored_jobs
from .answers import Answer, FileAnswer, enveloped
from .refusal import forbidden, not_found
from .routes_jobs import job_of
from .routing import Access, Call, Route
from .server import Sendable
from .shapes import job_task_shape
from .taskfolder import TaskFolder

IMAGE_TYPES: Mapping[str, str] = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}
ARCHIVE_NAME = "output.tgz"


def _folder(call: Call, task: Mapping[str, Any]) -> TaskFolder:
    return TaskFolder.of(call.engine.data, task["job_id"], task["id"])


def _task(call: Call) -> dict[str, Any]:
    """The task {t} of the job {j}. Raises Refusal (404)."""
    job = job_of(call)
    for row in stored_jobs.job_task_rows(call.engine.store, job["id"]):
        if row["id"] == call.name("t"):
            return row
    raise not_found(f"Task not found for id {call.name('t')} and jobId {job['id']}")


def _last_task(call: Call) -> dict[str, Any]:
    return stored_jobs.job_task_rows(call.engine.store, job_of(call)["id"])[-1]


def _finished(call: Call, task: Mapping[str, Any]) -> TaskFolder:
    """The folder of a task whose outputs are there. Raises Refusal (404)."""
    if task["status"] != stored_jobs.SUCCEEDED:
        raise not_found(f"Task {task['name']} has no outputs: its status is {task['status']}")
    return _folder(call, task)


def list_tasks(call: Call) -> Answer:
    """`GET …/jobs/{j}/tasks`."""
    shapes = []
    parent_id = None
    for row in stored_jobs.job_task_rows(call.engine.store, job_of(call)["id"]):
        shapes.append(job_task_shape(row, parent_id, _folder(call, row)))
        parent_id = row["id"]
    return enveloped(shapes)


def get_log(call: Call) -> Answer:
    """`GET …/tasks/{t}/logs`: plain text."""
    return Answer(_folder(call, _task(call)).log_text().encode(), "text/plain; charset=utf-8")


def get_job_data_json(call: Call) -> Answer:
    """`GET …/jobs/{j}/outputs/data-json`: the last task's."""
    return _data_json(_finished(call, _last_task(call)))


def get_task_data_json(call: Call) -> Answer:
    """`GET …/tasks/{t}/outputs/data-json`."""
    return _data_json(_finished(call, _task(call)))


def _data_json(folder: TaskFolder) -> Answer:
    try:
        return Answer(folder.data_json.read_bytes())
    except FileNotFoundError:
        raise not_found("The outputs are not there any more") from None


def list_quicklooks(call: Call) -> Answer:
    """`GET …/tasks/{t}/outputs/quicklooks`: names of images, [] where there are none."""
    return enveloped(_quicklook_names(_folder(call, _task(call))))


def _quicklook_names(folder: TaskFolder) -> list[str]:
    if not folder.quicklooks.is_dir():
        return []
    return sorted(path.name for path in folder.quicklooks.iterdir() if path.suffix.lower() in IMAGE_TYPES)


def get_quicklook(call: Call) -> Answer:
    """`GET …/tasks/{t}/outputs/quicklooks/{name}`."""
    folder = _folder(call, _task(call))
    name = call.name("name")
    if name not in _quicklook_names(folder):  # and so no path can be made of it
        raise not_found(f"There is no quicklook {name}")
    path = folder.quicklooks / name
    return Answer(path.read_bytes(), IMAGE_TYPES[path.suffix.lower()])


def get_job_archive(call: Call) -> Answer:
    """`GET …/jobs/{j}/downloads/results`: a signed URL of the last task's archive."""
    return _signed_url(call, _last_task(call))


def get_task_archive(call: Call) -> Answer:
    """`GET …/tasks/{t}/downloads/results`."""
    return _signed_url(call, _task(call))


def _signed_url(call: Call, task: Mapping[str, Any]) -> Answer:
    _finished(call, task)
    path = f"/signed/{task['job_id']}/{task['id']}/{ARCHIVE_NAME}"
    return enveloped({"url": f"{call.request.origin}{path}?{call.engine.signer.query(path)}"})


def get_signed(call: Call) -> Sendable:
    """`GET /signed/…`: the archive, for whoever has the URL, while it lasts."""
    query = {name: values[0] for name, values in call.request.query.items()}
    if not call.engine.signer.allows(call.request.path, query):
        raise forbidden("The URL's signature is not good, or its time is over: ask for a new one.")
    folder = TaskFolder.of(call.engine.data, call.name("j"), call.name("t"))
    try:
        return FileAnswer(folder.archive, "application/gzip", ARCHIVE_NAME)
    except FileNotFoundError:
        raise not_found("The archive is not there any more") from None


_JOB = "/projects/{p}/jobs/{j}"
_TASK = f"{_JOB}/tasks/{{t}}"

ROUTES = [
    Route("GET", f"{_JOB}/tasks", list_tasks),
    Route("GET", f"{_JOB}/outputs/data-json", get_job_data_json),
    Route("GET", f"{_JOB}/downloads/results", get_job_archive),
    Route("GET", f"{_TASK}/logs", get_log),
    Route("GET", f"{_TASK}/outputs/data-json", get_task_data_json),
    Route("GET", f"{_TASK}/outputs/quicklooks", list_quicklooks),
    Route("GET", f"{_TASK}/outputs/quicklooks/{{name}}", get_quicklook),
    Route("GET", f"{_TASK}/downloads/results", get_task_archive),
    Route("GET", f"/signed/{{j}}/{{t}}/{ARCHIVE_NAME}", get_signed, Access.ANYONE),
    Route("HEAD", f"/signed/{{j}}/{{t}}/{ARCHIVE_NAME}", get_signed, Access.ANYONE),
]
