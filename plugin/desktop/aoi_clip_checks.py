"""*Clip to AOI* for each processing block that can: it follows the form's AOI, which is put in when it is sent."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from ..jobs.workflow import CLIP_TO_AOI, Workflow, clips_to_aoi
from .request_model import RequestModel


class AoiClipChecks(QWidget):
    """One check box for each task; nothing where no block of the workflow takes an AOI of its own."""

    def __init__(self, model: RequestModel, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("aoiClipChecks")
        self._model = model
        self._workflow: Optional[Workflow] = None
        self._checks: dict[str, QCheckBox] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self.hide()
        model.changed.connect(self._show)

    def _show(self) -> None:
        request = self._model.request
        if request is None:
            return
        if request.workflow is not self._workflow:
            self._workflow = request.workflow
            self._build()
        for task, check in self._checks.items():
            given = request.parameters.get(task)
            check.setChecked(isinstance(given, dict) and given.get(CLIP_TO_AOI) is True)
            check.setEnabled(self._model.parameters_readable)

    def _build(self) -> None:
        for check in self._checks.values():
            self._layout.removeWidget(check)
            check.deleteLater()
        tasks = [task for task in (self._workflow.tasks if self._workflow else ()) if clips_to_aoi(task)]
        self._checks = {}
        for task in tasks:
            check = QCheckBox(self.tr("Clip to AOI ({block})").format(block=task.block.display_name), self)
            check.setObjectName(f"clipCheck_{task.name}")
            check.setToolTip(self.tr("The outputs of this block end at the AOI above, as it is when the job runs"))
            check.clicked.connect(lambda checked, name=task.name: self._model.set_parameter(name, CLIP_TO_AOI, checked))
            self._layout.addWidget(check)
            self._checks[task.name] = check
        self.setVisible(bool(tasks))
