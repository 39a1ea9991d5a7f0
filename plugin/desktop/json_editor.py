"""What the JSON editor does beyond QGIS's: takes a text without moving the cursor, marks problems at their place."""

from __future__ import annotations

from qgis.gui import QgsCodeEditor, QgsCodeEditorColorScheme, QgsCodeEditorJson
from qgis.PyQt.Qsci import QsciScintilla

from ..jobs.problem import Problem
from .ui_files import as_int, theme_icon

MARKER = 6
MARGIN = as_int(QgsCodeEditor.MarginRole.ErrorIndicators)


class JsonMarks:
    """Puts marks on an editor: a wavy line under the place, and a sign beside the line."""

    def __init__(self, editor: QgsCodeEditorJson) -> None:
        self._editor = editor
        editor.setEolMode(QsciScintilla.EolMode.EolUnix)
        editor.setIndentationsUseTabs(False)
        editor.setTabWidth(2)
        editor.setAutoIndent(True)
        editor.setFoldingVisible(True)
        editor.setLineNumbersVisible(True)
        self._wave = editor.indicatorDefine(QsciScintilla.IndicatorStyle.SquiggleIndicator)
        editor.setIndicatorForegroundColor(
            editor.lexerColor(QgsCodeEditorColorScheme.ColorRole.Error), self._wave
        )
        editor.setMarginType(MARGIN, QsciScintilla.MarginType.SymbolMargin)
        editor.setMarginMarkerMask(MARGIN, 1 << MARKER)
        editor.markerDefine(theme_icon("mIconWarning").pixmap(14, 14), MARKER)

    def show(self, problems: list[Problem]) -> None:
        """Mark these problems and no others."""
        editor = self._editor
        last = max(editor.lines() - 1, 0)
        editor.clearIndicatorRange(0, 0, last, editor.lineLength(last), self._wave)
        editor.markerDeleteAll(MARKER)
        placed = [problem for problem in problems if problem.line is not None]
        editor.setMarginWidth(MARGIN, 18 if placed else 0)
        for problem in placed:
            line = min((problem.line or 1) - 1, last)
            start, end = self._span(line, (problem.column or 1) - 1)
            editor.fillIndicatorRange(line, start, line, end, self._wave)
            editor.markerAdd(line, MARKER)

    def _span(self, line: int, column: int) -> tuple[int, int]:
        """From the place to the end of what is written on its line; at least one character where there is one."""
        text = self._editor.text(line).rstrip()
        end = len(text[:-1]) if text.endswith(",") and column < len(text) - 1 else len(text)
        start = min(column, max(end - 1, 0))
        return start, max(end, start)


def replace_text(editor: QsciScintilla, text: str) -> None:
    """Make `text` the editor's text by changing only what differs: cursor, scroll position and undo stay."""
    before = editor.text()
    if before == text:
        return
    head = _common_length(before, text)
    tail = min(_common_length(before[::-1], text[::-1]), len(before) - head, len(text) - head)
    start = len(before[:head].encode())
    end = len(before[: len(before) - tail].encode())
    editor.SendScintilla(QsciScintilla.SCI_SETTARGETSTART, start)
    editor.SendScintilla(QsciScintilla.SCI_SETTARGETEND, end)
    middle = text[head : len(text) - tail].encode()
    editor.SendScintilla(QsciScintilla.SCI_REPLACETARGET, len(middle), middle)


def _common_length(a: str, b: str) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
