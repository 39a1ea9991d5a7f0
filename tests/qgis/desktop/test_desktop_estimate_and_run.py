"""Estimate and run on the real engine: never another request's price, never a job that was not wanted."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Iterator

import pytest
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QPushButton
from shapely.geometry import box

from up42_jobs.plugin.desktop.dock import DockContent
from up42_jobs.plugin.desktop.estimator import Estimator
from up42_jobs.plugin.desktop.footer import Footer
from up42_jobs.plugin.desktop.request_model import RequestModel
from up42_jobs.plugin.desktop.run import Run
from up42_jobs.plugin.host.connections import Kind
from up42_jobs.plugin.host.origin import Origin
from up42_jobs.plugin.host.pricing import Price
from up42_jobs.plugin.host.submit import Confirmation, submit
from up42_jobs.plugin.host.words import credit_range
from up42_jobs.plugin.jobs.aoi import Aoi
from up42_jobs.plugin.jobs.job import JobType
from up42_jobs.plugin.jobs.workflow import Parameter
from up42_jobs.plugin.net.cancel import Cancel

from .conftest import SQUARE, block, workflow

DATA = "demo-s2-l2a:1"
LEFT = Qt.MouseButton.LeftButton


class Dock:
    """The dock's content in a shown window, on one connection."""

    def __init__(self, content: DockContent, qtbot) -> None:
        self.content, self.qtbot = content, qtbot
        self.form, self.model = content.form, content.model
        self.footer, self.estimator, self.run = self.form.footer, self.form.estimator, self.form.run
        self.submitted: list[tuple] = []
        self.refused: list[str] = []
        self.run.submitted.connect(lambda job, request: self.submitted.append((job, request)))
        self.run.failed.connect(self.refused.append)

    @property
    def button(self):
        return self.footer.runButton

    def open(self, kind: Kind) -> None:
        header = self.content.header
        connection = next(c for c in self.content._journey.connections.all() if c.kind is kind)
        header.choose(connection.id)
        self.content.open_connection()
        self.qtbot.waitUntil(
            lambda: self.form.isEnabled() and self.model.catalogue.connection.kind is kind, timeout=30_000
        )
        self.model.set_workflow(next(w for w in self.model.catalogue.workflows if w.tasks[0].name == DATA))
        self.model.set_aoi(SQUARE)

    def estimated(self) -> None:
        self.qtbot.waitUntil(lambda: self.estimator.current is not None, timeout=20_000)

    def job_ids(self) -> set[str]:
        """The jobs that the platform has."""
        catalogue = self.model.catalogue
        platform = self.content._journey.connections.open(catalogue.connection, Cancel())
        return {job.id for job in platform.jobs(catalogue.project)}

    def answer(self) -> tuple:
        """The next job that is taken, and the request that became it; a refusal fails the test."""
        self.qtbot.waitUntil(lambda: bool(self.submitted or self.refused), timeout=20_000)
        assert not self.refused, self.refused
        return self.submitted.pop(0)

    def at_rest(self) -> None:
        self.qtbot.waitUntil(lambda: not self.run.busy, timeout=20_000)


@pytest.fixture
def dock(open_dock, qtbot):
    return Dock(open_dock(), qtbot)


def test_the_estimate_comes_by_itself_and_goes_with_the_next_change(dock):
    dock.open(Kind.PRACTICE)
    dock.model.set_job_type(JobType.LIVE_JOB)
    assert not dock.button.isEnabled()
    dock.estimated()
    assert dock.button.isEnabled()
    price = dock.button.text()
    assert any(character.isdigit() for character in price)
    dock.model.set_parameter(DATA, "limit", 3)
    assert dock.estimator.current is None
    assert not dock.button.isEnabled()
    assert not any(character.isdigit() for character in dock.button.text())
    assert not dock.footer.estimateLabel.isEnabled()  # the old price is still there, but greyed
    dock.estimated()
    assert dock.estimator.current.is_for(dock.model.request)
    assert dock.button.text() != price


def test_a_repair_of_the_aoi_states_its_credits(dock):
    """By the platform's own estimate of the mended AOI; on a connection without prices there is nothing to state."""
    holed = Aoi(SQUARE.geometry.difference(SQUARE.geometry.centroid.buffer(0.005)), "Holed")
    dock.open(Kind.PRACTICE)
    dock.model.set_job_type(JobType.LIVE_JOB)
    dock.estimated()
    whole = credit_range(dock.estimator.current.credits)  # with its hole filled it is the square
    dock.model.set_aoi(holed)
    repairs = dock.form.aoi.repairs
    dock.qtbot.waitUntil(lambda: repairs.isVisible() and "credits …" not in repair_words(repairs), timeout=20_000)
    assert repair_words(repairs).endswith(f") · {whole} credits")
    dock.model.set_parameter(DATA, "limit", 0)  # nothing that is wrong is sent, so nobody can tell
    dock.qtbot.waitUntil(lambda: repair_words(repairs).endswith("credits unknown"), timeout=20_000)
    dock.model.set_job_type(JobType.TEST_QUERY)
    assert "credits" not in repair_words(repairs)


def repair_words(repairs) -> str:
    return " ".join(button.text() for button in repairs.findChildren(QPushButton) if button.isVisible())


def test_many_fast_changes_are_one_question(dock, monkeypatch):
    dock.open(Kind.PRACTICE)
    dock.model.set_job_type(JobType.LIVE_JOB)
    dock.estimated()
    asked: list[str] = []
    ask: Callable = dock.content._journey.estimate

    def counted(catalogue, request, done, failed):
        asked.append(request.fingerprint)
        return ask(catalogue, request, done, failed)

    monkeypatch.setattr(dock.content._journey, "estimate", counted)
    for limit in range(2, 10):
        dock.model.set_parameter(DATA, "limit", limit)
        QApplication.processEvents()
    dock.estimated()
    assert asked == [dock.model.request.fingerprint]


def test_a_change_while_the_estimate_is_on_its_way_is_never_priced_by_it(dock, qtbot):
    dock.open(Kind.PRACTICE)
    dock.model.set_job_type(JobType.LIVE_JOB)
    limits, possible, dialogs = list(range(2, 9)), [], []

    def change_while_asked():
        if dock.estimator._work is None or not limits:
            return
        dock.model.set_parameter(DATA, "limit", limits.pop(0))  # asked, and the answer can't have come yet
        possible.append(dock.run.possible)
        dock.run.start()
        dialogs.append(dock.run._dialog)

    dock.estimator.changed.connect(change_while_asked)
    qtbot.waitUntil(lambda: not limits, timeout=20_000)
    assert possible == [False] * 7
    assert dialogs == [None] * 7
    dock.estimated()
    assert dock.estimator.current.is_for(dock.model.request)


def test_the_confirmation_cancels_by_default_and_buys_what_it_showed(dock, qtbot):
    dock.open(Kind.PRACTICE)
    dock.model.set_job_type(JobType.LIVE_JOB)
    dock.estimated()
    before, balance = dock.job_ids(), dock.model.catalogue.balance
    QTest.mouseClick(dock.button, LEFT)
    dialog = dock.run._dialog
    qtbot.waitExposed(dialog)
    assert dialog.isModal()
    assert dialog.creditsValue.text() == credit_range(dock.estimator.current.credits)
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: dock.run._dialog is None)
    assert dock.run.possible
    assert dock.job_ids() == before

    QTest.mouseClick(dock.button, LEFT)
    dialog = dock.run._dialog
    qtbot.waitExposed(dialog)
    frozen = dock.model.request
    dock.model.set_parameter(DATA, "limit", 9)  # whatever happens behind the question
    QTest.mouseClick(dialog.findChild(type(dock.button), "confirmRunButton"), LEFT)
    job, request = dock.answer()
    assert request.fingerprint == frozen.fingerprint
    assert job.inputs[DATA]["limit"] == 1
    assert dock.job_ids() - before == {job.id}
    qtbot.waitUntil(lambda: dock.model.catalogue.balance < balance, timeout=20_000)


@pytest.mark.parametrize("clicks", ["double click", "five clicks", "keys"])
def test_a_nervous_hand_starts_one_job(dock, qtbot, clicks):
    dock.open(Kind.FREE)
    dock.estimated()
    before = dock.job_ids()
    if clicks == "double click":
        QTest.mouseClick(dock.button, LEFT)
        QTest.mouseDClick(dock.button, LEFT)
    elif clicks == "five clicks":
        for _ in range(5):
            QTest.mouseClick(dock.button, LEFT)
    else:
        dock.button.setFocus()
        for _ in range(4):
            QTest.keyClick(dock.button, Qt.Key.Key_Space)
    dock.answer()
    dock.at_rest()
    assert len(dock.job_ids() - before) == 1


def test_nothing_is_asked_or_sent_while_there_is_a_problem(dock, qtbot):
    dock.open(Kind.FREE)
    dock.estimated()
    before = dock.job_ids()
    dock.model.set_text(dock.model.text.replace('"limit": 1', '"limit": 0'))
    assert not dock.button.isEnabled()
    assert dock.footer.problem.isVisible()
    assert not dock.estimator.asking
    dock.run.start()
    assert not dock.run.busy
    assert dock.job_ids() == before


def test_a_refused_job_is_told_in_the_message_bar_and_can_be_tried_again(dock, qtbot, window):
    dock.open(Kind.PRACTICE)
    dock.model.set_job_type(JobType.LIVE_JOB)
    dock.estimated()
    told, then = dock.refused, []
    dock.run.failed.connect(lambda _text: then.append(dock.estimator.current))
    dock.run._set_busy(True)
    dock.run._submit(dock.model.catalogue, dock.model.request, Confirmation("another request", 1e9))
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert then == [None]  # the price is asked anew: it may have been the reason
    dock.at_rest()
    qtbot.waitUntil(lambda: dock.run.possible, timeout=20_000)
    assert told[0] in window.bar.currentItem().text()


def test_a_workflow_on_stored_data_says_that_its_price_is_unknown_twice(qtbot, window, journey, paid_catalogue):
    stored = workflow("Stored", block("storage", Parameter("asset_ids", "array", None, True), is_data=True))
    model = RequestModel()
    estimator = Estimator(model, journey)
    run = Run(model, estimator, journey, window)
    footer = Footer(model, estimator, run)
    qtbot.addWidget(footer)
    model.set_catalogue(replace(paid_catalogue, workflows=[stored]))
    model.set_job_type(JobType.LIVE_JOB)
    assert model.ready  # it needs no AOI
    qtbot.waitUntil(lambda: estimator.price is not None, timeout=20_000)
    assert estimator.price.estimate is None
    assert "unknown" in footer.estimateLabel.text()
    assert footer.runButton.isEnabled()
    assert "Price Unknown" in footer.runButton.text()
    footer.runButton.click()
    dialog = run._dialog
    assert "unknown" in dialog.creditsValue.text()
    assert "Price Unknown" in dialog.findChild(QPushButton, "confirmRunButton").text()
    dialog.reject()
    assert not run.busy
    run.stop()
    estimator.stop()


def test_an_unknown_price_is_not_run_below_a_cap(qtbot, window, journey, parts, paid_catalogue):
    stored = workflow("Stored", block("storage", Parameter("asset_ids", "array", None, True), is_data=True))
    parts.settings.job_cap = 1e6
    model = RequestModel()
    estimator = Estimator(model, journey)
    run = Run(model, estimator, journey, window)
    footer = Footer(model, estimator, run)
    qtbot.addWidget(footer)
    model.set_catalogue(replace(paid_catalogue, workflows=[stored]))
    model.set_job_type(JobType.LIVE_JOB)
    qtbot.waitUntil(lambda: estimator.price is not None, timeout=20_000)
    assert not footer.runButton.isEnabled()
    assert "cap" in footer.problem.problemText.text()
    assert footer.runButton.toolTip() == footer.problem.problemText.text()
    run.start()
    assert run._dialog is None
    parts.settings.job_cap = None
    run.stop()
    estimator.stop()


def aoi(west: float, size: float = 0.01) -> Aoi:
    """An AOI that no other test has: what was bought before is another story."""
    return Aoi(box(west, 50, west + size, 50 + size), f"At {west}")


def price_of(dock: Dock, aoi: Aoi) -> Price:
    """The price of a Live Job there, as soon as it has come."""
    dock.open(Kind.PRACTICE)
    dock.model.set_aoi(aoi)
    dock.model.set_job_type(JobType.LIVE_JOB)
    dock.qtbot.waitUntil(lambda: dock.estimator.price is not None, timeout=20_000)
    return dock.estimator.price


def refused(dock: Dock) -> str:
    """Nothing can be run, by no way that the dock has; gives the reason that it tells."""
    before = dock.job_ids()
    assert not dock.button.isEnabled()
    QTest.mouseClick(dock.button, LEFT)
    dock.run.start()
    assert dock.run._dialog is None
    assert not dock.run.busy
    assert dock.job_ids() == before
    assert dock.footer.problem.isVisible()
    assert dock.button.toolTip() == dock.footer.problem.problemText.text()
    return dock.button.toolTip()


def test_a_job_above_a_cap_can_not_be_run(dock, parts):
    price = price_of(dock, aoi(1.0))
    for name, words in (("job_cap", "cap per job"), ("month_cap", "per month")):
        setattr(parts.settings, name, price.most - 1)
        dock.estimator.ask_anew()
        dock.qtbot.waitUntil(lambda: dock.estimator.price is not None, timeout=20_000)
        assert words in refused(dock)
        setattr(parts.settings, name, None)
    dock.estimator.ask_anew()
    dock.qtbot.waitUntil(lambda: dock.run.possible, timeout=20_000)


def test_a_cap_that_was_set_after_the_estimate_holds_all_the_same(dock, parts, qtbot):
    price = price_of(dock, aoi(1.1))
    parts.settings.job_cap = price.most - 1
    before = dock.job_ids()
    QTest.mouseClick(dock.button, LEFT)
    qtbot.waitExposed(dock.run._dialog)
    QTest.mouseClick(dock.run._dialog.findChild(QPushButton, "confirmRunButton"), LEFT)
    qtbot.waitUntil(lambda: bool(dock.refused), timeout=20_000)
    assert "cap per job" in dock.refused[0]
    assert dock.job_ids() == before
    parts.settings.job_cap = None
    dock.at_rest()


def test_a_low_balance_says_how_much_smaller_the_job_must_be(dock, engine_store):
    price = price_of(dock, aoi(1.2, 0.04))
    dock.model.set_parameter(DATA, "limit", 8)
    dock.qtbot.waitUntil(lambda: dock.estimator.price is not None, timeout=20_000)
    most = dock.estimator.price.most
    with balance_of(engine_store, int(price.pending + most / 2)):
        dock.estimator.ask_anew()
        dock.qtbot.waitUntil(lambda: dock.estimator.price is not None, timeout=20_000)
        why = refused(dock)
        assert "AOI of at most about" in why
        assert any(f"“limit” {n}." in why for n in (3, 4))
        dock.model.set_parameter(DATA, "limit", 3)
        dock.qtbot.waitUntil(lambda: dock.run.possible, timeout=20_000)
    with balance_of(engine_store, int(price.pending)):
        dock.estimator.ask_anew()
        dock.qtbot.waitUntil(lambda: dock.estimator.price is not None, timeout=20_000)
        assert "Buy credits" in refused(dock)


def test_the_balance_after_leaves_room_for_what_is_unfinished(dock, journey, parts):
    price = price_of(dock, aoi(1.3))
    assert price.left == price.balance - price.pending - price.most
    connection = dock.model.catalogue.connection
    parts.ledger.begin(
        *(connection.id, "p", "elsewhere", {"name": "n", "job_type": "live_job", "inputs": {}}),
        confirmed_credits=100.0,
        project_file="",
        token="",
        server_time=None,
    )
    dock.estimator.ask_anew()
    dock.qtbot.waitUntil(lambda: dock.estimator.price is not None, timeout=20_000)
    assert dock.estimator.price.left == price.left - 100
    for intent in parts.ledger.intents(connection.id):
        parts.ledger.drop(intent.id)


def test_each_task_has_its_own_price_and_time(dock):
    dock.open(Kind.PRACTICE)
    several = next(w for w in dock.model.catalogue.workflows if w.tasks[0].name == DATA and len(w.tasks) > 1)
    dock.model.set_workflow(several)
    dock.model.set_aoi(aoi(1.4))
    dock.model.set_job_type(JobType.LIVE_JOB)
    dock.estimated()
    view = dock.footer.tasksView
    assert not view.isVisible()
    dock.footer.tasksButton.click()
    assert view.isVisible()
    rows = [view.topLevelItem(row) for row in range(view.topLevelItemCount())]
    assert [row.text(0) for row in rows] == [task.name for task in several.tasks]
    assert all(row.text(1) and row.text(2) for row in rows)
    assert view.isEnabled()
    dock.model.set_parameter(DATA, "limit", 2)
    assert not view.isEnabled()  # greyed: it is of the request before


def test_what_was_bought_can_be_loaded_and_is_bought_again_only_after_that_was_said(dock, qtbot):
    price_of(dock, aoi(1.5))
    QTest.mouseClick(dock.button, LEFT)
    qtbot.waitExposed(dock.run._dialog)
    assert not dock.run._dialog.beforeValue.isVisible()
    QTest.mouseClick(dock.run._dialog.findChild(QPushButton, "confirmRunButton"), LEFT)
    job, _request = dock.answer()
    dock.at_rest()
    dock.content.tabs.setCurrentWidget(dock.form)
    qtbot.waitUntil(lambda: dock.estimator.price is not None, timeout=20_000)
    assert dock.estimator.price.before.job == job.id
    assert dock.footer.loadBoughtButton.isVisible()
    wanted = []
    dock.footer.load_wanted.connect(wanted.append)
    dock.footer.loadBoughtButton.click()
    assert [before.job for before in wanted] == [job.id]
    QTest.mouseClick(dock.button, LEFT)
    dialog = dock.run._dialog
    qtbot.waitExposed(dialog)
    assert dialog.beforeValue.isVisible()
    assert dialog.findChild(QPushButton, "confirmRunButton").text().startswith("Buy Again")
    dialog.reject()


def test_what_was_bought_while_the_question_was_open_is_not_bought_again(dock, parts, qtbot):
    """In another QGIS, say."""
    price_of(dock, aoi(1.6))
    QTest.mouseClick(dock.button, LEFT)
    dialog, catalogue, request = dock.run._dialog, dock.model.catalogue, dock.model.request
    qtbot.waitExposed(dialog)
    platform = parts.connections.open(catalogue.connection, Cancel())
    confirmation = Confirmation(request.fingerprint, dock.estimator.price.most)
    submit(platform, parts.ledger, catalogue.connection.id, request.named("other"), Origin("", ""), confirmation)
    before = dock.job_ids()
    QTest.mouseClick(dialog.findChild(QPushButton, "confirmRunButton"), LEFT)
    qtbot.waitUntil(lambda: bool(dock.refused), timeout=20_000)
    assert "bought already" in dock.refused[0]
    assert dock.job_ids() == before
    qtbot.waitUntil(lambda: dock.footer.loadBoughtButton.isVisible(), timeout=20_000)
    dock.at_rest()


@pytest.fixture
def engine_store() -> Path:
    return Path(os.environ["UP42_JOBS_ENGINE_DATA"]) / "engine.sqlite"


@contextmanager
def balance_of(store: Path, credits: int) -> Iterator[None]:
    """So many play credits are left, for a while."""

    def set_to(value: int) -> int:
        with closing(sqlite3.connect(store, timeout=10)) as db, db:
            (before,) = db.execute("SELECT balance FROM projects WHERE kind = 'practice'").fetchone()
            db.execute("UPDATE projects SET balance = ? WHERE kind = 'practice'", (value,))
        return before

    before = set_to(credits)
    try:
        yield
    finally:
        set_to(before)
