"""The caps: what one job, and all jobs of a month, may cost at most."""

from __future__ import annotations

from typing import Optional

from qgis.gui import QgsDoubleSpinBox
from qgis.PyQt.QtCore import QLocale
from qgis.PyQt.QtWidgets import QLabel, QWidget

from ..host.settings import Settings
from .ui_files import set_up

CREDITS_PER_EUR = 100
NONE = -1.0  # what the box holds where there is no cap: 0 is a cap
MOST = 1e9


class SpendingOptions(QWidget):
    """Two boxes of credits, with EUR beside them; an empty one is no cap."""

    def __init__(self, settings: Settings, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "options_spending")
        self._settings = settings
        self._shown: dict[QgsDoubleSpinBox, float] = {}  # at first: a cap of a script's may have decimals
        self._set_up(self.jobCapSpin, self.jobCapEur, settings.job_cap)
        self._set_up(self.monthCapSpin, self.monthCapEur, settings.month_cap)

    def _set_up(self, spin: QgsDoubleSpinBox, eur: QLabel, cap: Optional[float]) -> None:
        spin.setDecimals(0)
        spin.setRange(NONE, MOST)
        spin.setSingleStep(10)
        spin.setSpecialValueText(self.tr("No cap"))
        spin.setClearValue(NONE, self.tr("No cap"))
        spin.setShowClearButton(True)
        spin.setSuffix(self.tr(" credits"))
        spin.valueChanged.connect(lambda _value: eur.setText(in_eur(cap_of(spin))))
        spin.setValue(NONE if cap is None else cap)
        eur.setText(in_eur(cap_of(spin)))
        self._shown[spin] = spin.value()

    def apply(self) -> None:
        """Keep what was changed."""
        if self.jobCapSpin.value() != self._shown[self.jobCapSpin]:
            self._settings.job_cap = cap_of(self.jobCapSpin)
        if self.monthCapSpin.value() != self._shown[self.monthCapSpin]:
            self._settings.month_cap = cap_of(self.monthCapSpin)
        self._shown = {spin: spin.value() for spin in self._shown}


def cap_of(spin: QgsDoubleSpinBox) -> Optional[float]:
    """The cap in credits, None for none. What lies between none and 0, which stepping can reach, is 0."""
    value = spin.value()
    return None if value <= NONE else max(0.0, value)


def in_eur(credits: Optional[float]) -> str:
    """`12.50 EUR`, or nothing where there is no cap."""
    return "" if credits is None else f"{QLocale().toString(credits / CREDITS_PER_EUR, 'f', 2)} EUR"
