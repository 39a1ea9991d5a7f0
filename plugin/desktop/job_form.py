"""The New Job tab: the form, top to bottom, and the footer that never scrolls away."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Callable, Optional

from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtGui import QPalette
from qgis.PyQt.QtWidgets import QWidget

from ..host.aoi_recent import RecentAois
from ..host.journey import Journey
from ..host.parameter_shelf import ParameterShelf
from ..host.settings import Settings
from ..jobs.job import Job
from ..jobs.parameters import to_text
from ..jobs.problem import Problem
from ..jobs.request import JobRequest
from .aoi_box import AoiBox
from .aoi_drawing import AoiDrawing
from .aoi_on_map import AoiOnMap
from .aoi_repair_prices import RepairPrices
from .estimator import Estimator
from .footer import Footer
from .job_type_box import JobTypeBox
from .parameters_box import ParametersBox
from .parameters_menu import ParametersMenu
from .quick_controls import QuickControls
from .request_model import RequestModel
from .run import Run
from .ui_files import set_up
from .workflow_box import WorkflowBox


class JobForm(QWidget):
    """Puts the parts of the form together; each of them speaks to the model and to no other part."""

    def __init__(
        self,
        model: RequestModel,
        journey: Journey,
        canvas: QgsMapCanvas,
        tell: Callable[[str], None],
        parent: Optional[QWidget] = None,
    ) -> None:
        """`tell` shows a short text beside the map while drawing."""
        super().__init__(parent)
        set_up(self, "job_form")
        self.estimator = Estimator(model, journey, self)
        self.run = Run(model, self.estimator, journey, self)
        self.drawing = AoiDrawing(canvas, tell, self)
        self.on_map = AoiOnMap(model, canvas, self)
        self._model, self._canvas, self._journey = model, canvas, journey
        self.workflow: Optional[WorkflowBox] = None
        self.aoi: Optional[AoiBox] = None
        self._repair_prices: Optional[RepairPrices] = None
        self.quick: Optional[QuickControls] = None
        self.parameters: Optional[ParametersBox] = None
        self.parameters_menu: Optional[ParametersMenu] = None
        self._shelf = ParameterShelf(Settings())
        self.formScroll.viewport().setBackgroundRole(QPalette.ColorRole.Window)
        self.formContents.setAutoFillBackground(False)
        self.formLayout.addStretch(1)

    def building_steps(self) -> list[Callable[[], None]]:
        """The parts are added by these, in the order in which Tab goes through them."""
        return [
            self._add_workflow,
            self._add_job_type,
            self._make_aoi,
            self._add_aoi,
            self._add_quick_controls,
            self._add_parameters,
            self._add_footer,
        ]

    def _add_footer(self) -> None:
        self.footer = Footer(self._model, self.estimator, self.run)
        self.footer.problem_chosen.connect(self._go_to)
        self.footerPlace.addWidget(self.footer)

    def _add_workflow(self) -> None:
        self.workflow = WorkflowBox(self._model)
        self._add(self.workflow)

    def _add_job_type(self) -> None:
        self._add(JobTypeBox(self._model))

    def _make_aoi(self) -> None:
        """Made in one turn and laid out in another: it is the largest part."""
        recent = RecentAois(Settings())
        self.aoi = AoiBox(self._model, self._canvas, self.drawing, self.on_map, self._journey.aois, recent)

    def _add_aoi(self) -> None:
        self._add(self.aoi)
        self._repair_prices = RepairPrices(self._model, self.aoi.repairs, self._journey, self)
        for example_wanted in (self.aoi.exampleButton.clicked, self.aoi.more.example_wanted):
            example_wanted.connect(lambda *_: self._model.begin_with_demo())

    def _add_quick_controls(self) -> None:
        self.quick = QuickControls(self._model)
        self._add(self.quick)

    def _add_parameters(self) -> None:
        self.parameters = ParametersBox(self._model)
        # Not the group box's child: QGIS shows every child of one that is unfolded, a menu too.
        self.parameters_menu = ParametersMenu(
            self._model, self._shelf, self._journey.parameter_files, self.parameters.find, self
        )
        self.parameters.parametersMenuButton.setMenu(self.parameters_menu.menu)
        self.run.submitted.connect(self._remember)
        self._add(self.parameters)

    def _remember(self, _job: Job, request: JobRequest) -> None:
        when = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self._shelf.remember(request, to_text(request.parameters), when)

    def _add(self, part: QWidget) -> None:
        self.formLayout.insertWidget(self.formLayout.count() - 1, part)  # above the stretch

    def _go_to(self, problem: Problem) -> None:
        self.parameters.go_to(problem)
        QTimer.singleShot(0, self._show_parameters)  # unfolding lays the form out anew first

    def _show_parameters(self) -> None:
        self.formScroll.ensureWidgetVisible(self.parameters)

    def stop(self) -> None:
        """Timers, questions, map tools and outlines away; for unload."""
        self.estimator.stop()
        self.run.stop()
        if self._repair_prices is not None:
            self._repair_prices.stop()
        if self.aoi is not None:
            self.aoi.close_down()
        if self.parameters is not None:
            self.parameters.stop()
        self.drawing.remove()
        self.on_map.remove()
