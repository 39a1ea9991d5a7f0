"""What the JSON editor does beyond QGIS's: takes a text without moving the cursor, marks problems at their place."""

from __future__ import annotations

import html
from typing import Callable, Optional

from qgis.gui import QgsCodeEditor, QgsCodeEditorColorScheme, QgsCodeEditorJson
from qgis.PyQt.Qsci import QsciScintilla
from qgis.PyQt.QtCore import QObject, QPoint
from qgis.PyQt.QtWidgets import QToolTip

from ..jobs.problem import Problem
from .ui_files import as_int, theme_icon

MARKER = 6
MARGIN = as_int(QgsCodeEditor.MarginRole.ErrorIndicators)
HOVER_MS = 400


def prepare(editor: QgsCodeEditorJson) -> None:
    """Long lines go on below: there is no scrolling sideways. Brackets are matched, objects can be folded."""
    editor.setEolMode(QsciScintilla.EolMode.EolUnix)
    editor.setIndentationsUseTabs(False)
    editor.setTabWidth(2)
    editor.setAutoIndent(True)
    editor.setFoldingVisible(True)
    editor.setLineNumbersVisible(True)
    editor.setBraceMatching(QsciScintilla.BraceMatch.SloppyBraceMatch)
    editor.setWrapMode(QsciScintilla.WrapMode.WrapCharacter)
    editor.setWrapIndentMode(QsciScintilla.WrapIndentMode.WrapIndentIndented)


class JsonMarks(QObject):
    """Puts marks on an editor: a wavy line under the place, a sign beside the line, the words under the pointer."""

    def __init__(self, editor: QgsCodeEditorJson, words: Callable[[Problem], str]) -> None:
        super().__init__(editor)
        self._editor, self._words = editor, words
        self._problems: list[Problem] = []
        self._wave = editor.indicatorDefine(QsciScintilla.IndicatorStyle.SquiggleIndicator)
        editor.setIndicatorForegroundColor(
            editor.lexerColor(QgsCodeEditorColorScheme.ColorRole.Error), self._wave
        )
        editor.setMarginType(MARGIN, QsciScintilla.MarginType.SymbolMargin)
        editor.setMarginMarkerMask(MARGIN, 1 << MARKER)
        editor.markerDefine(theme_icon("mIconWarning").pixmap(14, 14), MARKER)
        editor.SendScintilla(QsciScintilla.SCI_SETMOUSEDWELLTIME, HOVER_MS)
        editor.SCN_DWELLSTART.connect(self._hovered)
        editor.SCN_DWELLEND.connect(lambda *_: QToolTip.hideText())

    def show(self, problems: list[Problem]) -> None:
        """Mark these problems and no others."""
        editor = self._editor
        last = max(editor.lines() - 1, 0)
        editor.clearIndicatorRange(0, 0, last, editor.lineLength(last), self._wave)
        editor.markerDeleteAll(MARKER)
        self._problems = [problem for problem in problems if problem.line is not None]
        editor.setMarginWidth(MARGIN, 18 if self._problems else 0)
        text = editor.text()
        for problem in self._problems:
            start, end = span(text, problem)
            editor.SendScintilla(QsciScintilla.SCI_SETINDICATORCURRENT, self._wave)
            first = len(text[:start].encode("utf-8", "surrogatepass"))
            size = len(text[start:end].encode("utf-8", "surrogatepass"))
            editor.SendScintilla(QsciScintilla.SCI_INDICATORFILLRANGE, first, size)
            editor.markerAdd(min((problem.line or 1) - 1, last), MARKER)

    def words_at(self, line: int, column: Optional[int]) -> str:
        """What is wrong at a line and column (from 1; no column: anywhere on the line)."""
        text = self._editor.text()
        found = [p for p in self._problems if p.line == line]
        if column is not None:
            offset = offset_of(text, line, column)
            found = [p for p in self._problems if span(text, p)[0] <= offset <= span(text, p)[1]]
        return "\n".join(self._words(problem) for problem in found)

    def _hovered(self, position: int, x: int, y: int) -> None:
        editor = self._editor
        margins = sum(editor.marginWidth(margin) for margin in range(editor.margins()))
        if x < margins:
            words = self.words_at(editor.lineAt(QPoint(margins + 1, y)) + 1, None)
        elif position >= 0:
            line, index = editor.lineIndexFromPosition(position)
            words = self.words_at(line + 1, index + 1)
        else:
            return
        if words:
            lines = "<br>".join(html.escape(line, quote=False) for line in words.split("\n"))
            QToolTip.showText(editor.mapToGlobal(QPoint(x, y)), f"<p>{lines}</p>", editor)


def offset_of(text: str, line: int, column: int) -> int:
    """The offset of a line and column (from 1) in `text`."""
    lines = text.split("\n")
    return sum(len(before) + 1 for before in lines[: line - 1]) + column - 1


def span(text: str, problem: Problem) -> tuple[int, int]:
    """From where to where a problem is marked: at least one character, where the text has one."""
    start = min(offset_of(text, problem.line or 1, problem.column or 1), len(text))
    end = min(start + max(problem.length, 1), len(text))
    while start and not text[start:end].strip():  # at the end of the text: what stands before it
        start -= 1
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
    middle = text[head : len(text) - tail].encode()
    editor.beginUndoAction()  # one step of undo, apart from what is being typed
    editor.SendScintilla(QsciScintilla.SCI_SETTARGETSTART, start)
    editor.SendScintilla(QsciScintilla.SCI_SETTARGETEND, end)
    editor.SendScintilla(QsciScintilla.SCI_REPLACETARGET, len(middle), middle)
    editor.endUndoAction()


def _common_length(a: str, b: str) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
