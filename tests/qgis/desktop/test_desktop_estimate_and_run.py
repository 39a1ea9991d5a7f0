"""Estimate and run on the real engine: never another request's price, never a job that was not wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QDockWidget

from up42_jobs.plugin.desktop.dock import DockContent
from up42_jobs.plugin.desktop.estimator import Estimator
from up42_jobs.plugin.desktop.footer import Footer
from up42_jobs.plugin.desktop.request_model import RequestModel
from up42_jobs.plugin.desktop.run import Run
from up42_jobs.plugin.host.connections import Kind
from up42_jobs.plugin.host.submit import Confirmation
from up42_jobs.plugin.host.words import credit_range
from up42_jobs.plugin.jobs.job import JobType
from up42_jobs.plugin.jobs.workflow import Parameter

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
        journey = self.content._journey
        polled: list[str] = []
        journey.jobs_changed.connect(polled.append)
        journey.refresh()
        self.qtbot.waitUntil(lambda: bool(polled), timeout=20_000)
        journey.jobs_changed.disconnect(polled.append)
        return {record.job.id for record in journey.records(self.model.catalogue.connection.id)}

    def answer(self) -> tuple:
        """The next job that is taken, and the request that became it; a refusal fails the test."""
        self.qtbot.waitUntil(lambda: bool(self.submitted or self.refused), timeout=20_000)
        assert not self.refused, self.refused
        return self.submitted.pop(0)

    def at_rest(self) -> None:
        self.qtbot.waitUntil(lambda: not self.run.busy, timeout=20_000)


@pytest.fixture
def dock(window, journey, parts, qtbot):
    content = DockContent(window, journey, parts.settings)
    holder = QDockWidget(window)
    holder.setWidget(content)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, holder)
    content.build()
    qtbot.waitUntil(lambda: content.model.catalogue is not None, timeout=30_000)
    yield Dock(content, qtbot)
    content.stop()


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
    assert not estimator.asking
    assert "unknown" in footer.estimateLabel.text()
    assert footer.runButton.isEnabled()
    assert "Price Unknown" in footer.runButton.text()
    footer.runButton.click()
    dialog = run._dialog
    assert "unknown" in dialog.creditsValue.text()
    dialog.reject()
    assert not run.busy
    run.stop()
    estimator.stop()
