"""Many AOIs as many jobs, the queue above the tabs, and a Test Query's scenes as a Live Job: on the real engine."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from qgis.PyQt.QtCore import QObject, Qt, QTimer
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QPushButton
from shapely.geometry import box

from up42_jobs.plugin.desktop.dock import DockContent
from up42_jobs.plugin.desktop.many_dialog import AREA, CREDITS, REMARK, ManyDialog
from up42_jobs.plugin.desktop.many_rows import each_overlap, each_row, total
from up42_jobs.plugin.host.connections import Kind
from up42_jobs.plugin.host.origin import Origin
from up42_jobs.plugin.host.queue_store import QueueStore
from up42_jobs.plugin.host.submit import Confirmation, submit
from up42_jobs.plugin.jobs.aoi import Aoi
from up42_jobs.plugin.jobs.job import JobState, JobType
from up42_jobs.plugin.net.cancel import Cancel

DATA = "demo-s2-l2a:1"
LEFT = Qt.MouseButton.LeftButton


class Bench:
    """The dock on one connection, and what tests do with it."""

    def __init__(self, content: DockContent, parts, qtbot) -> None:
        self.content, self.parts, self.qtbot = content, parts, qtbot
        self.model, self.orders = content.model, content.orders
        self.journey = content._journey
        self.queue = self.journey.queue

    def open(self, kind: Kind) -> None:
        connection = next(c for c in self.journey.connections.all() if c.kind is kind)
        self.content.header.choose(connection.id)
        self.content.open_connection()
        self.wait(lambda: self.content.form.isEnabled() and self.model.catalogue.connection.kind is kind)
        self.model.set_workflow(next(w for w in self.model.catalogue.workflows if w.tasks[0].name == DATA))

    def wait(self, condition, seconds: int = 25) -> None:
        self.qtbot.waitUntil(condition, timeout=seconds * 1000)

    @property
    def platform(self):
        return self.parts.connections.open(self.model.catalogue.connection, Cancel())

    def jobs(self) -> list:
        return list(self.platform.jobs(self.model.catalogue.project))

    def queue_empties(self) -> None:
        """All that was queued is done, and the dock has seen it."""
        self.wait(lambda: not QueueStore(self.parts.ledger).all())
        self.wait(lambda: not self.queue.batches)

    def many(self, aois) -> ManyDialog:
        self.orders.many(aois)
        dialog = self.orders.dialog
        self.qtbot.waitExposed(dialog)
        self.wait(lambda: not dialog._reader.isActive() and dialog._asking is None)
        return dialog


@pytest.fixture
def bench(open_dock, parts, qtbot):
    with parts.ledger.transaction() as db:
        db.execute("DELETE FROM queued")
    return Bench(open_dock(), parts, qtbot)


def place(west: float, size: float = 0.006, name: str = "") -> Aoi:
    return Aoi(box(west, 47, west + size, 47 + size), name or f"At {west}")


class Beat(QObject):
    """The longest time that the GUI thread worked without a beat between, in seconds of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.longest, self._last = 0.0, time.thread_time()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._timer.start(0)

    def _tick(self) -> None:
        now = time.thread_time()
        self.longest, self._last = max(self.longest, now - self._last), now


def confirm(dialog: ManyDialog, qtbot) -> None:
    QTest.mouseClick(dialog.runButton, LEFT)
    qtbot.waitExposed(dialog.confirm)
    QTest.mouseClick(dialog.confirm.findChild(QPushButton, "confirmRunButton"), LEFT)


def test_five_aois_are_five_jobs_after_one_confirmation_and_the_one_that_failed_is_sent_again(bench, qtbot):
    bench.open(Kind.PRACTICE)
    bench.model.set_job_type(JobType.LIVE_JOB)
    before = {job.id for job in bench.jobs()}
    bench.model.set_parameter(DATA, "limit", 6)
    dialog = bench.many([place(5 + n / 5, 0.1 if n == 3 else 0.006, f"Field {n}") for n in range(1, 6)])
    assert dialog.runButton.isEnabled()
    credits = sum(row.price.most for row in dialog.rows)
    QTest.mouseClick(dialog.runButton, LEFT)
    qtbot.waitExposed(dialog.confirm)
    QTest.keyClick(dialog.confirm, Qt.Key.Key_Return)  # the default is Cancel
    bench.wait(lambda: dialog.confirm is None)
    assert {job.id for job in bench.jobs()} == before
    confirm(dialog, qtbot)
    bench.wait(lambda: bench.orders.dialog is None)
    bench.wait(lambda: len(bench.jobs()) == len(before) + 5)
    made = [job for job in bench.jobs() if job.id not in before]
    assert {job.name.split(" · ")[0] for job in made} == {f"Field {n}" for n in range(1, 6)}
    entries = bench.parts.ledger.entries("practice")
    assert sum(entries[job.id].confirmed_credits for job in made) == credits
    failed = next(job for job in made if job.name.startswith("Field 3"))
    bench.platform.cancel(failed)  # the large one: it is still at it
    bench.wait(lambda: bool(bench.queue.batches) and all(batch.over for batch in bench.queue.batches))
    (batch,) = bench.queue.batches
    assert [item.name.split(" · ")[0] for item in batch.failed] == ["Field 3"]
    row = bench.content.queue_strip.rows[batch.id]
    assert row.isVisible()
    assert "Field 3" in row.queueLabel.text()
    bench.wait(lambda: bench.parts.ledger.entry("practice", failed.id).told is not None)  # it is not bought, then
    QTest.mouseClick(row.queueGoOnButton, LEFT)
    dialog = bench.orders.dialog
    bench.wait(lambda: dialog.runButton.isEnabled())
    assert [row.name for row in dialog.rows] == ["Field 3"]
    confirm(dialog, qtbot)
    bench.wait(lambda: len(bench.jobs()) == len(before) + 6)
    again = next(job for job in bench.jobs() if job.id not in before and job.id not in {j.id for j in made})
    assert again.name.startswith("Field 3")
    bench.queue_empties()
    assert not bench.content.queue_strip.isVisible()


def test_what_can_not_be_run_is_not_ticked_and_says_why(bench):
    bench.open(Kind.PRACTICE)
    bench.model.set_job_type(JobType.LIVE_JOB)
    good, small, twin = place(6.1, name="Good"), place(6.2, 0.0001, name="Small"), place(6.1, name="Twin")
    dialog = bench.many([good, small, twin])
    assert [row.ticked for row in dialog.rows] == [True, False, False]
    texts = [dialog.manyView.topLevelItem(n).text(REMARK) for n in range(3)]
    assert texts[0] == ""
    assert "0.1 km²" in texts[1]
    assert "Good" in texts[2]
    item = dialog.manyView.topLevelItem(1)
    item.setCheckState(0, Qt.CheckState.Checked)
    assert not dialog.rows[1].ticked
    assert item.checkState(0) == Qt.CheckState.Unchecked
    dialog.manyView.setCurrentItem(item)
    assert dialog.remarkLabel.text() == f"Small: {texts[1]}"
    QTest.keyClick(dialog.manyView, Qt.Key.Key_Space)
    assert not dialog.rows[1].ticked
    dialog.manyView.setCurrentItem(dialog.manyView.topLevelItem(0))
    QTest.keyClick(dialog.manyView, Qt.Key.Key_Space)
    assert not dialog.rows[0].ticked
    QTest.keyClick(dialog.manyView, Qt.Key.Key_Space)
    assert dialog.rows[0].ticked
    assert dialog.manyView.topLevelItem(0).text(AREA)
    assert dialog.manyView.topLevelItem(0).text(CREDITS)
    dialog.reject()


def test_nothing_ticked_is_nothing_to_run(bench):
    bench.open(Kind.PRACTICE)
    bench.model.set_job_type(JobType.LIVE_JOB)
    dialog = bench.many([place(6.3), place(6.4)])
    for n in range(2):
        dialog.manyView.topLevelItem(n).setCheckState(0, Qt.CheckState.Unchecked)
    assert not dialog.runButton.isEnabled()
    dialog.run()
    assert dialog.confirm is None
    dialog.reject()


def test_a_batch_above_the_month_cap_is_refused_as_a_whole(bench, qtbot):
    bench.open(Kind.PRACTICE)
    bench.model.set_job_type(JobType.LIVE_JOB)
    before = len(bench.jobs())
    dialog = bench.many([place(6.5), place(6.6)])
    with bench.parts.ledger.transaction() as db:
        from up42_jobs.plugin.host.spending import spent_this_month

        spent = spent_this_month(db, "practice")
    bench.parts.settings.month_cap = spent + dialog.rows[0].price.most + 0.5
    confirm(dialog, qtbot)
    bench.wait(lambda: dialog.remarkLabel.isVisible())
    assert "per month" in dialog.remarkLabel.text()
    assert len(bench.jobs()) == before
    bench.parts.settings.month_cap = None
    dialog.reject()


def test_what_was_bought_is_not_ticked(bench):
    bench.open(Kind.PRACTICE)
    bench.model.set_job_type(JobType.LIVE_JOB)
    aoi = place(6.7)
    request = replace(bench.model.request, aoi=aoi, name="bought")
    most = bench.platform.estimate(request).credits.max
    confirmation = Confirmation(request.fingerprint, most)
    submit(bench.platform, bench.parts.ledger, "practice", request, Origin("", ""), confirmation)
    dialog = bench.many([aoi, place(6.8)])
    assert [row.ticked for row in dialog.rows] == [False, True]
    assert "Bought" in dialog.manyView.topLevelItem(0).text(REMARK)
    dialog.reject()


def test_where_nothing_has_a_price_one_click_queues_them(bench):
    bench.open(Kind.FREE)
    before = len(bench.jobs())
    dialog = bench.many([place(6.1), place(6.2)])
    assert dialog.manyView.isColumnHidden(CREDITS)
    QTest.mouseClick(dialog.runButton, LEFT)
    assert dialog.confirm is None
    bench.wait(lambda: len(bench.jobs()) == before + 2)
    bench.queue_empties()


def test_overlaps_are_told_and_touching_is_none(free_catalogue):
    from up42_jobs.plugin.jobs.request import JobRequest

    requests = [
        JobRequest(free_catalogue.project, free_catalogue.workflows[1], aoi=aoi)
        for aoi in (place(1, 1, "A"), place(1.5, 1, "B"), place(2.5, 1, "C"))
    ]
    rows = [replace(row, ticked=True, obstacle="") for row in each_row(requests)]
    assert [(pair[0].name, pair[1].name) for pair in each_overlap(rows) if pair] == [("A", "B")]
    assert total(rows).count == 3


def test_several_polygons_are_offered_as_a_job_of_each(bench):
    bench.open(Kind.PRACTICE)
    box_of_aois = bench.content.form.aoi
    bench.model.set_aoi(place(6.1))
    assert box_of_aois.repairs.each_polygon_wanted
    box_of_aois.many_aois.emit([place(6.1, name="North"), place(6.2, name="South")])
    assert [request.aoi.name for request in bench.orders.dialog.requests] == ["North", "South"]
    bench.orders.dialog.reject()


def test_five_hundred_aois_are_read_in_turns_and_more_are_too_many(bench):
    bench.open(Kind.FREE)
    told = []
    bench.orders.told.connect(lambda level, _text: told.append(level))
    bench.orders.many([place(n / 10) for n in range(501)])
    assert told == ["warning"]
    bench.orders.many([place(n / 10) for n in range(500)])
    dialog = bench.orders.dialog
    assert len(dialog.rows) < 500  # it is shown before all are read
    assert not dialog.runButton.isEnabled()
    bench.wait(lambda: dialog.runButton.isEnabled())
    assert len(dialog.rows) == 500
    dialog.reject()


def test_a_paused_queue_is_told_and_goes_on_only_when_continued(bench, qtbot):
    bench.open(Kind.PRACTICE)
    before = len(bench.jobs())
    request = replace(bench.model.request.of_type(JobType.LIVE_JOB), aoi=place(7.1), name="Queued")
    most = bench.platform.estimate(request).credits.max
    store = QueueStore(bench.parts.ledger)
    store.add("practice", [(request, Confirmation(request.fingerprint, most))], Origin("", ""), "an earlier session")
    bench.queue.start()
    bench.wait(lambda: bool(bench.queue.batches))
    (batch,) = bench.queue.batches
    assert batch.paused
    row = bench.content.queue_strip.rows[batch.id]
    assert f"{most:g} credits" in row.queueLabel.text()
    assert len(bench.jobs()) == before
    QTest.mouseClick(row.queueGoOnButton, LEFT)
    bench.wait(lambda: len(bench.jobs()) == before + 1)
    bench.queue_empties()


def test_a_paused_queue_that_is_discarded_sends_nothing(bench):
    bench.open(Kind.PRACTICE)
    before = len(bench.jobs())
    request = replace(bench.model.request.of_type(JobType.LIVE_JOB), aoi=place(7.2), name="Queued")
    store = QueueStore(bench.parts.ledger)
    store.add("practice", [(request, Confirmation(request.fingerprint, 1e3))], Origin("", ""), "an earlier session")
    bench.queue.start()
    bench.wait(lambda: bool(bench.queue.batches))
    row = next(iter(bench.content.queue_strip.rows.values()))
    QTest.mouseClick(row.queueDiscardButton, LEFT)
    bench.queue_empties()
    assert len(bench.jobs()) == before


def searched(bench):
    """The record of a Test Query that has found some scenes, and their ids."""
    bench.model.set_aoi(place(8.1, 0.05))
    bench.model.set_job_type(JobType.TEST_QUERY)
    bench.model.set_parameter(DATA, "limit", 4)
    bench.wait(lambda: bench.content.form.run.possible)
    sent = []
    bench.content.form.run.submitted.connect(lambda job, _request: sent.append(job))
    bench.content.form.run.start()

    def found():
        record = bench.journey.book.find("practice", sent[0].id) if sent else None
        return record is not None and record.job.state is JobState.SUCCEEDED

    bench.wait(found)
    record = bench.journey.book.find("practice", sent[0].id)
    return record, [scene.id for scene in bench.platform.scenes(record.job)]


def test_a_live_job_of_ticked_scenes_pins_them_and_waits_for_its_confirmation(bench):
    bench.open(Kind.PRACTICE)
    record, ids = searched(bench)
    assert len(ids) == 4
    before = len(bench.jobs())
    bench.model.set_parameter(DATA, "limit", 9)  # whatever the form says meanwhile
    bench.content.scenes.live_job_wanted.emit(record, ids[1:3])
    request = bench.model.request
    assert request.job_type is JobType.LIVE_JOB
    assert request.parameters[DATA]["ids"] == ids[1:3]
    assert request.parameters[DATA]["limit"] == 2
    assert request.aoi.name == "At 8.1"
    assert bench.content.tabs.currentWidget() is bench.content.form
    bench.wait(lambda: bench.content.form.run.possible)
    assert len(bench.jobs()) == before
    QTest.mouseClick(bench.content.form.footer.runButton, LEFT)
    dialog = bench.content.form.run._dialog
    assert "2" in dialog.scenesValue.text()
    done = []
    bench.content.form.run.submitted.connect(lambda job, _request: done.append(job))
    QTest.mouseClick(dialog.findChild(QPushButton, "confirmRunButton"), LEFT)
    bench.wait(lambda: bool(done))
    bench.wait(lambda: bench.platform.job(done[0].project_id, done[0].id).state.ended)
    assert {scene.id for scene in bench.platform.scenes(done[0])} == set(ids[1:3])


def test_search_again_has_no_ids_and_no_scenes_are_no_order(bench):
    bench.open(Kind.PRACTICE)
    record, ids = searched(bench)
    told = []
    bench.orders.told.connect(lambda level, text: told.append((level, text)))
    bench.orders.live_job(record, [])
    assert told.pop()[0] == "warning"
    assert bench.model.request.job_type is JobType.TEST_QUERY
    bench.orders.live_job(record, ids)
    bench.orders.live_job(record, None)
    assert "searches again" in told.pop()[1]
    assert bench.model.request.parameters[DATA]["ids"] is None


def test_the_project_s_aoi_maximum_holds_for_the_live_job_of_a_test_query(bench):
    bench.open(Kind.PRACTICE)
    record, ids = searched(bench)
    catalogue = bench.model.catalogue
    limits = replace(catalogue.project.aoi_limits, max_km2=1.0)
    project = replace(catalogue.project, aoi_limits=limits)
    bench.model.set_catalogue(replace(catalogue, project=project, projects=[project]))
    bench.orders.live_job(record, ids[:1])
    assert [problem.code for problem in bench.model.problems] == ["aoi_large"]
    assert not bench.content.form.run.possible


def test_a_block_without_ids_says_that_it_searches_again(bench):
    bench.open(Kind.PRACTICE)
    record, ids = searched(bench)
    catalogue = bench.model.catalogue
    workflow = next(w for w in catalogue.workflows if w.id == record.job.workflow_id)
    task = workflow.tasks[0]
    without = {name: p for name, p in task.block.parameters.items() if name != "ids"}
    task = replace(task, block=replace(task.block, parameters=without))
    changed = replace(workflow, tasks=(task, *workflow.tasks[1:]))
    bench.model.set_catalogue(replace(catalogue, workflows=[changed]))
    told = []
    bench.orders.told.connect(lambda _level, text: told.append(text))
    bench.orders.live_job(record, ids)
    assert "searches again" in told[0]


def test_500_aois_never_keep_the_gui_thread(bench, qtbot):
    """From opening over the first estimates to ticking: each overlaps its neighbours, which is the most to tell."""
    bench.open(Kind.PRACTICE)
    bench.model.set_job_type(JobType.LIVE_JOB)
    aois = [
        Aoi(box(n % 25 / 50, 40 + n // 25 / 50, n % 25 / 50 + 0.021, 40.021 + n // 25 / 50), f"Field {n}")
        for n in range(500)
    ]
    beat = Beat()
    bench.orders.many(aois)
    dialog = bench.orders.dialog
    bench.wait(lambda: not dialog._reader.isActive())
    reading, beat.longest = beat.longest, 0.0
    bench.wait(lambda: sum(row.price is not None for row in dialog.rows) >= 40)
    estimating, beat.longest = beat.longest, 0.0
    dialog.manyView.topLevelItem(3).setCheckState(0, Qt.CheckState.Unchecked)
    qtbot.wait(50)
    ticking = beat.longest
    dialog.reject()
    print(f"reading {reading:.3f} s, estimating {estimating:.3f} s, ticking {ticking:.3f} s")
    assert max(reading, estimating, ticking) < 0.1
