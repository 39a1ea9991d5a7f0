"""How jobs ended, told: several endings at once are one message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from .records import Notice, Offer
from .words import tr

GATHER_MS = 700  # from the last ending
GATHER_AT_MOST = 50  # endings; then they are told, whatever comes after
DEMO_INSTEAD = "Demo Imagery, which needs no network"  # how the engine's blocks end what they say of the network


class EndKind(Enum):
    """What became of a job; the most urgent first."""

    FAILED = "failed"
    NOT_DELIVERED = "not delivered"
    CANCELLED = "cancelled"
    WAITING = "waiting"  # its outputs are on the platform: the setting says to ask
    READY = "ready"  # on disk, for another project
    LOADED = "loaded"


@dataclass(frozen=True)
class Ending:
    """One job's end. `text` is what is told where it comes alone."""

    kind: EndKind
    connection_id: str
    job_id: str
    level: str
    text: str

    @property
    def key(self) -> tuple[str, str]:
        """Connection and job."""
        return self.connection_id, self.job_id

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What can be done about it."""
        return (*OFFERS[self.kind], *((Offer.DEMO,) if self.is_offline else ()))

    @property
    def is_offline(self) -> bool:
        """True where it failed since its imagery could not be reached."""
        return self.kind is EndKind.FAILED and is_offline(self.text)


def is_offline(reason: str) -> bool:
    """True where a job failed since its imagery could not be reached: demo scenes would do without a network."""
    return DEMO_INSTEAD in reason


OFFERS = {
    EndKind.FAILED: (Offer.SHOW,),
    EndKind.NOT_DELIVERED: (Offer.SHOW,),
    EndKind.CANCELLED: (Offer.SHOW,),
    EndKind.WAITING: (Offer.COLLECT, Offer.LATER),
    EndKind.READY: (Offer.LOAD, Offer.LATER),
    EndKind.LOADED: (Offer.SHOW,),
}


class Endings(QObject):
    """Gathers endings for a moment, then tells them."""

    noticed = pyqtSignal(object)  # Notice

    def __init__(self) -> None:
        super().__init__()
        self._gathered: list[Ending] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(GATHER_MS)
        self._timer.timeout.connect(self.tell)

    def add(self, ending: Ending) -> None:
        """Tell it soon, alone or with others."""
        self._gathered.append(ending)
        if len(self._gathered) < GATHER_AT_MOST:
            self._timer.start()

    def tell(self) -> None:
        """Tell what has been gathered."""
        gathered, self._gathered = self._gathered, []
        if len(gathered) == 1:
            (one,) = gathered
            self.noticed.emit(Notice(one.level, one.text, (one.key,), one.offers))
        elif gathered:
            self.noticed.emit(together(gathered))

    def stop(self) -> None:
        """Tell no more; for unload."""
        self._timer.stop()


def together(endings: list[Ending]) -> Notice:
    """One message for several endings: how many of each kind, and what can be done for those that need it."""
    count = {kind: sum(ending.kind is kind for ending in endings) for kind in EndKind}
    sentences = {
        EndKind.FAILED: tr("{n} failed"),
        EndKind.NOT_DELIVERED: tr("{n} could not be downloaded"),
        EndKind.CANCELLED: tr("{n} were cancelled"),
        EndKind.WAITING: tr("{n} have outputs to download"),
        EndKind.READY: tr("{n} are on disk, started from another project"),
        EndKind.LOADED: tr("{n} are on the map"),
    }
    parts = [sentences[kind].format(n=count[kind]) for kind in EndKind if count[kind]]
    text = tr("{n} jobs have ended: {what}.").format(n=len(endings), what=", ".join(parts))
    offline = sum(ending.is_offline for ending in endings)
    if offline:
        text += " " + _offline_in_words(offline)
    demo = (Offer.DEMO,) if offline else ()
    levels = [ending.level for ending in endings]
    level = next(level for level in ("critical", "warning", "info", "success") if level in levels)
    for kind in (EndKind.WAITING, EndKind.READY):
        if count[kind]:
            jobs = tuple(ending.key for ending in endings if ending.kind is kind)
            return Notice(level, text, jobs, (*OFFERS[kind], *demo))
    return Notice(level, text, tuple(ending.key for ending in endings), (Offer.SHOW, *demo))


def _offline_in_words(jobs: int) -> str:
    if jobs == 1:
        return tr("1 could not reach its imagery: check the network, or use Demo Imagery.")
    return tr("{n} could not reach their imagery: check the network, or use Demo Imagery.").format(n=jobs)
