"""Test Query or Live Job, each explained beside it."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtWidgets import QGroupBox, QWidget

from ..jobs.job import JobType
from .request_model import RequestModel
from .ui_files import set_up, soften


class JobTypeBox(QGroupBox):
    """Two radio buttons; a block that can't run a Test Query says so."""

    def __init__(self, model: RequestModel, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "job_type_box")
        self._model = model
        soften(self.testQueryHint, self.liveJobHint)
        self._test_hint = self.testQueryHint.text()
        self.testQueryRadio.clicked.connect(lambda: model.set_job_type(JobType.TEST_QUERY))
        self.liveJobRadio.clicked.connect(lambda: model.set_job_type(JobType.LIVE_JOB))
        model.changed.connect(self._show)

    def _show(self) -> None:
        request, catalogue, data = self._model.request, self._model.catalogue, self._model.data_task
        if request is None or catalogue is None:
            return
        can_test = catalogue.capabilities.test_query and data is not None and data.block.dry_run
        self.testQueryRadio.setEnabled(can_test)
        self.testQueryHint.setEnabled(can_test)
        if can_test or data is None:
            self.testQueryHint.setText(self._test_hint)
        else:
            reason = self.tr("The data block “{block}” can’t search without delivering.")
            self.testQueryHint.setText(reason.format(block=data.block.display_name))
        self.liveJobHint.setText(
            self.tr("Delivers. Costs what the estimate says.")
            if catalogue.capabilities.credits
            else self.tr("Delivers the outputs. Free here.")
        )
        for radio, hint in ((self.testQueryRadio, self.testQueryHint), (self.liveJobRadio, self.liveJobHint)):
            radio.setAccessibleDescription(hint.text())
        self.testQueryRadio.setChecked(request.job_type is JobType.TEST_QUERY)
        self.liveJobRadio.setChecked(request.job_type is JobType.LIVE_JOB)
