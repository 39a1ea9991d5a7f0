"""The form's widgets and the request are two views of one value: edit either, the other follows, the cursor stays."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qgis.PyQt.QtCore import QDate, Qt
from qgis.PyQt.QtTest import QTest

from up42_jobs.plugin.desktop.job_type_box import JobTypeBox
from up42_jobs.plugin.desktop.json_editor import replace_text
from up42_jobs.plugin.desktop.parameters_box import ParametersBox
from up42_jobs.plugin.desktop.quick_controls import QuickControls
from up42_jobs.plugin.desktop.request_model import RequestModel
from up42_jobs.plugin.jobs.job import JobType

from .conftest import SQUARE

DATA = "scenes:1"


@pytest.fixture
def model(qgis_app, free_catalogue) -> RequestModel:
    model = RequestModel()
    return model


def begin(model, catalogue):
    model.set_catalogue(catalogue)
    model.set_aoi(SQUARE)


@pytest.fixture
def quick(model, qtbot, free_catalogue):
    quick = QuickControls(model)
    qtbot.addWidget(quick)
    begin(model, free_catalogue)
    quick.show()
    return quick


@pytest.fixture
def parameters(model, qtbot, free_catalogue):
    box = ParametersBox(model)
    qtbot.addWidget(box)
    begin(model, free_catalogue)
    box.resize(500, 600)
    box.show()
    box.setCollapsed(False)
    qtbot.waitExposed(box)
    return box


def given_value(model, name):
    return model.request.parameters[DATA][name]


def test_quick_controls_show_and_set_the_parameters(quick, model):
    assert (quick.limitSpin.value(), quick.cloudSpin.value()) == (1, 100)
    assert quick.fromDate.date() == QDate(2024, 1, 1)
    assert quick.toDate.date() == QDate(2024, 12, 31)
    quick.limitSpin.setValue(4)
    quick.cloudSpin.setValue(30)
    quick.fromDate.setDate(QDate(2024, 3, 5))
    assert json.loads(model.text)[DATA] == {
        "ids": None,
        "time": "2024-03-05T00:00:00Z/2024-12-31T23:59:59Z",
        "limit": 4,
        "max_cloud_cover": 30,
    }
    model.set_text(model.text.replace('"limit": 4', '"limit": 6').replace("2024-03-05", "2023-02-01"))
    assert quick.limitSpin.value() == 6
    assert quick.fromDate.date() == QDate(2023, 2, 1)


def test_dates_never_cross_and_none_is_any_date(quick, model):
    quick.fromDate.setDate(QDate(2025, 6, 1))
    assert given_value(model, "time") == "2025-06-01T00:00:00Z/2025-06-01T23:59:59Z"
    quick.toDate.setDate(QDate(2020, 6, 1))
    assert given_value(model, "time") == "2020-06-01T00:00:00Z/2020-06-01T23:59:59Z"
    quick.datesButton.menu().aboutToShow.emit()
    next(a for a in quick.datesButton.menu().actions() if a.text() == "Any Date").trigger()
    assert given_value(model, "time") is None
    for edit in (quick.fromDate, quick.toDate):
        assert edit.isNull()
        assert edit.text() == "any date"
    quick.toDate.setDate(QDate(2022, 6, 1))
    assert given_value(model, "time") == "2021-06-01T00:00:00Z/2022-06-01T23:59:59Z"
    next(a for a in quick.datesButton.menu().actions() if a.text() == "Default Dates").trigger()
    assert given_value(model, "time") == "2024-01-01T00:00:00Z/2024-12-31T23:59:59Z"


@pytest.mark.parametrize("value", [0, 9999, None, "many", 2.5, True, [1]])
def test_showing_any_value_never_changes_it(quick, model, value):
    model.set_text(model.text.replace('"limit": 1', f'"limit": {json.dumps(value)}'))
    assert given_value(model, "limit") == value
    assert type(given_value(model, "limit")) is type(value)
    if type(value) is int:
        assert quick.limitSpin.value() == value
    elif value is not None:
        assert not quick.limitSpin.isEnabled()


def test_quick_controls_wait_while_the_text_can_not_be_read(quick, model):
    model.set_text(model.text[:-1])
    assert not quick.isEnabled()
    model.set_text(model.text + "}")
    assert quick.isEnabled()


def test_quick_controls_are_those_that_the_block_has(quick, model, free_catalogue):
    assert not quick.limitSpin.isHidden()
    model.set_workflow(None)
    assert quick.isHidden()


def test_typing_in_the_editor_keeps_cursor_and_letters(parameters, model, qtbot):
    editor = parameters.parametersEditor
    line = next(n for n in range(editor.lines()) if '"limit"' in editor.text(n))
    editor.setCursorPosition(line, editor.text(line).index("1"))
    editor.setFocus()
    QTest.keyClick(editor, Qt.Key.Key_Delete)
    QTest.keyClicks(editor, "17")
    assert editor.getCursorPosition() == (line, editor.text(line).index("17") + 2)
    assert given_value(model, "limit") == 17
    assert model.text == editor.text()


def test_a_control_changes_the_text_without_moving_the_cursor(parameters, model):
    editor = parameters.parametersEditor
    line = next(n for n in range(editor.lines()) if '"max_cloud_cover"' in editor.text(n))
    editor.setCursorPosition(line, 9)
    seen = []
    model.changed.connect(lambda: seen.append(model.text))
    model.set_parameter(DATA, "limit", 12)
    assert editor.text() == model.text
    assert editor.getCursorPosition() == (line, 9)
    assert seen == [model.text]  # one change, and none to a text in between
    editor.undo()
    assert given_value(model, "limit") == 1


def test_mistakes_are_marked_and_listed_and_lead_to_their_place(parameters, model):
    editor = parameters.parametersEditor
    model.set_text(model.text.replace('"limit": 1', '"limit": 0').replace('"medium"', '"much"'))
    lines = [n for n in range(editor.lines()) if '"limit"' in editor.text(n) or '"much"' in editor.text(n)]
    assert [n for n in range(editor.lines()) if editor.markersAtLine(n)] == lines
    assert parameters.parameterProblems.count() == 2
    assert "2" in parameters.title()
    parameters._go_to_item(parameters.parameterProblems.item(1))
    assert editor.getCursorPosition()[0] == lines[1]
    model.reset_parameters()
    assert not [n for n in range(editor.lines()) if editor.markersAtLine(n)]
    assert parameters.parameterProblems.isHidden()


TEXTS = st.text(alphabet='{}":,ab é“𝄞\n', max_size=30)


@given(TEXTS, TEXTS)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_replacing_text_gives_exactly_the_new_text(parameters, before, after):
    editor = parameters.parametersEditor
    editor.setText(before)
    replace_text(editor, after)
    assert editor.text() == after


def test_job_type_says_why_a_test_query_is_not_to_be_had(model, qtbot, free_catalogue):
    box = JobTypeBox(model)
    qtbot.addWidget(box)
    begin(model, free_catalogue)
    assert box.liveJobRadio.isChecked()
    box.testQueryRadio.click()
    assert model.request.job_type is JobType.TEST_QUERY
    model.set_workflow(free_catalogue.workflows[2])
    assert not box.testQueryRadio.isEnabled()
    assert box.liveJobRadio.isChecked()
    assert free_catalogue.workflows[2].tasks[0].block.display_name in box.testQueryHint.text()
