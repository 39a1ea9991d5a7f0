"""The sentence in place of the scenes, and what a person can do about an empty result."""

from __future__ import annotations

from typing import Optional, Sequence

from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QWidget

from ..host.endings import is_offline
from ..host.loosen import Count, filters_of
from ..host.records import JobRecord
from ..host.scene_search import SceneSearch
from ..host.work import Work
from ..jobs.job import JobState
from .scenes_why import why_empty, why_not_yet


class ScenesMessage(QObject):
    """Fills the message page of a `ScenesList`. *Which Filter to Loosen?* searches again without each filter."""

    told = pyqtSignal()  # there is a sentence: no list is to be seen

    def __init__(self, page: QWidget, search: SceneSearch) -> None:
        super().__init__(page)
        self._page, self._search = page, search
        self._empty: Optional[JobRecord] = None  # the Test Query that found nothing, while that is told
        self._counting: Optional[Work] = None
        self._counted = ""  # id of the job whose search is counted without its filters
        page.countButton.clicked.connect(self._count)

    def begin(self, record: JobRecord) -> None:
        """What is told from now on is about that Test Query."""
        if self._counted != record.job.id:
            self._counted = ""

    def tell(self, text: str) -> None:
        """A sentence, with nothing to press."""
        self.leave()
        self._page.messageLabel.setText(text)
        for button in (self._page.countButton, self._page.watchEmptyButton, self._page.demoButton):
            button.hide()
        self.told.emit()

    def leave(self) -> None:
        """There are scenes, or something else to tell."""
        self._empty = None

    def tell_why_not_yet(self, record: JobRecord) -> None:
        """Its scenes are not here. News of a job leave what was found out about its empty result."""
        if record.job.state is not JobState.FAILED:
            self.tell(why_not_yet(self._page, record.job.state))
        elif self._counted != record.job.id:
            self.tell_why_empty(record)  # some platforms let a search fail that finds nothing

    def tell_why_empty(self, record: JobRecord, counts: Sequence[Count] = ()) -> None:
        """No scene: say by which filters, and once it is known how many there are without each."""
        page = self._page
        if record.job.state is JobState.FAILED and is_offline(record.delivery.message):
            self.tell(record.delivery.message)  # its filters have nothing to do with it
            page.demoButton.show()
            return
        self.tell(why_empty(page, record, counts))
        self._empty = record
        page.watchEmptyButton.show()
        page.countButton.setVisible(bool(filters_of(record.job)) and not counts)
        page.countButton.setEnabled(True)
        page.countButton.setText(page.tr("Which Filter to Loosen?"))

    def _count(self) -> None:
        record = self._empty
        if record is None:
            return
        self._counted = record.job.id
        self._page.countButton.setEnabled(False)
        self._page.countButton.setText(self._page.tr("Searching without each filter…"))

        def counted(counts: list[Count]) -> None:
            if still_told():
                self.tell_why_empty(self._empty, counts)

        def failed(text: str) -> None:
            if still_told():
                self.tell(text)

        def still_told() -> bool:
            return self._empty is not None and self._empty.job.id == record.job.id

        self.stop()
        self._counting = self._search.count(record, counted, failed)

    def stop(self) -> None:
        """Count no more; for unload."""
        if self._counting is not None:
            self._counting.cancel()
