"""The confirmation of a priced Live Job: what exactly is bought, at which price. The default is Cancel, every time."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QWidget

from ..host.words import area, credit_range, number
from ..jobs.request import Estimate, JobRequest
from .filter_box import filter_word
from .ui_files import set_up, theme_icon


class ConfirmDialog(QDialog):
    """Shows one frozen request and its estimate (None: price unknown). Opened with `open`: nothing waits for it."""

    def __init__(
        self,
        request: JobRequest,
        estimate: Optional[Estimate],
        balance: Optional[int],
        parent: Optional[QWidget] = None,
    ) -> None:
        super().__init__(parent)
        set_up(self, "confirm_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.questionLabel.setText(self.tr("Run “{job}”?").format(job=request.name))
        self.workflowValue.setText(request.workflow.name if request.workflow else "")
        self._show_aoi(request)
        if estimate is None:
            self.creditsValue.setText(self.tr("Price unknown: it is charged when the job succeeds."))
            run_text = self.tr("Run Live Job (Price Unknown)")
        else:
            self.creditsValue.setText(credit_range(estimate.credits))
            run_text = self.tr("Run Live Job ({credits} Credits)").format(credits=credit_range(estimate.credits))
        self._show_balance(balance, estimate)
        self._set_up_buttons(run_text)

    def _show_aoi(self, request: JobRequest) -> None:
        there = request.aoi is not None
        for widget in (self.aoiCaption, self.aoiValue, self.filterCaption, self.filterValue):
            widget.setVisible(there)
        self.sentCaption.setVisible(there)
        self.sentValue.setVisible(there)
        if request.aoi is not None:
            self.aoiValue.setText(request.aoi.name)
            self.filterValue.setText(filter_word(request.geometric_filter))
            self.sentValue.setText(area(request.aoi.sent_km2(request.geometric_filter)))

    def _show_balance(self, balance: Optional[int], estimate: Optional[Estimate]) -> None:
        known = balance is not None and estimate is not None
        self.balanceCaption.setVisible(known)
        self.balanceValue.setVisible(known)
        if balance is not None and estimate is not None:
            left = balance - estimate.credits.max
            text = self.tr("at least {left} credits") if left >= 0 else self.tr("not enough: {left} credits")
            self.balanceValue.setText(text.format(left=number(left)))

    def _set_up_buttons(self, run_text: str) -> None:
        run = self.buttonBox.addButton(run_text, QDialogButtonBox.ButtonRole.ActionRole)
        run.setObjectName("confirmRunButton")
        run.setIcon(theme_icon("mActionStart"))
        run.setAutoDefault(False)
        run.clicked.connect(self.accept)
        cancel = self.buttonBox.button(QDialogButtonBox.StandardButton.Cancel)
        cancel.setObjectName("confirmCancelButton")
        cancel.clicked.connect(self.reject)
        cancel.setDefault(True)
        cancel.setFocus()
