"""The balance, asked for again when a job was submitted or has ended."""

from __future__ import annotations

from typing import Optional

from ..host.connections import Connection
from ..host.journey import Journey
from ..host.records import Catalogue
from ..host.work import Work
from .request_model import RequestModel


class BalanceAsking:
    """Puts the answer into the model; what can't be read leaves the balance that is shown."""

    def __init__(self, model: RequestModel, journey: Journey) -> None:
        self._model, self._journey = model, journey
        self._asking: Optional[Work] = None

    def ask(self, connection: Connection, project_id: str) -> None:
        """Ask anew, in place of a question under way; nothing where there are no credits."""
        if connection.has_credits:
            self.stop()
            self._asking = self._journey.open(connection, self._got, lambda _text: None, project_id)

    def _got(self, catalogue: Catalogue) -> None:
        if self._model.catalogue is not None and self._model.catalogue.connection.id == catalogue.connection.id:
            self._model.set_balance(catalogue.balance)

    def stop(self) -> None:
        """Ask no more; for unload."""
        if self._asking is not None:
            self._asking.cancel()
