"""JSON and form through their widgets: edit either, the other follows; no keystroke is lost; menu, files, templates."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qgis.core import QgsSettings
from qgis.PyQt.QtCore import QDate, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QLineEdit, QWidget
from shapely.geometry import Point

from up42_jobs.plugin.desktop.parameters_box import ParametersBox
from up42_jobs.plugin.desktop.parameters_editors import Dates, SeveralChoices, YesNo
from up42_jobs.plugin.desktop.parameters_menu import ParametersMenu
from up42_jobs.plugin.desktop.parameters_text_editors import JsonArea, JsonLine, Lines
from up42_jobs.plugin.desktop.quick_controls import QuickControls
from up42_jobs.plugin.desktop.request_model import RequestModel
from up42_jobs.plugin.host.parameter_files import ParameterFiles
from up42_jobs.plugin.host.parameter_shelf import ParameterShelf
from up42_jobs.plugin.host.settings import Settings
from up42_jobs.plugin.host.work import Works
from up42_jobs.plugin.jobs import json_text
from up42_jobs.plugin.jobs.aoi import Aoi, GeometricFilter
from up42_jobs.plugin.jobs.job import JobType
from up42_jobs.plugin.jobs.workflow import Parameter

from .conftest import DATA_PARAMETERS, SQUARE, block, workflow

DATA, RADAR = "scenes:1", "radar:1"
SERIES = Parameter("time_series", "array", None, True, description="Several ranges in place of time")
RADAR_PARAMETERS = (
    Parameter("mask", "array", None, True, choices=("land", "sea")),
    Parameter("speckle", "boolean", True, True),
    Parameter("clip", "boolean", None, True),
    Parameter("prefix", "string", "", True, description="The beginning of the names"),
    Parameter("note", "string"),
    Parameter("factor", "number", 1, True, minimum=0, maximum=10),
    Parameter("weights", "array", None, True),
    Parameter("method", "string", "SFIM", True, choices=("SFIM", "Esri", "Brovey")),
)


@pytest.fixture
def catalogue(free_catalogue):
    scenes = block("scenes", *DATA_PARAMETERS, SERIES, is_data=True)
    return replace(
        free_catalogue,
        workflows=[workflow("Radar", scenes, block("radar", *RADAR_PARAMETERS)), workflow("Plain", scenes)],
    )


@pytest.fixture
def model(qgis_app, catalogue):
    QgsSettings().remove("up42_jobs")
    model = RequestModel()
    yield model
    QgsSettings().remove("up42_jobs")


@pytest.fixture
def box(model, qtbot, catalogue):
    holder = QWidget()
    box = ParametersBox(model, holder)
    qtbot.addWidget(holder)
    model.set_catalogue(catalogue)
    model.set_aoi(SQUARE)
    holder.resize(400, 1600)
    box.resize(400, 1600)
    holder.show()
    box.setCollapsed(False)
    qtbot.waitExposed(holder)
    box.formViewButton.setChecked(True)
    qtbot.waitUntil(lambda: box.form.built)
    yield box
    box.stop()


def row(box, name):
    return next(r for r in box.form.rows if r.parameter.name == name)


def value(model, name, task=RADAR):
    return model.request.parameters[task][name]


def shown(row):
    """What a person reads in the row's widget, as a value; None where it is not set."""
    editor = row.shown
    if isinstance(editor, (JsonLine, JsonArea)):
        text = editor.field.text() if isinstance(editor, JsonLine) else editor.field.toPlainText()
        return json.loads(text) if text.strip() else None
    if isinstance(editor, Lines):
        return editor._read() or None
    if isinstance(editor, SeveralChoices):
        return editor._read() or None
    if isinstance(editor, YesNo):
        return {Qt.CheckState.Checked: True, Qt.CheckState.Unchecked: False}.get(editor.field.checkState())
    if isinstance(editor, Dates):
        return "dates"
    if isinstance(editor.field, QLineEdit):
        return None if editor.field.placeholderText() == "not set" and not editor.field.text() else editor.field.text()
    return editor._values[editor.field.currentIndex()]


def test_each_parameter_has_a_row_with_its_widget_and_its_help(box, model):
    assert [group.title() for group in box.form.groups] == ["Scenes", "Radar"]
    kinds = {r.parameter.name: type(r.main).__name__ for r in box.form.rows}
    assert kinds == {
        "ids": "Lines", "time": "Dates", "limit": "JsonLine", "max_cloud_cover": "JsonLine", "time_series": "Lines",
        "mask": "SeveralChoices", "speckle": "YesNo", "clip": "YesNo", "prefix": "TextLine", "note": "TextLine",
        "factor": "JsonLine", "weights": "JsonArea", "method": "Choice",
    }  # fmt: skip
    assert "1–500" in row(box, "limit").main.accessibleDescription()


def test_the_form_changes_the_json_and_the_json_the_form(box, model):
    limit = row(box, "limit")
    limit.main.field.setFocus()
    limit.main.field.selectAll()
    QTest.keyClicks(limit.main.field, "42")
    assert value(model, "limit", DATA) == 42
    assert '"limit": 42' in box.parametersEditor.text()
    QTest.keyClick(limit.main.field, Qt.Key.Key_Up)
    assert value(model, "limit", DATA) == 43
    row(box, "mask").main.boxes[1].click()
    assert value(model, "mask") == ["sea"]
    row(box, "speckle").main.field.click()
    assert value(model, "speckle") is False
    clip = row(box, "clip").main.field
    assert clip.checkState() == Qt.CheckState.PartiallyChecked
    clip.click()
    assert value(model, "clip") is True
    row(box, "method").main.field.activated.emit(2)
    assert value(model, "method") == "Brovey"
    model.set_text(model.text.replace("43", "44").replace('"Brovey"', '"Esri"'))
    assert limit.main.field.text() == "44"
    assert row(box, "method").main.field.currentText() == "Esri"


def test_what_is_no_value_yet_stays_in_the_field_and_nothing_can_be_sent(box, model):
    factor = row(box, "factor")
    factor.main.field.setFocus()
    factor.main.field.selectAll()
    QTest.keyClicks(factor.main.field, "2.")
    assert factor.main.field.text() == "2."
    assert [p.code for p in model.problems] == ["value_unfinished"]
    assert factor.problem.isVisible()
    assert value(model, "factor") == 2  # what could be read last
    QTest.keyClicks(factor.main.field, "50")
    assert factor.main.field.text() == "2.50"  # not rewritten as 2.5
    assert value(model, "factor") == 2.5
    assert model.ready
    QTest.keyClicks(factor.main.field, "e9")
    assert [p.code for p in model.problems] == ["parameter_large"]
    factor.reset_button.click()
    assert factor.main.field.text() == "1"
    assert not factor.reset_button.isEnabled()


def test_a_value_that_fits_no_widget_is_edited_as_json(box, model):
    model.set_text(model.text.replace('"speckle": true', '"speckle": "maybe"'))
    speckle = row(box, "speckle")
    assert isinstance(speckle.shown, JsonArea)
    assert not speckle.main.isVisible()
    assert speckle.problem.isVisible()
    speckle.shown.field.setFocus()
    speckle.shown.field.selectAll()
    QTest.keyClicks(speckle.shown.field, "false")
    assert value(model, "speckle") is False
    row(box, "prefix").main.field.setFocus()
    model.changed.emit()
    assert speckle.shown is speckle.main


def test_lists_one_a_line_and_null_when_empty(box, model):
    ids = row(box, "ids").main.field
    ids.setFocus()
    QTest.keyClicks(ids, "S2A")
    QTest.keyClick(ids, Qt.Key.Key_Return)
    QTest.keyClicks(ids, "S2B ")
    assert value(model, "ids", DATA) == ["S2A", "S2B"]
    assert ids.toPlainText() == "S2A\nS2B "
    ids.selectAll()
    QTest.keyClick(ids, Qt.Key.Key_Delete)
    assert value(model, "ids", DATA) is None


def test_text_null_and_empty_text_are_told_apart(box, model):
    prefix, note = row(box, "prefix").main.field, row(box, "note").main.field
    assert (prefix.placeholderText(), note.placeholderText()) == ("empty", "not set")
    QTest.keyClicks(prefix, "a")
    QTest.keyClicks(note, "b")
    for field in (prefix, note):
        QTest.keyClick(field, Qt.Key.Key_Backspace)
    assert (value(model, "prefix"), value(model, "note")) == ("", None)
    row(box, "note").reset_button.click()
    assert "note" not in model.request.parameters[RADAR]


def test_while_the_json_can_not_be_read_the_form_says_so_and_is_off(box, model):
    model.set_text(model.text[:-1])
    assert box.form.unreadable.isVisible()
    assert not row(box, "limit").main.field.isEnabled()
    box.form.unreadable.showProblemButton.click()
    assert box.jsonPage.isVisible()
    assert box.parametersEditor.hasFocus() or not box.window().isActiveWindow()
    model.set_text(model.text + "}")
    box.formViewButton.setChecked(True)
    assert not box.form.unreadable.isVisible()
    assert row(box, "limit").main.field.isEnabled()


def test_a_form_edit_is_one_step_of_undo_in_the_json(box, model):
    before = box.parametersEditor.text()
    model.set_parameter(DATA, "limit", 7)
    model.set_parameter(RADAR, "factor", 3)
    box.parametersEditor.undo()
    assert value(model, "limit", DATA) == 7
    assert row(box, "factor").main.field.text() == "1"
    box.parametersEditor.undo()
    assert box.parametersEditor.text() == model.text == before
    model.set_workflow(model.catalogue.workflows[1])
    box.parametersEditor.undo()
    assert set(json.loads(model.text)) == {DATA}  # another workflow's texts don't come back


def test_unfolding_shows_one_view_and_not_both(box, model):
    for view, page, other in (("jsonViewButton", box.jsonPage, box.form), ("formViewButton", box.form, box.jsonPage)):
        getattr(box, view).setChecked(True)
        box.setCollapsed(True)
        box.setCollapsed(False)
        assert not page.isHidden()
        assert other.isHidden()
        assert box.parameterProblems.isHidden()


def test_another_workflow_has_another_form(box, model, qtbot, catalogue):
    model.set_workflow(catalogue.workflows[1])
    qtbot.waitUntil(lambda: box.form.built)
    assert {r.task for r in box.form.rows} == {DATA}


def test_a_problem_leads_to_its_field_or_to_the_json(box, model):
    model.set_text(model.text.replace('"factor": 1', '"factor": 99, "wild": 1'))
    problems = {p.code: p for p in model.problems}
    box.go_to(problems["parameter_large"])
    assert box.form.isVisible()
    box.go_to(problems["parameter_unknown"])
    assert box.jsonPage.isVisible()
    line = box.parametersEditor.getCursorPosition()[0]
    assert '"wild"' in box.parametersEditor.text(line)


def test_problems_are_told_under_the_pointer_and_the_help_where_nothing_is_wrong(box, model):
    box.jsonViewButton.setChecked(True)
    model.set_text(model.text.replace('"limit": 1', '"limit": 0'))
    (problem,) = model.problems
    words = box._marks.words_at(problem.line, problem.column)
    assert "at least 1" in words
    assert box._marks.words_at(problem.line, None) == words
    assert box._marks.words_at(problem.line, 1) == ""
    box.parametersEditor.setCursorPosition(problem.line - 1, 6)
    model.changed.emit()  # the editor itself tells of its cursor when it is drawn
    assert "Whole number" in box.parametersHint.text()


def test_find_goes_on_and_back_and_escape_returns(box, model):
    box.jsonViewButton.setChecked(True)
    editor, bar = box.parametersEditor, box.find_bar
    QTest.keyClick(editor, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert bar.isVisible()
    QTest.keyClicks(bar.findText, "TIME")
    assert editor.selectedText() == "time"
    assert bar.findCount.text() == "1 of 2"
    QTest.keyClick(bar.findText, Qt.Key.Key_Return)
    assert bar.findCount.text() == "2 of 2"
    QTest.keyClick(bar.findText, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert bar.findCount.text() == "1 of 2"
    QTest.keyClicks(bar.findText, "x")
    assert bar.findCount.text() == "not found"
    QTest.keyClick(bar.findText, Qt.Key.Key_Escape)
    assert bar.isHidden()


def test_presets_take_one_range_or_several_never_both(model, qtbot, catalogue):
    quick = QuickControls(model)
    qtbot.addWidget(quick)
    model.set_catalogue(catalogue)
    menu = quick.datesButton.menu()
    menu.aboutToShow.emit()
    past, monthly = (a.menu() for a in menu.actions() if a.menu())
    monthly.actions()[0].trigger()
    assert len(value(model, "time_series", DATA)) == 4
    assert "(4 Windows)" in monthly.actions()[0].text()
    past.actions()[-1].trigger()
    assert value(model, "time", DATA) is None
    assert len(value(model, "time_series", DATA)) == 6
    past.actions()[0].trigger()
    assert value(model, "time_series", DATA) is None
    assert value(model, "time", DATA).startswith(str(QDate.currentDate().year() - 1))
    QTest.keyClicks(quick.idsEdit, "a, b,")
    assert value(model, "ids", DATA) == ["a", "b"]
    assert quick.idsEdit.text() == "a, b,"


@pytest.fixture
def menu(box, model, qtbot):
    works = Works()
    menu = ParametersMenu(model, ParameterShelf(Settings()), ParameterFiles(works), box.find, box)
    menu.told = []
    menu.tell = lambda level, text: menu.told.append((level, text))
    yield menu
    works.stop()


def actions(menu):
    """All that can be chosen, by its words."""
    return {a.text(): a for top in menu.actions() for a in (top.menu().actions() if top.menu() else [top]) if a.text()}


def test_templates_are_kept_for_their_workflow_and_favourites_stand_on_top(menu, model, catalogue):
    model.set_parameter(DATA, "limit", 9)
    menu.save_as("Nine & more")
    kept = model.text
    model.reset_parameters()
    menu._shelf.set_favourite(menu._shelf.templates(menu._tasks)[0], True)
    menu.fill()
    assert menu.menu.actions()[0].text() == "★ Nine && more"
    menu.menu.actions()[0].trigger()
    assert model.text == kept
    (template,) = menu._shelf.templates(menu._tasks)
    assert menu._shelf.rename(template, "Nine")
    assert not menu._shelf.rename(replace(template, name="Nine"), " ")
    model.set_workflow(catalogue.workflows[1])
    menu.fill()
    assert not [text for text in actions(menu.menu) if "Nine" in text]
    model.set_workflow(catalogue.workflows[0])
    menu._shelf.delete(menu._shelf.templates(menu._tasks)[0])
    assert not menu._shelf.templates(menu._tasks)


def test_the_last_twenty_requests_are_kept_each_once(menu, model, catalogue):
    for limit in [*range(1, 26), 25]:
        model.set_parameter(DATA, "limit", limit)
        menu._shelf.remember(model.request.named(f"Job {limit}"), model.text, "2026-01-02T03:04:05+00:00")
    assert [kept.name for kept in menu._shelf.recent()] == [f"Job {n}" for n in range(25, 5, -1)]
    model.set_workflow(catalogue.workflows[1])
    aoi = model.request.aoi
    menu.fill()
    next(a for text, a in actions(menu.menu).items() if text.startswith("Job 7 (")).trigger()
    assert model.workflow.name == "Radar"
    assert value(model, "limit", DATA) == 7
    assert model.request.aoi is aoi


def test_a_recent_request_comes_back_as_it_was_sent_and_that_is_told(menu, model, catalogue):
    model.set_aoi(SQUARE.named("Field 7"))
    model.set_filter(GeometricFilter.CONTAINS)
    model.set_job_type(JobType.TEST_QUERY)
    model.set_parameter(DATA, "limit", 7)
    sent = model.request
    menu._shelf.remember(sent.named("Field 7 again"), model.text, "2026-01-02T03:04:05+00:00")
    model.set_aoi(None)
    menu._shelf.remember(model.request.named("No AOI"), model.text, "2026-01-02T03:04:06+00:00")
    model.set_workflow(catalogue.workflows[1])
    model.set_job_type(JobType.LIVE_JOB)
    model.set_filter(GeometricFilter.INTERSECTS)
    menu.fill()
    next(a for text, a in actions(menu.menu).items() if text.startswith("Field 7 again (")).trigger()
    assert model.request.fingerprint == sent.fingerprint
    assert model.request.aoi.name == "Field 7"
    assert menu.told == [("info", "“Field 7 again” is in the form again as it was sent, with its AOI “Field 7”.")]


def test_a_large_aoi_is_not_kept_with_its_request_and_that_is_told(menu, model):
    large = Aoi(Point(13.4, 52.5).buffer(0.01, 250), "Round")
    model.set_aoi(large)
    menu._shelf.remember(model.request.named("Round"), model.text, "2026-01-02T03:04:05+00:00")
    model.set_aoi(SQUARE)
    menu.fill()
    next(a for text, a in actions(menu.menu).items() if text.startswith("Round (")).trigger()
    assert model.request.aoi == SQUARE
    assert "still the present one" in menu.told[-1][1]


def test_what_an_older_version_kept_is_still_read(menu):
    old = {"name": "Old", "workflow": "Radar", "tasks": [DATA], "text": "{}"}
    Settings().recent_requests = json.dumps([old, {**old, "aoi": 3}])
    (kept,) = menu._shelf.recent()
    assert (kept.name, kept.job_type, kept.aoi) == ("Old", "", None)


@pytest.mark.parametrize("text", ["[", '"x"', '[1, {"tasks": 3}]', '[{"tasks": [], "name": 1}]'])
def test_a_shelf_that_can_not_be_read_is_an_empty_one(menu, text):
    Settings().parameter_templates = text
    Settings().recent_requests = text
    assert menu._shelf.recent() == []
    assert menu._shelf.templates(menu._tasks) == []


def test_files_are_saved_and_loaded_as_they_are(menu, model, qtbot, tmp_path):
    path = tmp_path / "é.json"
    model.set_parameter(DATA, "limit", 5)
    text = model.text
    menu.save(path)
    qtbot.waitUntil(lambda: bool(menu.told))
    assert menu.told.pop()[0] == "success"
    assert list(tmp_path.iterdir()) == [path]
    model.reset_parameters()
    menu.load(path)
    qtbot.waitUntil(lambda: model.text == text + "\n")
    path.write_bytes(b'\xef\xbb\xbf{"scenes:1": {"limit": 3,}}\r\n')
    menu.load(path)
    qtbot.waitUntil(lambda: model.text == '{"scenes:1": {"limit": 3,}}\n')  # with its mistake: it is marked
    assert not model.ready
    path.write_text(json.dumps({"request": {"parameters": {"scenes:1": {"limit": 8}}}}))
    menu.load(path)
    qtbot.waitUntil(lambda: model.request.parameters == {"scenes:1": {"limit": 8}})
    for data in (b"\xff\xfe\x00", b"\0", b" " * 300_000):
        path.write_bytes(data)
        menu.load(path)
        qtbot.waitUntil(lambda: bool(menu.told))
        level, words = menu.told.pop()
        assert level == "warning"
        assert "é.json" in words
    menu.save(tmp_path / "missing" / "x.json")
    qtbot.waitUntil(lambda: bool(menu.told))
    assert menu.told.pop()[0] == "warning"


WRITTEN = st.text(alphabet='{}[]",: 0123.-eab', max_size=4)
FIELDS = ["ids", "limit", "max_cloud_cover", "time_series", "prefix", "note", "factor", "weights"]
STEPS = st.one_of(
    st.tuples(st.just("field"), st.sampled_from(FIELDS), WRITTEN),
    st.tuples(st.just("editor"), st.integers(0, 400), WRITTEN),
    st.tuples(st.just("delete"), st.integers(0, 400), st.integers(1, 6)),
    st.tuples(st.just("tick"), st.sampled_from(["mask", "speckle", "clip"]), st.none()),
    st.tuples(st.just("reset"), st.sampled_from(FIELDS), st.none()),
    st.tuples(st.just("undo"), st.none(), st.none()),
    st.tuples(st.just("all"), st.none(), st.none()),
)


def step(box, model, kind, a, b):
    """One thing that a person does, with real keys and clicks; and that what was typed is there."""
    editor = box.parametersEditor
    if kind == "field":
        field = row(box, a).shown.field
        field.setFocus()
        is_line = isinstance(field, QLineEdit)
        if not is_line and not field.isVisible():
            return
        before = field.text() if is_line else field.toPlainText()
        at = field.cursorPosition() if is_line else field.textCursor().position()
        chosen = field.hasSelectedText() if is_line else field.textCursor().hasSelection()
        enabled = field.isEnabled()
        QTest.keyClicks(field, b)
        after = field.text() if is_line else field.toPlainText()
        if row(box, a).shown.isAncestorOf(field) and enabled and not chosen:
            assert after == before[:at] + b + before[at:]
        elif not enabled:
            assert after == before
    elif kind in ("editor", "delete"):
        text = editor.text()
        at = min(a, len(text))
        line, column = json_text.line_and_column(text, at)
        editor.setCursorPosition(line - 1, column - 1)
        if kind == "editor":
            editor.insert(b)
            assert editor.text() == text[:at] + b + text[at:]
        else:
            for _ in range(b):
                QTest.keyClick(editor, Qt.Key.Key_Delete)
            assert editor.text() == text[:at] + text[at + b :]
    elif kind == "tick":
        main = row(box, a).main
        widget = main.boxes[0] if isinstance(main, SeveralChoices) else main.field
        if widget.isVisible():
            QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
    elif kind == "reset":
        row(box, a).reset_button.click()
    elif kind == "undo":
        editor.undo()
    else:
        box.resetParametersButton.click()


@given(st.lists(STEPS, max_size=10))
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_after_any_hands_on_either_view_both_say_the_same_or_the_text_is_marked(box, model, steps):
    model.reset_parameters()
    for kind, a, b in steps:
        step(box, model, kind, a, b)
        assert box.parametersEditor.text() == model.text
        if not model.parameters_readable:
            assert not model.ready
            assert box.form.unreadable.isVisible()
            continue
        assert json_text.same(json.loads(model.text), model.request.parameters)
        for one in box.form.rows:
            path = (one.task, one.parameter.name)
            if path in model.views.drafts:
                assert not model.ready
            elif not isinstance(one.shown, Dates):
                given_value = model.request.parameters.get(one.task, {}).get(one.parameter.name)
                read = shown(one)
                if isinstance(one.shown, SeveralChoices):
                    read, given_value = sorted(read or []), sorted(given_value or [])
                assert json_text.same(read, given_value)


def test_being_led_to_a_problem_shows_one_view_and_not_both(box, model):
    box.setCollapsed(False)
    box.formViewButton.setChecked(False)
    box.jsonViewButton.setChecked(True)
    model.set_text(model.text.replace('"limit": 1', '"limit": 0'))
    box.go_to(next(problem for problem in model.problems if problem.where == "parameters"))
    assert box.jsonPage.isVisible() and not box.form.isVisible()
    box.formViewButton.setChecked(True)
    box.go_to(model.problems[0])
    assert box.form.isVisible() and not box.jsonPage.isVisible()
