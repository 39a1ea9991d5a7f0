"""The one confirmation of many priced jobs: how many, of which AOIs, for how many credits. The default is Cancel."""

from __future__ import annotations

import math
from typing import Optional, Sequence

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QDialog, QWidget

from ..host.words import area, credit_range, number
from .confirm_dialog import scenes_text, set_up_buttons
from .filter_box import filter_word
from .many_rows import Row, Total
from .ui_files import set_up

MOST_NAMES = 6


class ConfirmMany(QDialog):
    """Shows what is ticked and its total. Opened with `open`: nothing waits for it."""

    def __init__(
        self, rows: Sequence[Row], sums: Total, by_dates: bool = False, parent: Optional[QWidget] = None
    ) -> None:
        """`by_dates`: the rows are windows of dates on one AOI."""
        super().__init__(parent)
        set_up(self, "confirm_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setWindowTitle(self.tr("Run Live Jobs"))
        request = rows[0].request
        self.workflowValue.setText(request.workflow.name if request.workflow else "")
        names = ", ".join(row.name for row in rows[:MOST_NAMES]) + (" …" if len(rows) > MOST_NAMES else "")
        if by_dates:
            question = self.tr("Run %n Live Jobs on “{aoi}”, one for each window of dates?", "", len(rows))
            self.questionLabel.setText(question.format(aoi=request.aoi.name if request.aoi else ""))
            self.aoiCaption.setText(self.tr("Dates"))
        else:
            self.questionLabel.setText(self.tr("Run %n Live Jobs, one for each AOI?", "", len(rows)))
            self.aoiCaption.setText(self.tr("AOIs"))
        self.aoiValue.setText(names)
        self.filterValue.setText(filter_word(request.geometric_filter))
        self.sentValue.setText(self.tr("{area} in all").format(area=area(sums.km2)))
        scenes = scenes_text(request)
        self.scenesCaption.setVisible(bool(scenes))
        self.scenesValue.setVisible(bool(scenes))
        each = self.tr("for each window {scenes}") if by_dates else self.tr("for each AOI {scenes}")
        self.scenesValue.setText(each.format(scenes=scenes))
        credits = credit_range(sums.credits)
        self.creditsValue.setText(self.tr("{credits} in all").format(credits=credits))
        self.balanceCaption.setVisible(sums.left is not None)
        self.balanceValue.setVisible(sums.left is not None)
        if sums.left is not None:
            self.balanceValue.setText(self.tr("at least {left} credits").format(left=number(math.floor(sums.left))))
        self.beforeCaption.hide()
        self.beforeValue.hide()
        text = self.tr("Run %n Live Jobs ({credits} Credits)", "", len(rows))
        set_up_buttons(self, text.format(credits=credits))
