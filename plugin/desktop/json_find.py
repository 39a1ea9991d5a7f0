"""Ctrl+F in the JSON editor: a bar that finds, forward and back, with keys alone."""

from __future__ import annotations

import re
from typing import Optional

from qgis.PyQt.Qsci import QsciScintilla
from qgis.PyQt.QtCore import QEvent, QObject, Qt
from qgis.PyQt.QtGui import QKeyEvent, QKeySequence
from qgis.PyQt.QtWidgets import QWidget

from ..jobs.json_text import line_and_column
from .json_editor import offset_of
from .ui_files import set_up, theme_icon


class FindBar(QWidget):
    """Hidden until it is wanted; Enter finds the next one, Shift+Enter the one before, Esc goes back to the text."""

    def __init__(self, editor: QsciScintilla, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "json_find")
        self._editor = editor
        self.findPreviousButton.setIcon(theme_icon("mActionArrowUp"))
        self.findNextButton.setIcon(theme_icon("mActionArrowDown"))
        self.findCloseButton.setIcon(theme_icon("mIconClose"))
        self.findText.textChanged.connect(lambda _text: self._find(forward=True, here=True))
        self.findNextButton.clicked.connect(lambda: self._find(forward=True))
        self.findPreviousButton.clicked.connect(lambda: self._find(forward=False))
        self.findCloseButton.clicked.connect(self.close_bar)
        editor.installEventFilter(self)
        self.findText.installEventFilter(self)
        self.hide()

    def open_bar(self) -> None:
        """Show it, with what is selected in the text."""
        selected = self._editor.selectedText()
        self.show()
        self.findText.setFocus()
        if selected and "\n" not in selected:
            self.findText.setText(selected)
        self.findText.selectAll()
        self._find(forward=True, here=True)

    def close_bar(self) -> None:
        """Hide it and go back to the text."""
        self.hide()
        self._editor.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys come as shortcut-override first: accepted there, QGIS's own shortcut of the same keys waits."""
        if event.type() not in (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride):
            return False
        step = self._step(watched, event)
        if step is None:
            return False
        event.accept()
        if event.type() == QEvent.Type.KeyPress:
            step()
        return True

    def _step(self, watched: QObject, event: QKeyEvent):
        if event.matches(QKeySequence.StandardKey.Find):
            return self.open_bar
        if event.key() == Qt.Key.Key_Escape and self.isVisible():
            return self.close_bar
        if watched is self.findText and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            return lambda: self._find(forward=not back)
        return None

    def _find(self, forward: bool, here: bool = False) -> None:
        wanted, text = self.findText.text(), self._editor.text()
        found = [m.span() for m in re.finditer(re.escape(wanted), text, re.IGNORECASE)] if wanted else []
        if not found:
            self.findCount.setText(self.tr("not found") if wanted else "")
            return
        line, column, end_line, end_column = self._editor.getSelection()
        if line < 0:
            line, column = end_line, end_column = self._editor.getCursorPosition()
        start, end = offset_of(text, line + 1, column + 1), offset_of(text, end_line + 1, end_column + 1)
        if forward:
            index = next((i for i, (at, _) in enumerate(found) if at >= (start if here else end)), 0)
        else:
            index = next((i for i in reversed(range(len(found))) if found[i][1] <= start), len(found) - 1)
        self._select(text, *found[index])
        self.findCount.setText(self.tr("{n} of {all}").format(n=index + 1, all=len(found)))

    def _select(self, text: str, start: int, end: int) -> None:
        line, column = line_and_column(text, start)
        end_line, end_column = line_and_column(text, end)
        self._editor.ensureLineVisible(line - 1)
        self._editor.setSelection(line - 1, column - 1, end_line - 1, end_column - 1)
