"""Random hands on the real form, dialog and table: nothing is bought that was not shown and agreed to.

The platform is `money_server`, whose books tell; the user agrees only where this test clicks the button that buys.
"""

from __future__ import annotations

import json
import random

import pytest
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QDockWidget, QPushButton
from shapely.geometry import box

from up42_jobs.plugin.desktop.dock import DockContent
from up42_jobs.plugin.jobs.aoi import Aoi
from up42_jobs.plugin.jobs.job import JobType

from ..money_server import DATA, KEY, PROJECT, MoneyServer

ACTIONS = 1500
LEFT = Qt.MouseButton.LeftButton
KEYS = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape, Qt.Key.Key_Tab)


class Hands:
    """Someone, or a child, or a cat, at the keyboard and mouse of the dock."""

    def __init__(self, content: DockContent, server: MoneyServer, qtbot, seed: int) -> None:
        self.content, self.server, self.qtbot, self.dice = content, server, qtbot, random.Random(seed)
        self.form, self.model = content.form, content.model
        self.agreed: list[tuple[str, float]] = []  # inputs and the most, each of them for one job
        self.places = 0

    @property
    def dialog(self):
        return self.form.run._dialog

    def edit(self) -> None:
        """Change the request, whatever is under way."""
        what = self.dice.choice(["limit", "aoi", "workflow", "type", "text", "text"])
        if what == "limit":
            self.model.set_parameter(DATA, "limit", self.dice.randint(1, 6))
        elif what == "aoi":
            self.places += 1
            west = 0.02 * self.places
            self.model.set_aoi(Aoi(box(west, 40, west + 0.01, 40.01), f"Place {self.places}"))
        elif what == "workflow":
            self.model.set_workflow(self.dice.choice([w for w in self.model.catalogue.workflows if w.id != "stored"]))
            self.model.set_job_type(JobType.LIVE_JOB)
        elif what == "type":
            self.model.set_job_type(self.dice.choice([JobType.LIVE_JOB, JobType.LIVE_JOB, JobType.TEST_QUERY]))
        else:
            self.model.set_text(self.model.text.replace('"limit": ', f'"limit": {self.dice.choice(["", "1", "x"])}', 1))
            if self.model.problems:
                self.model.reset_parameters()

    def press(self) -> None:
        """A key, wherever it goes; on the button that buys only `agree` does that."""
        target = self.dialog or self.dice.choice([self.form.footer.runButton, self.form, self.content])
        if self.dialog is not None and self.focus_buys():
            return
        QTest.keyClick(target, self.dice.choice(KEYS))

    def focus_buys(self) -> bool:
        run = self.dialog.findChild(QPushButton, "confirmRunButton")
        return run is not None and run.hasFocus()

    def click(self) -> None:
        """The run button, once, twice or in a row."""
        button = self.form.footer.runButton
        for _ in range(self.dice.choice([1, 1, 2, 4])):
            QTest.mouseClick(button, LEFT)
        if self.dice.random() < 0.3:
            QTest.mouseDClick(button, LEFT)

    def call(self) -> None:
        """What no button offers now."""
        self.form.run.start()

    def rise(self) -> None:
        """The platform's prices change; not between a submit's last estimate and its POST, which nobody can know."""
        if not self.form.run.sending:
            self.server.rate = self.dice.choice([5.0, 10.0, 20.0])

    def agree(self) -> None:
        """Buy what the dialog shows, with a nervous finger: a double click is one job."""
        dialog = self.dialog
        if dialog is None:
            return
        request, price = dialog.request, dialog.price
        self.agreed.append((json.dumps(request.inputs, sort_keys=True), price.most))
        run = dialog.findChild(QPushButton, "confirmRunButton")
        QTest.mouseClick(run, LEFT)
        if self.dice.random() < 0.5:
            QTest.mouseDClick(run, LEFT)

    def lose(self) -> None:
        """The next answer to a submit is lost, or the submit itself."""
        lost: list[str] = []

        def once(what: str) -> bool:
            hit = not lost and what.startswith("POST") and what.endswith("/jobs")
            if hit:
                lost.append(what)
            return hit

        self.server.calm()
        setattr(self.server, self.dice.choice(["lose_request", "lose_answer"]), once)

    def wait(self) -> None:
        """For an estimate, or a moment."""
        if self.dice.random() < 0.7 and self.form.estimator.asking:
            self.qtbot.waitUntil(lambda: not self.form.estimator.asking, timeout=10_000)
        QApplication.processEvents()

    def do_something(self) -> None:
        if self.dialog is not None and self.dice.random() < 0.3:
            self.agree()
            return
        ways = [self.edit] * 2 + [self.press] * 3 + [self.click] * 3 + [self.wait] * 5 + [self.agree] * 2
        self.dice.choice([*ways, self.call, self.rise, self.lose])()

    def check(self) -> None:
        """Each job that was bought was agreed to, at its price or more, and no agreement bought two."""
        unused = list(self.agreed)
        for sale in self.server.sales:
            fitting = [one for one in unused if one[0] == sale.inputs and one[1] >= sale.price]
            assert fitting, f"bought without having been agreed to: {sale}"
            unused.remove(min(fitting, key=lambda one: one[1]))


@pytest.mark.timeout(120)
def test_whatever_hands_do_nothing_is_bought_that_was_not_agreed_to(window, journey, parts, qtbot, monkeypatch):
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    with MoneyServer() as server:
        monkeypatch.setenv("UP42_JOBS_URL", server.url)
        monkeypatch.setenv("UP42_JOBS_PROJECT_ID", PROJECT)
        monkeypatch.setenv("UP42_JOBS_PROJECT_KEY", KEY)
        parts.settings.last_connection = "environment"
        content = DockContent(window, journey, parts.settings)
        holder = QDockWidget(window)
        holder.setWidget(content)
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, holder)
        content.build()
        qtbot.waitUntil(lambda: content.model.catalogue is not None, timeout=30_000)
        content.form.estimator._timer.setInterval(3)
        content.form.run._rest.setInterval(3)
        hands = Hands(content, server, qtbot, seed)
        hands.model.set_workflow(next(w for w in hands.model.catalogue.workflows if w.id == "plain"))
        hands.model.set_aoi(Aoi(box(1, 1, 1.01, 1.01), "First"))
        hands.model.set_job_type(JobType.LIVE_JOB)
        for _ in range(ACTIONS):
            hands.do_something()
        if hands.dialog is not None:
            hands.dialog.reject()
        qtbot.waitUntil(lambda: not content.form.run.busy, timeout=20_000)
        hands.check()
        assert len(server.sales) >= 10, "hardly anything can be bought here at all"
        print(f"{ACTIONS} actions, agreed to {len(hands.agreed)}, bought {len(server.sales)}")
        content.stop()
        holder.close()
    parts.settings.last_connection = None
