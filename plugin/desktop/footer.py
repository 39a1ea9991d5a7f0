"""The footer that never scrolls away: the estimate, the first problem, and one button that carries its price."""

from __future__ import annotations

import math
from typing import Optional

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QSize, pyqtSignal
from qgis.PyQt.QtGui import QMovie
from qgis.PyQt.QtWidgets import QWidget

from ..host.words import credit_range, duration_range, fetched, number
from ..jobs.job import JobType
from ..jobs.problem import Problem
from ..jobs.request import Estimate
from .estimate_tasks import EstimateTasks
from .estimator import Estimator
from .parameters_box import sentence
from .problem_line import ProblemLine
from .request_model import RequestModel
from .run import Run
from .ui_files import set_up, theme_icon

SPINNER_SIZE = 16


class Footer(QWidget):
    """Shows what the model, the estimator and the run say; decides nothing."""

    problem_chosen = pyqtSignal(object)  # Problem
    load_wanted = pyqtSignal(object)  # Bought: load that job's outputs in place of buying them again

    def __init__(self, model: RequestModel, estimator: Estimator, run: Run, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "footer")
        self._model, self._estimator, self._run = model, estimator, run
        self.problem = ProblemLine()
        self.problem.setObjectName("footerProblem")
        self.problem.show_wanted.connect(lambda: self.problem_chosen.emit(self._first_problem()))
        self.footerLayout.insertWidget(1, self.problem)
        self._movie = QMovie(QgsApplication.iconPath("/mIconLoading.gif"))
        self._movie.setScaledSize(QSize(SPINNER_SIZE, SPINNER_SIZE))
        self.spinner.setMovie(self._movie)
        self._movie.start()
        self.runButton.setIcon(theme_icon("mActionStart"))
        self.runButton.clicked.connect(run.start)
        self.askAgainButton.clicked.connect(estimator.ask_again)
        self._tasks = EstimateTasks(self.tasksView, self.tasksButton)
        self.loadBoughtButton.setIcon(theme_icon("mActionAddLayer"))
        self.loadBoughtButton.clicked.connect(self._load_bought)
        self.loadBoughtButton.hide()
        for signal in (model.changed, estimator.changed, run.changed):
            signal.connect(self._show)

    def _first_problem(self) -> Optional[Problem]:
        return self._model.problems[0] if self._model.problems else None

    def _show(self) -> None:
        if self._model.request is None or self._model.catalogue is None:
            self.setEnabled(False)
            return
        self.setEnabled(True)
        self._show_problem()
        self._show_estimate()
        self.runButton.setText(self._button_text())
        self.runButton.setEnabled(self._run.possible)
        self.runButton.setToolTip("" if self._run.possible else self._why_not())

    def _show_problem(self) -> None:
        problem, more = self._first_problem(), len(self._model.problems) - 1
        if problem is None:
            price = self._estimator.price
            self.problem.tell(price.refusal if price else "")
            return
        text = sentence(problem)
        self.problem.tell(
            self.tr("{problem} (and %n more)", "", more).format(problem=text) if more else text,
            with_show=problem.where == "parameters",
        )

    def _show_estimate(self) -> None:
        spinning = self._estimator.asking or self._run.sending
        self.spinner.setVisible(spinning)
        self._movie.setPaused(not spinning)
        stale = self._estimator.wanted and self._estimator.current is None and self._estimator.latest is not None
        self.estimateLabel.setEnabled(not stale or bool(self._estimator.error))
        self.askAgainButton.setVisible(bool(self._estimator.error))
        text = self._estimate_text()
        self.estimateLabel.setText(text)
        self.estimateLabel.setVisible(bool(text))
        told = self._estimator.wanted and not self._estimator.error and not self._run.sending
        self._tasks.show(self._estimator.latest if told else None, stale=stale, priced=self._model.has_price)
        self._show_bought()

    def _show_bought(self) -> None:
        price = self._estimator.price
        before = price.before if price else None
        self.loadBoughtButton.setVisible(before is not None)
        if before is not None:
            self.loadBoughtButton.setText(self.tr("Bought {when}: Load It").format(when=before.in_words))

    def _load_bought(self) -> None:
        price = self._estimator.price
        if price is not None and price.before is not None:
            self.load_wanted.emit(price.before)

    def _estimate_text(self) -> str:
        request = self._model.request
        if self._run.sending:
            return self.tr("Sending…")
        if request is None or not self._model.ready:
            return ""
        if request.job_type is JobType.TEST_QUERY:
            return self.tr("Free: a Test Query searches only.")
        if self._model.price_unknown:
            return self._unknown_text()
        if self._estimator.error:
            return self.tr("No estimate. {why}").format(why=self._estimator.error)
        estimate = self._estimator.latest if self._estimator.wanted else None
        if estimate is None:
            return self.tr("Estimating…") if self._estimator.asking else ""
        return self._in_words(estimate)

    def _unknown_text(self) -> str:
        if self._estimator.error:
            return self.tr("Price unknown. {why}").format(why=self._estimator.error)
        return self.tr("Price unknown: workflows on stored data have no estimate.")

    def _in_words(self, estimate: Estimate) -> str:
        time = duration_range(estimate.seconds)
        if not self._model.has_price:
            free = self.tr("Free · about {time}").format(time=time)
            return " · ".join(text for text in (free, fetched(estimate)) if text)
        parts = [self.tr("{credits} credits").format(credits=credit_range(estimate.credits)), time]
        price = self._estimator.price
        if price is not None and price.left is not None and price.left >= 0:
            parts.append(self.tr("at least {left} left after it").format(left=number(math.floor(price.left))))
        return " · ".join(parts)

    def _button_text(self) -> str:
        request, catalogue = self._model.request, self._model.catalogue
        if request is None or catalogue is None or not catalogue.capabilities.credits:
            return self.tr("Run")
        if request.job_type is JobType.TEST_QUERY:
            return self.tr("Run Test Query (Free)")
        if self._model.price_unknown:
            return self.tr("Run Live Job (Price Unknown)…")
        estimate = self._estimator.current
        if estimate is None:
            return self.tr("Run Live Job…")
        return self.tr("Run Live Job ({credits} Credits)…").format(credits=credit_range(estimate.credits))

    def _why_not(self) -> str:
        problem = self._first_problem()
        if problem is not None:
            return sentence(problem)
        if self._run.busy:
            return self.tr("The job is being sent.")
        price = self._estimator.price
        if price is not None and price.refusal:
            return price.refusal
        return self.tr("A Live Job runs only with the price of exactly this request: wait for the estimate.")
