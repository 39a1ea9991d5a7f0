"""The confirmation of a priced Live Job: what exactly is bought, at which price. The default is Cancel, every time."""

from __future__ import annotations

import math
from typing import Optional

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QWidget

from ..host.pricing import Price
from ..host.words import area, credit_range, number, tr
from ..jobs.request import JobRequest
from .filter_box import filter_word
from .ui_files import set_up, theme_icon


class ConfirmDialog(QDialog):
    """Shows one frozen request and its price. Opened with `open`: nothing waits for it."""

    def __init__(self, request: JobRequest, price: Price, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.request, self.price = request, price
        set_up(self, "confirm_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.questionLabel.setText(self.tr("Run “{job}”?").format(job=request.name))
        self.workflowValue.setText(request.workflow.name if request.workflow else "")
        self._show_aoi(request)
        self._show_scenes(request)
        again = price.before is not None
        if price.estimate is None:
            self.creditsValue.setText(self.tr("Price unknown: it is charged when the job succeeds."))
            run_text = self.tr("Buy Again (Price Unknown)") if again else self.tr("Run Live Job (Price Unknown)")
        else:
            credits = credit_range(price.estimate.credits)
            self.creditsValue.setText(credits)
            text = self.tr("Buy Again ({credits} Credits)") if again else self.tr("Run Live Job ({credits} Credits)")
            run_text = text.format(credits=credits)
        self._show_balance(price)
        self._show_before(price)
        set_up_buttons(self, run_text)

    def _show_aoi(self, request: JobRequest) -> None:
        there = request.aoi is not None and request.workflow is not None and request.workflow.needs_aoi
        for widget in (self.aoiCaption, self.aoiValue, self.filterCaption, self.filterValue):
            widget.setVisible(there)
        self.sentCaption.setVisible(there)
        self.sentValue.setVisible(there)
        if there and request.aoi is not None:
            self.aoiValue.setText(request.aoi.name)
            self.filterValue.setText(filter_word(request.geometric_filter))
            self.sentValue.setText(area(request.aoi.sent_km2(request.geometric_filter)))

    def _show_scenes(self, request: JobRequest) -> None:
        text = scenes_text(request)
        self.scenesCaption.setVisible(bool(text))
        self.scenesValue.setVisible(bool(text))
        self.scenesValue.setText(text)

    def _show_balance(self, price: Price) -> None:
        self.balanceCaption.setVisible(price.left is not None)
        self.balanceValue.setVisible(price.left is not None)
        if price.left is not None:
            self.balanceValue.setText(self.tr("at least {left} credits").format(left=number(math.floor(price.left))))

    def _show_before(self, price: Price) -> None:
        self.beforeCaption.setVisible(price.before is not None)
        self.beforeValue.setVisible(price.before is not None)
        if price.before is not None:
            text = self.tr("{when}: the same request. Its outputs can be loaded without buying them again.")
            self.beforeValue.setText(text.format(when=price.before.in_words))


def scenes_text(request: JobRequest) -> str:
    """Which scenes are bought: those that are pinned, or whatever the search finds; "" where nobody can tell."""
    data = request.workflow.data_task if request.workflow else None
    given = request.parameters.get(data.name, {}) if data else {}
    ids, limit = given.get("ids"), given.get("limit")
    if isinstance(ids, list) and ids:
        return tr("exactly {n} chosen").format(n=number(len(ids)))
    if isinstance(limit, int):
        return tr("at most {n}, searched for by the job").format(n=number(limit))
    return ""


def set_up_buttons(dialog: QDialog, run_text: str) -> None:
    """The button that buys, and Cancel, which is the default and has the focus."""
    run = dialog.buttonBox.addButton(run_text, QDialogButtonBox.ButtonRole.ActionRole)
    run.setObjectName("confirmRunButton")
    run.setIcon(theme_icon("mActionStart"))
    run.setAutoDefault(False)
    run.clicked.connect(dialog.accept)
    cancel = dialog.buttonBox.button(QDialogButtonBox.StandardButton.Cancel)
    cancel.setObjectName("confirmCancelButton")
    cancel.clicked.connect(dialog.reject)
    cancel.setDefault(True)
    cancel.setFocus()
