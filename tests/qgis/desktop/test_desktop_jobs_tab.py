"""The jobs table changes in place; what can be done follows the job that is chosen."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qgis.PyQt.QtCore import QItemSelectionModel, QModelIndex, QPersistentModelIndex, Qt

from up42_jobs.plugin.desktop.job_words import details, utc_time
from up42_jobs.plugin.desktop.jobs_filter import Group, JobFilter
from up42_jobs.plugin.desktop.jobs_model import RECORD_ROLE, TASK_ROLE, Column, JobsModel
from up42_jobs.plugin.desktop.jobs_order import age_of, values_of
from up42_jobs.plugin.desktop.jobs_tab import JobsTab
from up42_jobs.plugin.host.connections import Kind
from up42_jobs.plugin.host.records import Delivery, DeliveryState, JobRecord
from up42_jobs.plugin.jobs.job import Job, JobState, JobType, Task

NOON = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)


def record(number: int, state: JobState = JobState.RUNNING, raw: str = "RUNNING", **more) -> JobRecord:
    """A job of that number; each a minute older than the one before."""
    job = Job(
        str(number), "p", f"Job {number}", state, raw, JobType.LIVE_JOB, "w", "Flow", NOON - timedelta(minutes=number)
    )
    return JobRecord("free", job, **more)


def shown(model: JobsModel) -> list[JobRecord]:
    return [model.data(model.index(row, 0), RECORD_ROLE) for row in range(model.rowCount())]


def task(number: int, state: JobState = JobState.RUNNING) -> Task:
    return Task(f"t{number}", f"block:{number}", state, state.name, f"block {number}")


def place(record: JobRecord, column: Column) -> tuple:
    return values_of(record)[column], age_of(record)


STEP = st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.integers(0, 3)), unique_by=lambda t: t[0])


def number_of(index: QPersistentModelIndex) -> int:
    assert index.isValid()
    return int(index.data(RECORD_ROLE).job.id)


@given(st.lists(STEP, max_size=5), st.sampled_from(Column), st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_model_becomes_any_jobs_by_steps_that_qt_allows(qgis_app, qtmodeltester, steps, column, descending):
    """In the order of any column, with the tasks below each job; whoever holds on to a row goes with it."""
    order = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
    model = JobsModel()
    model.sort(int(column), order)
    qtmodeltester.check(model)
    held: dict[tuple[int, int], QPersistentModelIndex] = {}  # by numbers of job and task; -1 is the job's own
    for step in steps:
        records = [
            record(n, JobState.FAILED if failed else JobState.RUNNING, tasks=tuple(map(task, range(tasks))))
            for n, failed, tasks in step
        ]
        model.set_records(records)
        assert shown(model) == sorted(records, key=lambda r: place(r, column), reverse=descending)
        for row, one in enumerate(shown(model)):
            job = model.index(row, 0)
            tasks = [model.data(model.index(n, 0, job), TASK_ROLE) for n in range(model.rowCount(job))]
            assert tasks == list(one.tasks or [None])
            assert all(model.parent(model.index(n, 0, job)) == job for n in range(len(tasks)))
        for n, _failed, tasks in step:
            for at in range(-1, tasks):
                index = held.get((n, at))
                assert index is None or (number_of(index), index.row() if at >= 0 else -1) == (n, at)
        for text in ("0", "job"):  # anew from all that is known
            model.set_filter(JobFilter(text=text))
            passing = [one for one in records if text in f"job {one.job.id}"]
            assert shown(model) == sorted(passing, key=lambda r: place(r, column), reverse=descending)
        held = {}
        for job in map(QPersistentModelIndex, (model.index(row, 0) for row in range(model.rowCount()))):
            held[number_of(job), -1] = job
            for at, _task in enumerate(model.data(QModelIndex(job), RECORD_ROLE).tasks):
                held[number_of(job), at] = QPersistentModelIndex(model.index(at, 0, QModelIndex(job)))


def test_who_asks_for_more_rows_while_they_change_gets_them_afterwards(qgis_app, qtbot):
    """A view does so when rows that leave take the chosen one with them, or bring its scroll bar to its end."""
    model = JobsModel()
    for signal in (model.rowsAboutToBeRemoved, model.rowsRemoved, model.rowsAboutToBeInserted, model.rowsInserted):
        signal.connect(lambda *_: model.fetchMore(QModelIndex()))
    told = []  # rows that came and went, as a view counts them
    model.rowsInserted.connect(lambda job, first, last: job.isValid() or told.append(last - first + 1))
    model.rowsRemoved.connect(lambda job, first, last: job.isValid() or told.append(first - last - 1))
    for records in ([record(n) for n in range(3000)], [record(n) for n in range(0, 3000, 2)]):
        model.set_records(records)
        for text in ("9", "", "job 2", ""):
            model.set_filter(JobFilter(text=text))
            model.sort(int(Column.NAME), Qt.SortOrder.DescendingOrder)
            model.sort(int(Column.CREATED), Qt.SortOrder.DescendingOrder)
            assert shown(model) == model.passing[: model.rowCount()]
            assert sum(told) == model.rowCount()
            assert [model.index_of(one.job.id).row() for one in shown(model)] == list(range(model.rowCount()))
        qtbot.waitUntil(lambda: model.rowCount() == len(model.passing))  # it asks with each that it gets
        assert sum(told) == model.rowCount()


def test_a_filter_leaves_out_and_brings_back(qgis_app):
    model = JobsModel()
    model.set_records([record(1), record(2, JobState.FAILED), record(12, JobState.FAILED)])
    model.set_filter(JobFilter(group=Group.FAILED))
    assert [r.job.id for r in shown(model)] == ["2", "12"]
    model.set_filter(JobFilter(text="job 12"))
    assert [r.job.id for r in shown(model)] == ["12"]
    model.set_filter(JobFilter(job_type=JobType.TEST_QUERY))
    assert shown(model) == []
    model.set_filter(JobFilter(workflow="Flow", ours=True))
    assert shown(model) == []
    model.set_filter(JobFilter())
    assert len(shown(model)) == 3


def test_a_job_that_no_longer_passes_the_filter_leaves(qgis_app):
    model = JobsModel()
    model.set_records([record(1), record(2)])
    model.set_filter(JobFilter(group=Group.UNFINISHED))
    model.set_records([record(1), record(2, JobState.SUCCEEDED)])
    assert [r.job.id for r in shown(model)] == ["1"]


def test_the_view_gets_rows_as_it_comes_to_their_end(qgis_app, qtbot):
    model = JobsModel()
    model.set_records([record(n) for n in range(1000)])
    assert model.rowCount() == 200
    for _ in range(3):  # as a view may ask while it takes up others
        model.fetchMore(QModelIndex())
    assert model.rowCount() == 200
    qtbot.waitUntil(lambda: model.rowCount() == 400)
    assert model.index_of("950").row() == 950
    assert not model.index_of("no such job").isValid()


def test_older_jobs_that_come_in_below_the_rows_that_are_shown_are_shown_too(qgis_app):
    model = JobsModel()
    records = [record(n) for n in range(1500)]
    model.set_records(records[:1100])
    model.index_of("1099")
    assert model.rowCount() == 1100
    model.set_records(records[:1299])
    assert model.rowCount() == 1299
    model.set_records(records[1:1299])
    assert [one.job.id for one in shown(model)] == [str(n) for n in range(1, 1299)]
    model.set_records(records[1:])
    assert model.index_of("1499").row() == 1498


def test_a_job_can_be_unfolded_before_its_tasks_are_known_and_says_so(qgis_app):
    model = JobsModel()
    model.set_records([record(1), record(2, unconfirmed=True)])
    assert model.hasChildren(model.index_of("1"))
    assert not model.hasChildren(model.index_of("2"))
    job = model.index_of("1")
    assert model.canFetchMore(job)
    assert model.index(0, Column.NAME, job).data() == "Tasks not known yet"
    assert model.index(0, 0, job).data(RECORD_ROLE).job.id == "1"
    model.set_records([record(1, tasks=(task(0), task(1))), record(2)])
    job = model.index_of("1")
    assert model.hasChildren(model.index_of("2"))
    assert not model.canFetchMore(job)
    assert [model.index(row, Column.NAME, job).data() for row in range(model.rowCount(job))] == ["block 0", "block 1"]


def test_the_chosen_job_stays_chosen_when_others_come_and_go(qgis_app, qtbot, journey, free_catalogue):
    tab = JobsTab(journey)
    qtbot.addWidget(tab)
    model = tab._model
    model.set_records([record(1), record(2), record(3)])
    tab.choose("2")
    model.set_records([record(0), record(2, JobState.SUCCEEDED, "SUCCEEDED"), record(3)])
    assert tab.chosen.job.id == "2"
    assert tab.chosen.job.state is JobState.SUCCEEDED
    tab.stop()


def test_the_chosen_job_stays_chosen_when_sorting_takes_it_beyond_the_rows_that_are_shown(
    qgis_app, qtbot, journey, free_catalogue
):
    tab = JobsTab(journey)
    qtbot.addWidget(tab)
    model = tab._model
    model.set_records([record(n) for n in range(1000)])
    tab.choose("2")
    column = int(Column.CREATED)
    tab.jobsView.sortByColumn(column, Qt.SortOrder.AscendingOrder)
    assert tab.chosen.job.id == "2"
    assert [one.job.id for one in shown(model)] == [*(str(999 - n) for n in range(200)), "2"]
    model.fetchMore(QModelIndex())
    qtbot.waitUntil(lambda: shown(model) == [*model.passing[:400], tab.chosen])
    tab.jobsView.sortByColumn(column, Qt.SortOrder.DescendingOrder)
    assert tab.chosen.job.id == "2"
    assert shown(model) == model.passing[:200]
    tab.stop()


def test_who_waits_for_tasks_has_still_chosen_the_job_when_they_come(qgis_app, qtbot, journey, free_catalogue):
    tab = JobsTab(journey)
    qtbot.addWidget(tab)
    tab._model.set_records([record(1), record(2)])
    job = tab._model.index_of("1")
    tab.jobsView.expand(job)
    tab.jobsView.setCurrentIndex(tab._model.index(0, 0, job))
    tab._model.set_records([record(1, tasks=(task(0), task(1))), record(2)])
    assert (tab.chosen.job.id, tab.chosen_task) == ("1", None)
    assert tab.jobsView.isExpanded(tab._model.index_of("1"))
    tab.stop()


def test_a_search_that_hides_the_job_of_the_chosen_task_leaves_nothing_hidden_chosen(
    qgis_app, qtbot, journey, free_catalogue
):
    tab = JobsTab(journey)
    qtbot.addWidget(tab)
    tab._model.set_records([record(5, tasks=(task(0),)), record(7)])
    job = tab._model.index_of("5")
    tab.jobsView.expand(job)
    tab.jobsView.setCurrentIndex(tab._model.index(0, 0, job))
    tab.searchEdit.setText("Job 7")
    tab._filter()
    assert tab.chosen.job.id == "7"
    assert tab.actions_._record.job.id == "7"
    tab.searchEdit.setText("nothing")
    tab._filter()
    assert tab.chosen is None and tab.actions_._record is None
    assert not tab.actions_.cancel.isEnabled()
    tab.stop()


def test_an_unknown_status_is_shown_as_the_platform_says_it(qgis_app):
    model = JobsModel()
    model.set_records([record(1, JobState.UNKNOWN, "FROBNICATING")])
    assert model.data(model.index(0, Column.STATUS)) == "FROBNICATING"
    assert not model.data(model.index(0, Column.STATUS), Qt.ItemDataRole.DecorationRole).isNull()


def test_times_are_local_with_utc_beside(qgis_app):
    model = JobsModel()
    model.set_records([record(0)])
    assert model.data(model.index(0, Column.CREATED))
    assert model.data(model.index(0, Column.CREATED), Qt.ItemDataRole.ToolTipRole) == utc_time(NOON)
    assert "2024-05-01T12:00:00Z" in utc_time(NOON)


@pytest.mark.parametrize(
    ("one", "possible"),
    [
        (record(1), {"log", "copy_id", "cancel"}),
        (record(1, JobState.CANCELLING), {"log", "copy_id"}),
        (record(1, JobState.FAILED), {"log", "copy_id"}),
        (record(1, JobState.SUCCEEDED), {"load", "collect", "log", "copy_id"}),
        (
            record(1, JobState.SUCCEEDED, delivery=Delivery(DeliveryState.DOWNLOADING, 0.4)),
            {"log", "copy_id"},
        ),
        (
            record(1, JobState.SUCCEEDED, delivery=Delivery(DeliveryState.LOADED, 1, Path("/there"))),
            {"load", "collect", "folder", "log", "copy_id"},
        ),
        (record(1, JobState.UNKNOWN, "Unconfirmed", unconfirmed=True), {"cancel"}),
    ],
    ids=["running", "cancelling", "failed", "succeeded", "downloading", "loaded", "unconfirmed"],
)
def test_what_can_be_done_follows_the_chosen_job(qgis_app, qtbot, journey, free_catalogue, one, possible):
    tab = JobsTab(journey)
    qtbot.addWidget(tab)
    tab._catalogue = free_catalogue
    tab._model.set_records([one])
    tab.choose("1")
    tab._show_chosen()
    actions = ("load", "collect", "folder", "log", "copy_id", "cancel")
    assert {name for name in actions if getattr(tab.actions_, name).isEnabled()} == possible
    assert tab.actions_.cancel.text() == ("Forget" if one.unconfirmed else "Cancel Job")
    tab.stop()


def test_details_say_what_went_wrong_and_where_the_outputs_are(qgis_app):
    failed = record(1, JobState.FAILED, delivery=Delivery(message="No scene found: widen the dates."))
    assert "No scene found: widen the dates." in details(failed)
    loaded = replace(failed, delivery=Delivery(DeliveryState.LOADED, 1, Path("/there")))
    assert str(Path("/there")) in details(loaded)


def test_narrow_tables_leave_columns_out_and_credits_show_only_where_there_are_some(
    qgis_app, qtbot, journey, free_catalogue, paid_catalogue
):
    tab = JobsTab(journey)
    qtbot.addWidget(tab)
    tab.resize(400, 500)
    tab.set_catalogue(free_catalogue)
    assert not tab.jobsView.isColumnHidden(Column.NAME)
    assert tab.jobsView.isColumnHidden(Column.WORKFLOW)
    tab.resize(1000, 500)
    tab.show()
    qtbot.waitExposed(tab)
    qtbot.waitUntil(lambda: not tab.jobsView.isColumnHidden(Column.WORKFLOW))
    assert tab.jobsView.isColumnHidden(Column.CREDITS)
    tab.set_catalogue(paid_catalogue)
    assert not tab.jobsView.isColumnHidden(Column.CREDITS)
    tab.stop()


def test_the_log_of_a_real_job_is_shown(qtbot, journey, open_catalogue):
    """A job without scenes fails; its log says so, and the tab shows it."""
    from up42_jobs.plugin.desktop.request_model import RequestModel

    from .conftest import SQUARE

    catalogue = open_catalogue(Kind.FREE)
    model = RequestModel()
    model.set_catalogue(catalogue)
    model.set_workflow(next(w for w in catalogue.workflows if w.name == "Demo Imagery"))
    model.set_aoi(SQUARE)
    data = model.data_task.name
    model.set_parameter(data, "time", "1990-01-01T00:00:00Z/1990-01-02T00:00:00Z")
    journey.watch(catalogue)
    tab = JobsTab(journey)
    qtbot.addWidget(tab)
    tab.set_catalogue(catalogue)
    tab.show()
    sent: list[Job] = []
    journey.submit(catalogue, model.request.named("no scenes"), None, sent.append, pytest.fail)
    qtbot.waitUntil(lambda: bool(sent), timeout=20_000)
    tab.choose(sent[0].id)
    qtbot.waitUntil(
        lambda: tab.chosen is not None and tab.chosen.job.id == sent[0].id and tab.chosen.job.state is JobState.FAILED,
        timeout=30_000,
    )
    tab.actions_.log.trigger()
    dialog = tab.windows.log
    qtbot.waitUntil(lambda: "scene" in dialog.logText.toPlainText(), timeout=20_000)
    dialog.close()
    assert tab.windows.log is None
    tab.jobsView.selectionModel().clear()
    tab.jobsView.selectionModel().setCurrentIndex(
        tab.jobsView.model().index(-1, -1), QItemSelectionModel.SelectionFlag.Clear
    )
    tab.stop()
