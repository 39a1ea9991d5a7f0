"""How far the outputs of each job have come, and what is told of them: once each, whichever QGIS was first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Optional

from qgis.PyQt.QtCore import QObject, pyqtSignal

from . import followups
from .endings import Ending, Endings
from .errors import explain
from .followups import is_damage
from .ledger import Entry, Ledger
from .order import Key, Order
from .records import Delivery, DeliveryState
from .work import Works


class ArrivalNews(QObject):
    """The deliveries of this session, and the notes of them in the ledger. Attribute: `endings`."""

    changed = pyqtSignal(str, str)  # connection id, job id: its delivery went on
    told = pyqtSignal(str, str)  # level, text
    ledger_damaged = pyqtSignal()  # found just now

    def __init__(self, works: Works, ledger: Ledger) -> None:
        super().__init__()
        self._works, self._ledger = works, ledger
        self.endings = Endings()
        self._deliveries: dict[Key, Delivery] = {}

    def delivery(self, connection_id: str, job_id: str, entry: Optional[Entry]) -> Delivery:
        """How far a job's outputs have come."""
        found = self._deliveries.get((connection_id, job_id))
        if found is not None or entry is None or not entry.delivered:
            return found or Delivery()
        state = DeliveryState.LOADED if entry.loaded else DeliveryState.DELIVERED
        return Delivery(state, folder=Path(entry.folder) if entry.folder else None)

    def is_downloading(self, key: Key) -> bool:
        """True while its outputs are on their way."""
        return self._deliveries.get(key, Delivery()).state is DeliveryState.DOWNLOADING

    def show(self, order: Order, delivery: Delivery) -> None:
        """Its delivery has come so far."""
        if order.task is not None:
            return
        before = self._deliveries.get(order.key, Delivery())
        if delivery.state is DeliveryState.DOWNLOADING and before.folder and not delivery.folder:
            delivery = replace(delivery, folder=before.folder)
        self._deliveries[order.key] = delivery
        self.changed.emit(*order.key)

    def drop(self, key: Key) -> None:
        """Nothing is known here of its delivery: the ledger knows."""
        self._deliveries.pop(key, None)
        self.changed.emit(*key)

    def forget_files(self, connection_id: str, job_id: str) -> None:
        """The outputs are no longer on disk."""
        self._deliveries[(connection_id, job_id)] = Delivery()
        self.changed.emit(connection_id, job_id)

    def tell_once(self, order: Order, ending: Ending) -> None:
        """Tell it unless another QGIS on this profile has told it."""
        state = order.job.state.value
        self.note(
            lambda: followups.claim_telling(self._ledger, *order.key, state),
            lambda claimed: self.endings.add(ending) if claimed else None,
        )

    def tell_asked(self, order: Order, ending: Ending) -> None:
        """Tell it: either the user asked for it, or this QGIS was the one that loaded it."""
        self.note(
            lambda: followups.claim_telling(self._ledger, *order.key, order.job.state.value),
            lambda _claimed: self.endings.add(ending),
        )

    def note(self, write: Callable[[], Any], then: Callable[[Any], None] = lambda _none: None) -> None:
        """Write into the ledger, off the GUI thread; `then` gets what it gave."""
        self._works.start(
            "Note",
            lambda _cancel, _progress: write(),
            shown=False,
            succeeded=then,
            failed=self._not_noted,
        )

    def _not_noted(self, error: Exception) -> None:
        if is_damage(error):
            self.ledger_damaged.emit()
        else:
            self.told.emit("warning", explain(error))
