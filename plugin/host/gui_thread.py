"""What QGIS keeps for its GUI thread, asked for on any other one."""

from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from queue import Empty, SimpleQueue
from typing import Any, Callable, TypeVar

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QMetaObject, QObject, Qt, QThread, pyqtSlot

Given = TypeVar("Given")

GUI_WAIT_SECONDS = 2.0  # in qgis_process the GUI thread may be the one that waits for us


class GuiThread(QObject):
    """Runs short questions to QGIS on its GUI thread, for whoever asks on another one. Made on any thread."""

    def __init__(self) -> None:
        super().__init__()
        self.moveToThread(QgsApplication.instance().thread())
        self._asked: SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = SimpleQueue()

    def ask(self, question: Callable[[], Given]) -> Given:
        """What `question()` gives or raises there; asked here if that thread stays busy meanwhile."""
        if QThread.currentThread() == self.thread():
            return question()
        answer: Future[Given] = Future()
        self._asked.put((question, answer))
        QMetaObject.invokeMethod(self, "_answer_all", Qt.ConnectionType.QueuedConnection)
        try:
            return answer.result(GUI_WAIT_SECONDS)
        except NotYet:
            return question() if answer.cancel() else answer.result()

    @pyqtSlot()
    def _answer_all(self) -> None:
        while True:
            try:
                question, answer = self._asked.get_nowait()
            except Empty:
                return
            if answer.set_running_or_notify_cancel():
                _answer(question, answer)


def _answer(question: Callable[[], Any], answer: Future[Any]) -> None:
    try:
        answer.set_result(question())
    except Exception as e:  # it belongs to whoever asked
        answer.set_exception(e)
