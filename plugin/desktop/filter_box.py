"""The geometric filter: Intersects, Bounding Box, Contains, each explained beside it."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtWidgets import QWidget

from ..host.words import tr
from ..jobs.aoi import GeometricFilter
from .request_model import RequestModel
from .ui_files import set_up, soften


class FilterBox(QWidget):
    """Three radio buttons; those that the data block lacks are off."""

    def __init__(self, model: RequestModel, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "filter_box")
        self._model = model
        self._choices = {
            GeometricFilter.INTERSECTS: (self.intersectsRadio, self.intersectsHint),
            GeometricFilter.BBOX: (self.bboxRadio, self.bboxHint),
            GeometricFilter.CONTAINS: (self.containsRadio, self.containsHint),
        }
        for choice, (radio, hint) in self._choices.items():
            radio.clicked.connect(lambda _checked, choice=choice: model.set_filter(choice))
            radio.setAccessibleDescription(hint.text())
            soften(hint)
        model.changed.connect(self._show)

    def _show(self) -> None:
        request, workflow = self._model.request, self._model.workflow
        if request is None or workflow is None:
            return
        for choice, (radio, hint) in self._choices.items():
            radio.setEnabled(choice in workflow.filters)
            hint.setEnabled(choice in workflow.filters)
            radio.setChecked(choice is request.geometric_filter)


def filter_word(geometric_filter: GeometricFilter) -> str:
    """Intersects, Bounding Box or Contains."""
    return {
        GeometricFilter.INTERSECTS: tr("Intersects"),
        GeometricFilter.BBOX: tr("Bounding Box"),
        GeometricFilter.CONTAINS: tr("Contains"),
    }[geometric_filter]
