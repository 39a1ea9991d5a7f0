"""Money in the real QGIS: every refusal met, a Test Query's ticked scenes bought, five AOIs as five jobs."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from qgis_desktop import Desktop
from test_desktop_journey import open_dock

DATA = "demo-s2-l2a:1"
PRICED = "form.estimator.price is not None"
DIALOG = "find('ConfirmDialog')"
REASON = "form.footer.problem.problemText.text()"


def open_practice(desktop: Desktop) -> None:
    """The dock on Practice, a Live Job on an AOI of its own in the form."""
    open_dock(desktop)
    desktop.do(
        "dock = plugin._content\nform, model, journey = dock.form, dock.model, plugin._journey\n"
        "from shapely.geometry import box\n"
        "from up42_jobs.plugin.host.settings import Settings\n"
        "from up42_jobs.plugin.jobs.aoi import Aoi\n"
        "from up42_jobs.plugin.jobs.job import JobType\n"
        "def aoi(west, size=0.01, name=''):\n"
        "    return Aoi(box(west, 50, west + size, 50 + size), name or f'At {west}')\n"
        "def live(west, size=0.01):\n"
        "    model.set_aoi(aoi(west, size))\n"
        "    model.set_job_type(JobType.LIVE_JOB)\n"
        "def ask():\n"
        "    form.estimator.ask_anew()\n"
        "def jobs():\n    return [record.job.name for record in journey.records('practice')]\n"
        "dock.header.choose('practice')\ndock.open_connection()\n"
    )
    desktop.wait("form.isEnabled() and model.catalogue.connection.id == 'practice'")
    desktop.do(f"model.set_workflow(next(w for w in model.catalogue.workflows if w.tasks[0].name == '{DATA}'))")


def refused(desktop: Desktop, words: str) -> None:
    """The button can't be pressed by hand, and the form says why."""
    desktop.wait(f"{words!r} in {REASON} and not find('runButton').isEnabled()")
    desktop.click_at(*desktop.get("[find('runButton').mapToGlobal(find('runButton').rect().center()).x(), "
                                  "find('runButton').mapToGlobal(find('runButton').rect().center()).y()]"))
    assert desktop.get(f"{DIALOG} is None")


def set_balance(desktop: Desktop, credits: int) -> None:
    """Practice has so many play credits left."""
    with closing(sqlite3.connect(desktop.folder / "engine" / "engine.sqlite", timeout=10)) as db, db:
        db.execute("UPDATE projects SET balance = ? WHERE kind = 'practice'", (credits,))


def test_every_refusal_is_met_before_anything_is_bought(desktop: Desktop) -> None:
    open_practice(desktop)
    desktop.do("live(3.0)")
    assert not desktop.get("find('runButton').isEnabled()")  # no price yet
    desktop.wait(PRICED)
    desktop.wait("find('runButton').isEnabled()")
    desktop.do(f"model.set_parameter('{DATA}', 'limit', 2)")
    assert not desktop.get("find('runButton').isEnabled() or form.footer.estimateLabel.isEnabled()")  # stale: greyed
    desktop.wait(PRICED)

    desktop.do("Settings().job_cap = form.estimator.price.most - 1\nask()")
    refused(desktop, "cap per job")
    desktop.do("Settings().job_cap = None\nSettings().month_cap = form.estimator.price.most - 1\nask()")
    refused(desktop, "per month")
    desktop.do("Settings().month_cap = None\nask()")
    desktop.wait("find('runButton').isEnabled()")

    desktop.do(f"model.set_parameter('{DATA}', 'limit', 11)")
    desktop.wait("not find('runButton').isEnabled() and form.footer.problem.isVisible()")  # the project's maximum is 10
    desktop.do(f"model.set_parameter('{DATA}', 'limit', 1)")
    desktop.wait(PRICED)

    desktop.do(f"model.set_parameter('{DATA}', 'limit', 8)\nlive(3.0, 0.04)")
    desktop.wait(PRICED)
    set_balance(desktop, int(desktop.get("form.estimator.price.most") / 2))
    desktop.do("ask()")
    refused(desktop, "AOI of at most about")
    set_balance(desktop, 10_000)
    desktop.do(f"model.set_parameter('{DATA}', 'limit', 1)\nlive(3.0)\nask()")
    desktop.wait("find('runButton').isEnabled()")
    assert desktop.get("jobs()") == []

    desktop.click("runButton")
    desktop.click("confirmRunButton")
    desktop.wait("len(jobs()) == 1")
    desktop.do("dock.tabs.setCurrentWidget(form)")
    desktop.wait("form.footer.loadBoughtButton.isVisible()")
    desktop.click("runButton")
    desktop.wait(f"{DIALOG} is not None and {DIALOG}.beforeValue.isVisible()")
    desktop.key("Return")  # the default is Cancel
    desktop.wait(f"{DIALOG} is None")
    desktop.click("loadBoughtButton")
    desktop.wait("dock.jobs.chosen is not None and dock.jobs.chosen.delivery.state.value == 'loaded'")
    assert desktop.get("len(jobs())") == 1

    desktop.do(
        "dock.tabs.setCurrentWidget(form)\n"
        "stored = next(w for w in model.catalogue.workflows if not w.needs_aoi)\n"
        "model.set_workflow(stored)\nmodel.set_job_type(JobType.LIVE_JOB)\n"
        "model.set_parameter(stored.tasks[0].name, 'asset_ids', ['field.tif'])\n"
    )
    desktop.wait("not model.problems and 'unknown' in form.footer.estimateLabel.text()")
    desktop.click("runButton")
    desktop.wait(f"{DIALOG} is not None and 'unknown' in {DIALOG}.creditsValue.text()")
    desktop.key("Escape")
    desktop.wait(f"{DIALOG} is None")
    assert desktop.get("len(jobs())") == 1


def test_a_test_query_s_ticked_scenes_become_a_live_job(desktop: Desktop) -> None:
    open_practice(desktop)
    desktop.do("model.set_aoi(aoi(4.0, 0.05))\nmodel.set_job_type(JobType.TEST_QUERY)")
    desktop.do(f"model.set_parameter('{DATA}', 'limit', 4)")
    desktop.click("runButton")
    desktop.wait("dock.scenes is not None and len(dock.scenes.model.scenes) == 4")
    desktop.wait("dock.tabs.currentWidget() is dock.scenes")
    assert desktop.get("dock.scenes.model.ticked") == []  # nothing is ticked at first
    desktop.do(
        "view = dock.scenes.scenesView\nview.setFocus()\nview.setCurrentIndex(view.model().index(0, 0))"
    )
    desktop.key("space", "Down", "Down", "space")
    desktop.wait("len(dock.scenes.model.ticked) == 2")
    ticked = desktop.get("dock.scenes.model.ticked")
    desktop.click("tickedButton")
    desktop.wait("dock.tabs.currentWidget() is form")
    assert desktop.get(f"model.request.parameters['{DATA}']['ids']") == ticked
    assert desktop.get("model.request.job_type is JobType.LIVE_JOB")
    assert desktop.get("len(jobs())") == 1  # nothing was bought by that
    desktop.click("runButton")
    desktop.wait(f"{DIALOG} is not None and '2' in {DIALOG}.scenesValue.text()")
    desktop.click("confirmRunButton")
    desktop.wait("len(jobs()) == 2")
    desktop.wait("dock.jobs.chosen is not None and dock.jobs.chosen.delivery.state.value == 'loaded'")
    inputs = desktop.get(f"dict(dock.jobs.chosen.job.inputs['{DATA}'])")
    assert inputs["ids"] == ticked


def test_five_aois_are_five_jobs_and_the_one_that_failed_is_sent_again(desktop: Desktop) -> None:
    open_practice(desktop)
    desktop.do(
        f"live(5.0)\nmodel.set_parameter('{DATA}', 'limit', 6)\n"
        "dock.orders.many([aoi(5 + n / 5, 0.1 if n == 3 else 0.006, f'Field {n}') for n in range(1, 6)])\n"
        "many = dock.orders.dialog"
    )
    desktop.wait("many.runButton.isEnabled()")
    assert desktop.get("len(many.rows)") == 5
    desktop.click("manyRunButton")
    desktop.wait(f"{DIALOG} is not None")
    assert desktop.get(f"{DIALOG}.aoiValue.text()") == "Field 1, Field 2, Field 3, Field 4, Field 5"
    desktop.click("confirmRunButton", "click", "--repeat", "2", "--delay", "60", "1")
    desktop.wait("len(jobs()) == 5")
    desktop.do(
        "large = next(r for r in journey.records('practice') if r.job.name.startswith('Field 3'))\n"
        "journey.job_actions.cancel(large)"
    )
    desktop.wait("journey.queue.batches and journey.queue.batches[0].over")
    assert desktop.get("[item.name.split(' · ')[0] for item in journey.queue.batches[0].failed]") == ["Field 3"]
    desktop.wait("find('queueGoOnButton').text() == 'Send Again…'")
    desktop.wait("journey.book.find('practice', large.job.id).entry.told is not None")
    desktop.click("queueGoOnButton")
    desktop.wait("dock.orders.dialog is not None and find('manyRunButton').isEnabled()")
    assert desktop.get("[row.name for row in dock.orders.dialog.rows]") == ["Field 3"]
    desktop.click("manyRunButton")
    desktop.click("confirmRunButton")
    desktop.wait("len(jobs()) == 6")
    assert desktop.get("sum(name.startswith('Field 3') for name in jobs())") == 2
    desktop.wait("not journey.queue.batches")
