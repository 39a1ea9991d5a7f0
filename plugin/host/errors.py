"""What keeps a use case from being done, as exceptions whose text is a sentence in the user's language."""

from __future__ import annotations

import traceback

from qgis.core import Qgis, QgsMessageLog
from qgis.PyQt.QtCore import QCoreApplication

from ..delivery.errors import DeliveryError
from ..jobs.aoi import AoiError
from ..jobs.problem import Problem
from ..net.errors import NetError
from ..net.redaction import redact
from ..platforms.contract import PlatformError
from .ledger import TEMPLATES, LedgerError
from .words import tell, tell_delivery, tell_network, tr

LOG_TAB = "UP42 Jobs"


class HostError(Exception):
    """A use case that was not done; the text says why and what to do."""


class RequestProblems(HostError):
    """The request breaks rules, so nothing was sent."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(" ".join(tell(problem) for problem in problems))
        self.problems = problems


class NotConfirmed(HostError):
    """A priced Live Job without a confirmation of exactly this request; nothing was sent."""


class Unconfirmed(HostError):
    """A submit whose answer was lost: the job may exist. The same request can't be run until the user decides."""


def log(text: str) -> None:
    """Write to the plugin's tab of QGIS's log, secrets removed."""
    QgsMessageLog.logMessage(redact(text), LOG_TAB, Qgis.MessageLevel.Critical)


def explain(error: Exception) -> str:
    """A sentence about `error`. What we did not foresee goes to the log with its traceback, secrets removed."""
    if isinstance(error, AoiError):
        return tell(error.problem)
    if isinstance(error, DeliveryError):
        return tell_delivery(error)
    if isinstance(error, NetError):
        return tell_network(error)
    if isinstance(error, LedgerError):
        return QCoreApplication.translate("Ledger", TEMPLATES[error.code]).format(**error.values)
    if isinstance(error, (HostError, PlatformError)):
        return str(error)
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    log(text)
    return tr("Something unforeseen went wrong ({kind}: {text}). Details are in the log “{tab}”.").format(
        kind=type(error).__name__, text=redact(str(error))[:200], tab=LOG_TAB
    )
