"""News for the user go to QGIS's message bar: nothing pops up."""

from __future__ import annotations

import html
from functools import partial
from typing import Callable

from qgis.core import Qgis
from qgis.gui import QgsMessageBar, QgsMessageBarItem
from qgis.PyQt.QtWidgets import QPushButton

from ..host.records import Notice, Offer
from ..host.words import tr

TITLE = "UP42 Jobs"
LEVELS = {
    "info": Qgis.MessageLevel.Info,
    "success": Qgis.MessageLevel.Success,
    "warning": Qgis.MessageLevel.Warning,
    "critical": Qgis.MessageLevel.Critical,
}
SECONDS_WITH_BUTTONS = {"info": 0, "success": 12, "warning": 0, "critical": 0}  # what waits for an answer stays
SECONDS = {"info": 8, "success": 8, "warning": 20, "critical": 0}  # 0: until it is closed


Do = Callable[[Notice], None]


class Messages:
    """Shows sentences of the journey with their level, and what can be done about them as buttons."""

    def __init__(self, bar: QgsMessageBar) -> None:
        self._bar = bar
        self._do: dict[Offer, Do] = {}

    def can(self, offer: Offer, do: Do) -> None:
        """From now on notices with this offer get a button that does `do`."""
        self._do[offer] = do

    def tell(self, level: str, text: str) -> None:
        """`level`: info, success, warning or critical. Names from elsewhere in `text` are never taken for HTML."""
        self._bar.pushMessage(TITLE, html.escape(text, quote=False), LEVELS[level], SECONDS[level])

    def show(self, notice: Notice) -> None:
        """Tell a notice, with its buttons."""
        offers = [offer for offer in notice.offers if offer is Offer.LATER or offer in self._do]
        if not offers:
            self.tell(notice.level, notice.text)
            return
        item = QgsMessageBarItem(
            TITLE, html.escape(notice.text, quote=False), LEVELS[notice.level], SECONDS_WITH_BUTTONS[notice.level]
        )
        layout = item.layout()
        for offer in offers:
            button = QPushButton(offer_word(offer, len(notice.jobs)), item)
            button.setObjectName(f"{offer.value}NoticeButton")
            button.clicked.connect(partial(self._pressed, item, offer, notice))
            layout.addWidget(button)
        self._bar.pushItem(item)

    def ask(self, level: str, text: str, word: str, name: str, do: Callable[[], None]) -> None:
        """Tell `text` with one button, `word` (its object name is `name`), that does `do`. It waits for an answer."""
        item = QgsMessageBarItem(TITLE, html.escape(text, quote=False), LEVELS[level], 0)
        button = QPushButton(word, item)
        button.setObjectName(name)
        button.clicked.connect(lambda _checked: (self._bar.popWidget(item), do()))
        item.layout().addWidget(button)
        self._bar.pushItem(item)

    def _pressed(self, item: QgsMessageBarItem, offer: Offer, notice: Notice, _checked: bool = False) -> None:
        if offer in self._do:
            self._do[offer](notice)
        self._bar.popWidget(item)


def offer_word(offer: Offer, jobs: int) -> str:
    """What the button says."""
    return {
        Offer.SHOW: tr("Show Job") if jobs == 1 else tr("Show Jobs"),
        Offer.LOAD: tr("Load Here"),
        Offer.COLLECT: tr("Download and Load"),
        Offer.FETCH: tr("Fetch Again"),
        Offer.WATCHES: tr("Show Watches"),
        Offer.DEMO: tr("Use Demo Imagery"),
        Offer.LATER: tr("Later"),
    }[offer]
