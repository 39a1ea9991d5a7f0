"""What can be done with a job from the table. Nothing here blocks: each answers by a callback or by a notice."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Optional, Sequence

from qgis.PyQt.QtCore import QFile, QObject, pyqtSignal

from ..delivery.disk import remove_folder
from ..delivery.errors import DeliveryError
from ..delivery.manifest import read_manifest
from ..jobs.job import Job, Task
from ..net.cancel import Cancel
from ..platforms.contract import Platform
from . import followups
from .arrivals import Arrivals
from .connections import Connection, Connections
from .errors import HostError, explain
from .job_book import JobBook
from .ledger import Ledger
from .period import Period
from .poll import MAX_PAGES, Page, older
from .records import Catalogue, JobRecord, Notice, Offer
from .save_archive import save_archive
from .support import support_information
from .table_export import write_table
from .table_totals import Total, totals
from .tracker import Tracker
from .words import number, tr
from .work import Works


class JobActions(QObject):
    """Cancel, rename, fetch, remove, export, and what to tell of it."""

    noticed = pyqtSignal(object)  # Notice
    older_listed = pyqtSignal(str, bool)  # project id; whether there are older ones still
    older_not_listed = pyqtSignal(str, str)  # project id; why

    def __init__(
        self,
        works: Works,
        connections: Connections,
        ledger: Ledger,
        tracker: Tracker,
        arrivals: Arrivals,
        book: JobBook,
    ) -> None:
        super().__init__()
        self._works, self._connections, self._ledger = works, connections, ledger
        self._tracker, self._arrivals, self._book = tracker, arrivals, book
        self._next_page: dict[tuple[str, str], Optional[int]] = {}
        self._listed_to: dict[tuple[str, str], datetime] = {}
        self._listing = False

    def spent(self, record: JobRecord, done: Callable[[Optional[int]], None]) -> None:
        """What the job has cost so far, in credits; None where that is not told."""
        self._ask(record, lambda platform: platform.credits_used(record.job), done, lambda _error: done(None))

    def cancel(self, record: JobRecord) -> None:
        """Ask the platform to cancel the job, then tell what was spent."""

        def do(platform: Platform) -> Optional[int]:
            platform.cancel(record.job)
            return platform.credits_used(record.job) if platform.capabilities.credits else None

        def asked(spent: Optional[int]) -> None:
            self._tracker.refresh()
            if spent:
                text = tr("“{job}” is being cancelled. Its finished tasks have cost {credits} credits.")
                self._tell(record, "info", text.format(job=_name(record), credits=number(spent)))

        self._ask(record, do, asked)

    def rename(self, record: JobRecord, name: str) -> None:
        """Give the job another name."""
        self._ask(record, lambda platform: platform.rename(record.job, name), lambda _job: self._tracker.refresh())

    def download(self, record: JobRecord, load: bool = True) -> None:
        """Fetch the final output (again); with `load`, put it into the open project."""
        connection = self._connections.by_id(record.connection_id)
        if connection is not None:
            self._arrivals.collect(connection, record.job, load)

    def bring(self, notice: Notice) -> None:
        """Put the outputs of a notice's jobs into the open project, as the user asked; fetch what is not here yet."""
        for key in notice.jobs:
            connection, record = self._connections.by_id(key[0]), self._book.find(*key)
            if connection is None:
                continue
            if record is None:
                self._fetch_unlisted(connection, key[1])
            elif record.delivery.folder is not None and Offer.FETCH not in notice.offers:
                self._arrivals.load(connection, record.job, record.delivery.folder)
            else:
                self._arrivals.collect(connection, record.job)

    def _fetch_unlisted(self, connection: Connection, job_id: str) -> None:
        """A job of ours that no poll has brought yet."""

        def do(cancel: Cancel) -> Job:
            entry = self._ledger.entry(connection.id, job_id)
            if entry is None:
                raise HostError(tr("The job {job} was not started from this profile.").format(job=job_id))
            return self._connections.open(connection, cancel).job(entry.project, job_id)

        try:
            self._connections.unlock(connection)
        except HostError as e:
            self.noticed.emit(Notice("warning", str(e)))
            return
        self._works.start(
            tr("Ask"),
            lambda cancel, _progress: do(cancel),
            shown=False,
            succeeded=lambda job: self._arrivals.collect(connection, job),
            failed=lambda error: self.noticed.emit(Notice("warning", explain(error))),
        )

    def load_task(self, record: JobRecord, task: Task) -> None:
        """Fetch one task's own output and put it on the map."""
        connection = self._connections.by_id(record.connection_id)
        if connection is not None:
            self._arrivals.collect_task(connection, record.job, task)

    def save_archive(self, record: JobRecord, target: Path, task: Optional[Task] = None) -> None:
        """Download an archive itself to a file of the user's choice."""
        connection = self._connections.by_id(record.connection_id)
        if connection is None:
            return
        text = tr("The archive of “{job}” is saved as {path}.")
        self._works.start(
            tr("Save archive of {job}").format(job=_name(record)),
            lambda cancel, progress: save_archive(
                self._connections, connection, record.job, target, cancel, progress, task
            ),
            succeeded=lambda saved: self._tell(record, "success", text.format(job=_name(record), path=saved)),
            failed=lambda error: self._tell(record, "warning", explain(error)),
        )

    def remove_files(self, record: JobRecord) -> None:
        """Move the job's output folder to the wastebasket; where there is none, remove it."""
        folder = record.delivery.folder
        if folder is None:
            return

        def remove() -> None:
            _move_away(folder, record.job.id)
            followups.note_files_removed(self._ledger, record.connection_id, record.job.id)

        def removed(_none: None) -> None:
            self._arrivals.forget_files(record.connection_id, record.job.id)
            text = tr("The files of “{job}” were removed from this computer. They can be fetched again.")
            self.noticed.emit(Notice("info", text.format(job=_name(record)), (_key(record),), (Offer.FETCH,)))

        self._run(tr("Remove files"), remove, removed, record)

    def support(self, record: JobRecord, done: Callable[[str], None]) -> None:
        """What support needs to know of the job, without secrets."""
        connection = self._connections.by_id(record.connection_id)
        if connection is not None:
            self._ask(record, lambda platform: support_information(platform, connection, record), done)

    def totals(self, records: Sequence[JobRecord], period: Period, done: Callable[[list[Total]], None]) -> None:
        """What those of these jobs that were made in `period` cost together."""
        titles, priced = self._titles()
        self._run(tr("Add up"), lambda: totals(_within(records, period), titles, priced), done)

    def export(self, records: Sequence[JobRecord], target: Path, period: Period = Period()) -> None:  # noqa: B008
        """Write those of these jobs that were made in `period`, and their totals, to a CSV or XLSX file."""
        titles, priced = self._titles()

        def write() -> tuple[int, list[Path]]:
            found = _within(records, period)
            return len(found), write_table(found, titles, priced, target)

        def written(result: tuple[int, list[Path]]) -> None:
            count, paths = result
            text = tr("The table of {n} jobs is saved as {paths}.")
            names = ", ".join(str(path) for path in paths)
            self.noticed.emit(Notice("success", text.format(n=number(count), paths=names)))

        self._run(tr("Export table"), write, written)

    def _titles(self) -> tuple[dict[str, str], frozenset[str]]:
        """Connection id -> title; the ids of those where jobs can cost something."""
        known = self._connections.all()
        return {one.id: one.title for one in known}, frozenset(one.id for one in known if one.has_credits)

    def list_older(self, catalogue: Catalogue) -> None:
        """List one page of jobs further down; `older_listed` follows."""
        key = (catalogue.connection.id, catalogue.project.id)
        page = self._next_page.get(key, 1)
        if page is None or self._listing:
            return
        self._listing = True

        def do(cancel: Cancel) -> Page:
            platform = self._connections.open(catalogue.connection, cancel)
            return older(platform, self._ledger, catalogue.connection, catalogue.project, page)

        def listed(found: Page) -> None:
            news = self._book.add_page(*key, found)  # the view may want more at once: only after this
            # the polls have read the first pages; below them a page without news is the same list once more
            over = not found.jobs or (not news and page >= MAX_PAGES)
            self._next_page[key] = None if over else found.next_page
            times = [job.created_at for job in found.jobs if job.created_at is not None]
            if times:
                self._listed_to[key] = min(times)
            self._listing = False
            self.older_listed.emit(key[1], not over)
            if not news and not over:
                self.list_older(catalogue)

        def not_listed(error: Optional[Exception] = None) -> None:
            self._listing = False  # the tracker tells of trouble, once; scrolling on asks again
            self.older_not_listed.emit(key[1], explain(error) if error else "")

        self._works.start(
            "List",
            lambda cancel, _progress: do(cancel),
            shown=False,
            succeeded=listed,
            failed=not_listed,
            cancelled=not_listed,
        )

    def listed_back_to(self, catalogue: Catalogue) -> Optional[datetime]:
        """Every job since this moment (UTC) is listed; None where nothing but the newest pages is."""
        return self._listed_to.get((catalogue.connection.id, catalogue.project.id))

    def has_older(self, catalogue: Catalogue) -> bool:
        """True until the end of the project's list was seen."""
        return self._next_page.get((catalogue.connection.id, catalogue.project.id), 1) is not None

    def _tell(self, record: JobRecord, level: str, text: str) -> None:
        self.noticed.emit(Notice(level, text, (_key(record),)))

    def _run(
        self, title: str, do: Callable[[], Any], done: Callable[[Any], None], record: Optional[JobRecord] = None
    ) -> None:
        def failed(error: Exception) -> None:
            self.noticed.emit(Notice("warning", explain(error), (_key(record),) if record else ()))

        self._works.start(title, lambda _cancel, _progress: do(), shown=False, succeeded=done, failed=failed)

    def _ask(
        self,
        record: JobRecord,
        question: Callable[[Platform], Any],
        done: Callable[[Any], None],
        failed: Optional[Callable[[Exception], None]] = None,
    ) -> None:
        connection = self._connections.by_id(record.connection_id)
        if connection is None:
            return
        self._works.start(
            tr("Ask"),
            lambda cancel, _progress: question(self._connections.open(connection, cancel)),
            shown=False,
            succeeded=done,
            failed=failed or (lambda error: self._tell(record, "warning", explain(error))),
        )


def _within(records: Sequence[JobRecord], period: Period) -> list[JobRecord]:
    return [record for record in records if period.holds(record.job.created_at)]


def _key(record: JobRecord) -> tuple[str, str]:
    return record.connection_id, record.job.id


def _name(record: JobRecord) -> str:
    return record.job.name or record.job.id


def _move_away(folder: Path, job_id: str) -> None:
    """Only a folder that says itself that it is this job's outputs. Worker thread. Raises HostError."""
    if not folder.exists():
        return
    try:
        whose = read_manifest(folder)["job"]["id"]
    except DeliveryError as e:
        raise HostError(tr("{folder} was not removed: it has no job.json any more.").format(folder=folder)) from e
    if whose != job_id:
        raise HostError(tr("{folder} was not removed: it holds the outputs of another job.").format(folder=folder))
    moved = QFile.moveToTrash(str(folder))
    if moved is False or (isinstance(moved, tuple) and not moved[0]):
        remove_folder(folder)
