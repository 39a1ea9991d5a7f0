"""The same search for many months: one job of several windows in the form, or a job each after one confirmation."""

from __future__ import annotations

import pytest
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QPushButton
from shapely.geometry import box

from up42_jobs.plugin.desktop.dock import DockContent
from up42_jobs.plugin.desktop.many_dialog import REMARK
from up42_jobs.plugin.host.connections import Kind
from up42_jobs.plugin.host.queue_store import QueueStore
from up42_jobs.plugin.jobs.aoi import Aoi
from up42_jobs.plugin.jobs.job import JobType
from up42_jobs.plugin.jobs.repeat import Month
from up42_jobs.plugin.net.cancel import Cancel

DATA = "demo-s2-l2a:1"
PATIENCE_MS = 60_000
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def content(window, journey, parts, qtbot):
    with parts.ledger.transaction() as db:
        db.execute("DELETE FROM queued")
    content = DockContent(window, journey, parts.settings)
    qtbot.addWidget(content)
    content.show()
    content.build()
    qtbot.waitUntil(lambda: content.model.catalogue is not None, timeout=PATIENCE_MS)
    practice = next(c for c in journey.connections.all() if c.kind is Kind.PRACTICE)
    content.header.choose(practice.id)
    content.open_connection()
    qtbot.waitUntil(
        lambda: content.form.isEnabled() and content.model.catalogue.connection.id == practice.id, timeout=PATIENCE_MS
    )
    content.model.set_workflow(next(w for w in content.model.catalogue.workflows if w.name == "Demo Imagery"))
    yield content
    content.stop()


def ask(content, first, last, months):
    """Open the dialog as the menu does, and say from when to when and which months."""
    menu = content.form.quick.datesButton.menu()
    menu.aboutToShow.emit()
    next(action for action in menu.actions() if action.text() == "Repeat by Month…").trigger()
    dialog = content.repeating.dialog
    for combo, spin, at in (
        (dialog.firstMonthCombo, dialog.firstYearSpin, first),
        (dialog.lastMonthCombo, dialog.lastYearSpin, last),
    ):
        combo.setCurrentIndex(at.month - 1)
        spin.setValue(at.year)
    dialog.noMonthsButton.click()
    for month in months:
        dialog.boxes[month - 1].setChecked(True)
    return dialog


def test_it_begins_with_the_dates_of_the_form_and_says_what_it_makes(content):
    content.model.set_parameters(
        DATA, {"time": "2019-03-04T00:00:00Z/2021-01-01T00:00:00Z", "limit": 2, "ids": ["one"]}
    )
    content.form.quick.repeat_wanted.emit()
    dialog = content.repeating.dialog
    assert dialog.windows[0] == (2019, 3) and dialog.windows[-1] == (2021, 1) and len(dialog.windows) == 23
    said = dialog.repeatSummary.text()
    assert "Windows: 23 (March 2019, April 2019, …, January 2021)." in said
    assert "Scenes of each: at most 2" in said and "scene IDs are left out" in said
    dialog.noMonthsButton.click()
    assert not dialog.okButton.isEnabled() and "no such month" in dialog.repeatSummary.text()
    dialog.allMonthsButton.click()
    dialog.firstYearSpin.setValue(1972)
    assert not dialog.okButton.isEnabled() and "366 at most" in dialog.repeatSummary.text()
    dialog.jobsRadio.setChecked(True)
    assert not dialog.okButton.isEnabled() and "500 at most" in dialog.repeatSummary.text()
    dialog.reject()
    assert content.repeating.dialog is None
    assert content.model.request.parameters[DATA]["ids"] == ["one"]


def test_one_job_of_several_summers_has_one_estimate_of_all(content, qtbot):
    model = content.model
    model.set_aoi(Aoi(box(13.30, 52.45, 13.31, 52.46), "Field"))
    model.set_job_type(JobType.LIVE_JOB)
    qtbot.waitUntil(lambda: content.form.estimator.current is not None, timeout=PATIENCE_MS)
    before = content.form.estimator.current.credits.max
    dialog = ask(content, Month(2022, 6), Month(2024, 8), (6, 7, 8))
    assert dialog.seriesRadio.isChecked() and dialog.okButton.text() == "Put into Form"
    dialog.okButton.click()
    given = model.request.parameters[DATA]
    assert given["time"] is None and given["time_series"][0] == Month(2022, 6).text and len(given["time_series"]) == 9
    assert model.problems == []
    qtbot.waitUntil(lambda: content.form.estimator.current is not None, timeout=PATIENCE_MS)
    assert content.form.estimator.current.credits.max > before


def test_a_job_for_each_window_after_one_confirmation_of_the_total(content, journey, parts, qtbot):
    model, said = content.model, []
    content.repeating.told.connect(lambda _level, text: said.append(text))
    model.set_aoi(None)
    dialog = ask(content, Month(2023, 7), Month(2024, 7), (7,))
    dialog.jobsRadio.setChecked(True)
    assert dialog.okButton.text() == "List the Jobs…"
    dialog.okButton.click()
    assert content.orders.dialog is None
    assert len(said) == 1 and said[0].startswith("These jobs can’t be made yet.")  # no AOI
    model.set_aoi(Aoi(box(13.30, 52.45, 13.306, 52.456), "Field"))
    model.set_job_type(JobType.LIVE_JOB)
    ask(content, Month(2023, 7), Month(2024, 7), (7,)).jobsRadio.setChecked(True)
    content.repeating.dialog.okButton.click()
    many = content.orders.dialog
    qtbot.waitUntil(lambda: len(many.rows) == 2 and all(row.price for row in many.rows), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: many.possible, timeout=PATIENCE_MS)
    assert [row.name for row in many.rows] == ["July 2023", "July 2024"]
    assert "“Field” in 2 windows of dates" in many.introLabel.text()
    assert many.manyView.headerItem().text(0) == "Dates"
    assert all(many.manyView.topLevelItem(row).text(REMARK) == "" for row in range(2))
    assert "overlap" not in many.remarkLabel.text()
    platform = parts.connections.open(model.catalogue.connection, Cancel())
    before = {job.id for job in platform.jobs(model.catalogue.project)}
    many.runButton.click()
    confirm = many.confirm
    assert "on “Field”, one for each window of dates?" in confirm.questionLabel.text()
    assert confirm.aoiValue.text() == "July 2023, July 2024"
    assert confirm.findChild(QPushButton, "confirmCancelButton").isDefault()
    qtbot.waitExposed(confirm)
    with qtbot.waitSignal(many.queued, timeout=PATIENCE_MS):
        QTest.mouseClick(confirm.findChild(QPushButton, "confirmRunButton"), LEFT)
    qtbot.waitUntil(lambda: not QueueStore(parts.ledger).all(), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not journey.queue.batches, timeout=PATIENCE_MS)
    made = [job for job in platform.jobs(model.catalogue.project) if job.id not in before]
    assert sorted(job.inputs[DATA]["time"] for job in made) == [Month(2023, 7).text, Month(2024, 7).text]
    assert sorted(job.name for job in made) == ["Field · Demo Imagery · 2023-07", "Field · Demo Imagery · 2024-07"]


def test_a_search_without_dates_is_not_repeated(content):
    stored = next(w for w in content.model.catalogue.workflows if not w.needs_aoi)
    content.model.set_workflow(stored)
    content.form.quick.repeat_wanted.emit()
    assert content.repeating.dialog is None


def test_where_there_are_windows_the_dates_do_not_say_any_date(content):
    content.model.set_parameters(DATA, {"time": None, "time_series": [Month(2023, 7).text, Month(2024, 7).text]})
    quick = content.form.quick
    assert [edit.isNull() for edit in (quick.fromDate, quick.toDate)] == [True, True]
    assert quick.fromDate.lineEdit().text() == quick.toDate.lineEdit().text() == "2 windows"
    content.model.set_parameters(DATA, {"time_series": None})
    assert quick.fromDate.lineEdit().text() == "any date"
