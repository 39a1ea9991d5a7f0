"""Parameters in the real QGIS: JSON and form, both ways, with real keys; mistakes are marked, listed and led to."""

from __future__ import annotations

from qgis_desktop import Desktop
from test_desktop_journey import open_dock, tab_to

EDITOR = "form.parameters.parametersEditor"
TEXT = f"{EDITOR}.text()"
LIMIT = "next(r for r in form.parameters.form.rows if r.parameter.name == 'limit')"
DATA = "model.data_task.name"


def unfold(desktop: Desktop) -> None:
    """The dock, with the parameters unfolded."""
    open_dock(desktop)
    desktop.do("dock = plugin._content\nform, model = dock.form, dock.model\n")
    desktop.click("connectionCombo")  # without a window manager, this gives the window the keyboard
    desktop.key("Escape")
    desktop.click("exampleButton")
    desktop.wait("find('runButton').isEnabled()")
    desktop.do("form.parameters.setCollapsed(False)\nform.formScroll.ensureWidgetVisible(form.parameters)")
    desktop.wait("find('parametersEditor') is not None")


def limit_given(desktop: Desktop) -> int:
    return desktop.get(f"model.request.parameters[{DATA}]['limit']")


def test_json_and_form_follow_each_other_by_the_keyboard(desktop: Desktop) -> None:
    unfold(desktop)
    desktop.click("parametersEditor")
    desktop.do(
        f"line = next(n for n in range({EDITOR}.lines()) if '\"limit\"' in {EDITOR}.text(n))\n"
        f"{EDITOR}.setCursorPosition(line, {EDITOR}.text(line).index(','))\n"
    )
    desktop.xdotool("type", "--delay", "15", "2")
    desktop.wait(f"model.request.parameters[{DATA}]['limit'] == 12")
    assert desktop.get(f"list({EDITOR}.getCursorPosition()) == [line, {EDITOR}.text(line).index(',')]")

    desktop.click("formViewButton")
    desktop.wait("form.parameters.form.built and find('parametersEditor') is None")
    assert desktop.get(f"{LIMIT}.main.field.text()") == "12"
    desktop.do(f"limit = {LIMIT}.main.field\nlimit.setFocus()\nform.formScroll.ensureWidgetVisible(limit)")
    desktop.wait("limit.hasFocus()")
    desktop.key("ctrl+a")
    desktop.xdotool("type", "--delay", "15", "9999")
    desktop.wait("'parameter_large' in [p.code for p in model.problems]", 10)
    desktop.wait(f"{LIMIT}.problem.isVisible()")
    assert desktop.get("not find('runButton').isEnabled()")
    desktop.key("BackSpace", "BackSpace", "BackSpace", "Up")
    desktop.wait("model.ready")
    assert limit_given(desktop) == 10
    assert '"limit": 10' in desktop.get(TEXT)

    desktop.click("jsonViewButton")
    desktop.click("parametersEditor")
    desktop.key("ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z")
    desktop.wait(f"model.request.parameters[{DATA}]['limit'] != 10")
    assert desktop.get(TEXT) == desktop.get("model.text")


def test_mistakes_are_marked_listed_and_led_to_and_the_form_waits(desktop: Desktop) -> None:
    unfold(desktop)
    desktop.click("parametersEditor")
    desktop.key("ctrl+a")
    typed = '{"demo-s2-l2a:1": {"limt": 1, "max_cloud_cover": 300, "time": "2024-05-01/2024-04-01"}}'
    desktop.xdotool("type", "--delay", "15", typed)
    desktop.wait(f"{TEXT} == {typed!r}")
    codes = desktop.get("[p.code for p in model.problems]")
    assert codes == ["parameter_unknown_near", "parameter_large", "parameter_dates"]
    assert desktop.get("form.parameters.parameterProblems.count()") == 3
    assert "“limit”" in desktop.get("form.parameters.parameterProblems.item(0).text()")
    assert desktop.get(f"{EDITOR}.markersAtLine(0)")
    desktop.click("showProblemButton")
    assert desktop.get(f"list({EDITOR}.getCursorPosition())") == [0, typed.index('"limt"')]

    desktop.key("ctrl+f")
    desktop.wait("find('findText') is not None and find('findText').hasFocus()")
    desktop.xdotool("type", "--delay", "15", "CLOUD")
    desktop.wait(f"{EDITOR}.selectedText() == 'cloud'")
    desktop.key("Escape", "ctrl+End", "BackSpace")
    desktop.wait("not model.parameters_readable")
    desktop.click("formViewButton")
    desktop.wait("form.parameters.form.unreadable.isVisible()")
    desktop.click("jsonViewButton")
    desktop.click("resetParametersButton")
    desktop.wait("model.ready")


def test_the_form_is_reached_by_tab_alone(desktop: Desktop) -> None:
    unfold(desktop)
    desktop.do("form.parameters.formViewButton.setChecked(True)\nform.parameters.jsonViewButton.setFocus()")
    desktop.wait("form.parameters.form.built")
    tab_to(desktop, "parametersMenuButton")
    for _row in range(3):
        tab_to(desktop, "parameterField")
    tab_to(desktop, "resetParametersButton")
    tab_to(desktop, "runButton")
    assert desktop.get("form.formScroll.horizontalScrollBar().maximum()") == 0
