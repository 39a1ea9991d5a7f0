"""The queue as a strip above the tabs: a row for each batch, with what waits, what it may cost, what can be done."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from typing import Callable, Optional

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QVBoxLayout, QWidget

from ..host.queue_runner import Batch, JobQueue
from ..host.queue_store import State
from ..host.words import number
from .ui_files import set_up, theme_icon, tooltip

ICON_SIZE = 16
MOST_NAMED = 12  # jobs, in the tooltip
HOUR, DAY = 3600.0, 86_400.0  # seconds


class QueueStrip(QWidget):
    """Hidden while nothing is queued."""

    again_wanted = pyqtSignal(object)  # Batch, whose failed jobs are to be sent again

    def __init__(self, queue: JobQueue, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("queueStrip")
        self._queue = queue
        self.rows: dict[str, QueueRow] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        queue.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        batches = {batch.id: batch for batch in self._queue.batches}
        for gone in self.rows.keys() - batches.keys():
            row = self.rows.pop(gone)
            row.hide()
            row.deleteLater()
        for batch in batches.values():
            if batch.id not in self.rows:
                self.rows[batch.id] = QueueRow(self._queue, self.again_wanted.emit, self)
                self._layout.addWidget(self.rows[batch.id])
            self.rows[batch.id].show_batch(batch)
        self.setVisible(bool(batches))

    def stop(self) -> None:
        """For unload."""
        self._queue.changed.disconnect(self._show)


class QueueRow(QWidget):
    """One batch: under way, paused since another session, or over with some that failed."""

    def __init__(self, queue: JobQueue, send_again: Callable[[Batch], None], parent: QWidget) -> None:
        super().__init__(parent)
        set_up(self, "queue_row")
        self._queue, self._send_again = queue, send_again
        self._batch: Optional[Batch] = None
        self.queueGoOnButton.clicked.connect(self._go_on)
        self.queueDiscardButton.clicked.connect(self._discard)

    def show_batch(self, batch: Batch) -> None:
        """Tell how far it is, and offer what can be done now."""
        self._batch = batch
        again = batch.over and bool(batch.failed)
        self.queueLabel.setText(self._text(batch))
        self.setToolTip(tooltip("\n".join(self._lines(batch))))
        icon = "mIconWarning" if batch.paused or batch.failed else "mIconClock"
        self.queueIcon.setPixmap(theme_icon(icon).pixmap(ICON_SIZE, ICON_SIZE))
        self.queueGoOnButton.setVisible(batch.paused or again)
        self.queueGoOnButton.setEnabled(True)
        self.queueDiscardButton.setEnabled(True)
        self.queueGoOnButton.setText(self.tr("Send Again…") if again else self.tr("Continue"))
        self.queueGoOnButton.setToolTip(
            self.tr("Estimate and confirm those that failed anew; the others are not repeated")
            if again
            else self.tr("Send what waits: each is estimated again, and none above what was confirmed")
        )
        self.queueDiscardButton.setText(self.tr("Dismiss") if batch.over else self.tr("Discard"))
        self.queueDiscardButton.setToolTip(
            self.tr("Take this line away; the jobs stay in Jobs")
            if batch.over
            else self.tr("Don't send what waits; jobs that were sent go on")
        )

    def _text(self, batch: Batch) -> str:
        if batch.paused:
            return self._paused_text(batch)
        all_of_it, failed = len(batch.items), len(batch.failed)
        if batch.over:
            text = self.tr("{failed} of {n} jobs failed: {why}")
            first = batch.failed[0]
            why = f"“{first.name}”: {first.reason}" if failed else ""
            return text.format(failed=number(failed), n=number(all_of_it), why=why)
        parts = [
            self.tr("Queue: {done} of {n} done").format(done=number(batch.count(State.DONE)), n=number(all_of_it)),
            self.tr("{n} run").format(n=number(batch.count(State.RUNNING, State.SENDING))),
        ]
        waiting = batch.count(State.WAITING)
        if waiting:
            parts.append(self.tr("{n} wait").format(n=number(waiting)))
        if failed:
            parts.append(self.tr("{n} failed").format(n=number(failed)))
        return " · ".join(parts)

    def _paused_text(self, batch: Batch) -> str:
        waiting = batch.count(State.WAITING)
        text = self.tr("%n Live Jobs, at most {credits} credits, confirmed {when}, wait to be sent.", "", waiting)
        return text.format(credits=number(math.ceil(batch.most)), when=self._ago(batch.confirmed_at))

    def _ago(self, when: datetime) -> str:
        seconds = (datetime.now(timezone.utc) - when).total_seconds()
        if seconds < HOUR:
            return self.tr("%n min ago", "", max(1, int(seconds // 60)))
        if seconds < DAY:
            return self.tr("%n h ago", "", int(seconds // HOUR))
        return self.tr("%n days ago", "", int(seconds // DAY))

    def _lines(self, batch: Batch) -> list[str]:
        words = {
            State.WAITING: self.tr("waits"),
            State.SENDING: self.tr("is being sent"),
            State.RUNNING: self.tr("runs"),
            State.DONE: self.tr("done"),
            State.FAILED: self.tr("failed"),
            State.STOPPED: self.tr("not sent"),
        }
        lines = [f"{i.name}: {i.reason or words[i.state]}" for i in batch.items[:MOST_NAMED]]
        return lines + (["…"] if len(batch.items) > MOST_NAMED else [])

    def _go_on(self) -> None:
        if self._batch is None:
            return
        self.queueGoOnButton.setEnabled(False)
        if self._batch.paused:
            self._queue.go_on(self._batch)
        else:
            self._send_again(self._batch)
            self.queueGoOnButton.setEnabled(True)

    def _discard(self) -> None:
        if self._batch is not None:
            self.queueDiscardButton.setEnabled(False)
            self._queue.discard(self._batch)
