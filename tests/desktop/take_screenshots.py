"""The dock in its main states, light and dark, narrow and wide, into build/screenshots: `make screenshots`.

The real QGIS on the local engine; every picture is of something that was really done. `take_screenshots.py map` takes
those of the map only, `dock` those of the dock only, `servers` those of connections and options, `searches` those of
watches, repeated searches, workflows and stored rasters, `parameters` those of JSON and form.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from map_pictures import photograph_map
from qgis_desktop import REPOSITORY, Desktop
from screenshots_jobs import photograph_jobs
from screenshots_parameters import photograph_parameters
from screenshots_searches import photograph_searches
from screenshots_servers import photograph_servers

OUT = REPOSITORY / "build" / "screenshots"
THEMES = {"light": "default", "dark": "Night Mapping"}
WIDTHS = (400, 560)  # pixels of the dock
CHOSEN = "dock.jobs.chosen"
OVER = f"{CHOSEN} is not None and {CHOSEN}.job.state.ended"
LOADED = f"{CHOSEN} is not None and {CHOSEN}.delivery.state.value == 'loaded'"


class Photographer:
    """One QGIS session in one theme."""

    def __init__(self, desktop: Desktop, name: str) -> None:
        self.desktop, self.name = desktop, name

    def picture(self, state: str) -> None:
        """The dock alone at each width; at the last one the whole window too."""
        for width in WIDTHS:
            self.desktop.do(f"iface.mainWindow().resizeDocks([plugin._dock], [{width}], Qt.Orientation.Horizontal)")
            self.desktop.wait(f"abs(plugin._dock.width() - {width}) < 30")
            self.settle()
            screen = OUT / f"{self.name}-{state}-window.png"
            self.desktop.shot(screen)
            left, top, wide, high = self.desktop.get(
                "(lambda d, p: [p.x(), p.y(), d.width(), d.height()])"
                "(plugin._dock, plugin._dock.mapToGlobal(QPoint(0, 0)))"
            )
            dock = OUT / f"{self.name}-{state}-{width}.png"
            crop = f"{wide}x{high}+{left}+{top}"
            subprocess.run(["convert", str(screen), "-crop", crop, "+repage", str(dock)], check=True, timeout=30)
            print(dock.relative_to(REPOSITORY), flush=True)

    def settle(self) -> None:
        """Wait until the map is drawn and the screen shows what was last done."""
        self.desktop.wait("iface.mapCanvas().mapSettings().outputSize() == iface.mapCanvas().viewport().size()")
        self.desktop.do("iface.mapCanvas().refresh()")
        self.desktop.wait_for_map()
        self.desktop.do("turns = []\nfor i in range(12): QTimer.singleShot(25 * i, lambda: turns.append(1))")
        self.desktop.wait("len(turns) == 12")

    def open(self) -> None:
        """The dock on an empty form, a map of the world behind it."""
        self.desktop.do(
            "from qgis.core import *\nfrom qgis.PyQt.QtCore import QPoint, Qt, QTimer\n"
            "from qgis.PyQt.QtWidgets import QDockWidget\n"
            "iface.mainWindow().findChild(QDockWidget, 'Browser').close()\n"
            "iface.newProject()\n"
            "countries = QgsApplication.pkgDataPath() + '/resources/data/world_map.gpkg|layername=countries'\n"
            "iface.addVectorLayer(countries, 'World', 'ogr')\n"
            "plugin = plugins['up42_jobs']\n"
            "plugin._action.trigger()"
        )
        self.desktop.wait("find('runButton') is not None and plugin._content.form.isEnabled()")
        self.desktop.do(
            "dock = plugin._content\nform, model = dock.form, dock.model\n"
            "from up42_jobs.plugin.jobs.aoi import GeometricFilter\nfrom up42_jobs.plugin.jobs.job import JobType\n"
            "def choose_workflow(name):\n"
            "    model.set_workflow(next(w for w in model.catalogue.workflows if w.name == name))\n"
        )

    def estimated(self) -> None:
        """Wait for the estimate of what the form says."""
        self.desktop.wait("form.estimator.current is not None")

    def run(self, until: str) -> None:
        """Run what the form says, by its button."""
        self.desktop.do("dock.tabs.setCurrentWidget(form)")
        jobs = self.desktop.get("dock.jobs.jobsView.model().rowCount()")
        self.desktop.click("runButton")
        self.desktop.wait(f"dock.jobs.jobsView.model().rowCount() == {jobs + 1}")
        self.desktop.wait(until)


def photograph_aois(photographer: Photographer) -> None:
    """The AOI box: a layer with several polygons and what mends them, handles on the map; ends with the example."""
    desktop = photographer.desktop
    desktop.do(
        "from qgis.PyQt.QtCore import QEvent\nfrom qgis.PyQt.QtWidgets import QApplication\nbox = form.aoi\n"
        "parcels = QgsVectorLayer('MultiPolygon?crs=EPSG:4326&field=name:string', 'Parcels', 'memory')\n"
        "for west, width in ((-54.61, 0.03), (-54.57, 0.02)):\n"
        "    parcel = QgsFeature(parcels.fields())\n"
        "    parcel.setGeometry(QgsGeometry.fromRect(QgsRectangle(west, -25.43, west + width, -25.39)))\n"
        "    parcels.dataProvider().addFeatures([parcel])\n"
        "QgsProject.instance().addMapLayer(parcels)\niface.setActiveLayer(parcels)"
    )
    desktop.click("fromLayerButton")
    desktop.wait("find('repair_hull') is not None")
    desktop.do("QApplication.sendEvent(find('repair_hull'), QEvent(QEvent.Type.Enter))")  # as the pointer would
    photographer.picture("a1-aoi-of-layer-repairs")
    desktop.click("repair_hull")
    desktop.wait("find('aoiRepairs') is None")
    desktop.click("bboxRadio")
    desktop.click("editAoiButton")
    photographer.picture("a2-aoi-edited")
    desktop.do(
        "form.drawing.stop()\nbox.taking.clear()\nQgsProject.instance().removeMapLayer(parcels)\n"
        "model.set_filter(GeometricFilter.INTERSECTS)"
    )
    desktop.click("exampleButton")


def photograph(photographer: Photographer) -> None:
    """All states, in the order in which a person would meet them."""
    desktop = photographer.desktop
    photographer.open()
    photographer.picture("1-empty")

    desktop.click("exampleButton")
    photographer.estimated()
    photographer.picture("2-ready")
    photograph_aois(photographer)

    photographer.run(until=LOADED)
    desktop.do("dock.tabs.setCurrentWidget(form)\nmodel.set_job_type(JobType.TEST_QUERY)")
    photographer.run(until=LOADED)
    desktop.do("model.set_job_type(JobType.LIVE_JOB)\nmodel.set_parameter('demo-s2-l2a:1', 'max_cloud_cover', 0)")
    desktop.do("model.set_parameter('demo-s2-l2a:1', 'time', '2024-06-01T00:00:00Z/2024-06-02T00:00:00Z')")
    photographer.run(until=OVER)
    photographer.picture("3-job-failed")
    desktop.do("choose_workflow('Demo NDVI')\nmodel.set_parameter('demo-s2-l2a:1', 'limit', 4)")
    photographer.run(until=f"{CHOSEN}.tasks")
    photographer.picture("4-job-running")
    desktop.wait(LOADED)
    desktop.do("view = dock.jobs.jobsView\nview.expand(view.currentIndex())")
    desktop.wait("view.model().rowCount(view.currentIndex()) > 0")
    photographer.picture("5-job-loaded")

    desktop.do(
        "dock.tabs.setCurrentWidget(form)\n"
        "dock.header.choose('practice')\ndock.open_connection()\nchoose_workflow('Demo Sharpened')"
    )
    desktop.wait("form.isEnabled() and model.catalogue.connection.id == 'practice'")
    photographer.picture("6-practice-test-query")
    desktop.do("model.set_job_type(JobType.LIVE_JOB)\nmodel.set_filter(GeometricFilter.BBOX)")
    photographer.estimated()
    photographer.picture("7-practice-live-job")
    desktop.click("runButton")
    desktop.wait("find('ConfirmDialog') is not None")
    photographer.picture("8-confirmation")
    desktop.key("Escape")
    desktop.wait("find('ConfirmDialog') is None")
    desktop.do(
        "form.parameters.setCollapsed(False)\n"
        "model.set_text(model.text.replace('\"medium\"', '\"much\"').replace('\"limit\": 1', '\"limit\": 0'))"
    )
    desktop.click("showProblemButton")
    photographer.picture("9-mistakes")


def money(photographer: Photographer) -> None:
    """What stands between a request and its bill, on Practice."""
    desktop = photographer.desktop
    desktop.do(
        "from shapely.geometry import box\nfrom up42_jobs.plugin.host.settings import Settings\n"
        "from up42_jobs.plugin.host.origin import Origin\nfrom up42_jobs.plugin.host.queue_store import QueueStore\n"
        "from up42_jobs.plugin.host.submit import Confirmation\nfrom up42_jobs.plugin.jobs.aoi import Aoi\n"
        "def aoi(west, size=0.02, name=''):\n"
        "    return Aoi(box(west, 52.4, west + size, 52.4 + size), name or f'Field {west:g}')\n"
        "dock.tabs.setCurrentWidget(form)\nchoose_workflow('Demo Sharpened')\nform.parameters.setCollapsed(True)\n"
        "model.set_aoi(aoi(13.1, name='Havelland'))\nmodel.set_job_type(JobType.LIVE_JOB)\n"
        "form.footer.tasksButton.setChecked(True)"
    )
    photographer.estimated()
    photographer.picture("m1-estimate-by-task")
    desktop.do("form.footer.tasksButton.setChecked(False)\nSettings().job_cap = 1.0")
    desktop.do("form.estimator.ask_anew()")
    photographer.estimated()
    photographer.picture("m2-above-the-cap")
    desktop.do("Settings().job_cap = None\nform.estimator.ask_anew()")
    photographer.estimated()
    desktop.click("runButton")
    desktop.click("confirmRunButton")
    desktop.wait(LOADED)
    desktop.do("dock.tabs.setCurrentWidget(form)")
    desktop.wait("form.footer.loadBoughtButton.isVisible()")
    photographer.picture("m3-bought-before")
    desktop.click("runButton")
    desktop.wait("find('ConfirmDialog') is not None")
    photographer.picture("m4-buy-again")
    desktop.key("Escape")
    desktop.wait("find('ConfirmDialog') is None")
    desktop.do(
        "fields = [aoi(13.2 + n / 20, 0.02, f'Field {n}') for n in range(1, 5)]\n"
        "dock.orders.many([*fields, aoi(13.36, 0.03, 'Overlapping'), aoi(13.9, 0.0001, 'Tiny')])"
    )
    desktop.wait("find('manyRunButton').isEnabled()")
    photographer.picture("m5-many-aois")
    desktop.click("manyRunButton")
    desktop.wait("find('ConfirmDialog') is not None")
    photographer.picture("m6-many-confirmation")
    desktop.key("Escape")
    desktop.wait("find('ConfirmDialog') is None")
    desktop.do(
        "requests = [row.request for row in dock.orders.dialog.rows[:3]]\ndock.orders.dialog.reject()\n"
        "ordered = [(r, Confirmation(r.fingerprint, 60.0)) for r in requests]\n"
        "QueueStore(plugin._parts.ledger).add('practice', ordered, Origin('', ''), 'an earlier session')\n"
        "plugin._journey.queue.start()"
    )
    desktop.wait("find('queueGoOnButton') is not None")
    photographer.picture("m7-paused-queue")
    desktop.click("queueDiscardButton")
    desktop.wait("not dock.queue_strip.isVisible()")


def photograph_dock(photographer: Photographer) -> None:
    """The dock, then what it says of money."""
    photograph(photographer)
    money(photographer)


PARTS = {
    "dock": photograph_dock,
    "map": lambda photographer: photograph_map(photographer, OUT),
    "jobs": lambda photographer: photograph_jobs(photographer, OUT),
    "servers": photograph_servers,
    "searches": photograph_searches,
    "parameters": photograph_parameters,
}
NOTHING_ANSWERS = "http://127.0.0.1:9"  # the port of the discard service, where no server of ours is


def main(wanted: list[str]) -> int:
    """Take all pictures, or those of the parts that are named; any Python error inside QGIS is an error here."""
    OUT.mkdir(parents=True, exist_ok=True)
    if not wanted:
        for old in OUT.glob("*.png"):
            old.unlink()
    for name, theme in THEMES.items():
        for part in wanted or PARTS:
            if part == "searches":
                os.environ["UP42_JOBS_STAC_URL"] = NOTHING_ANSWERS
            desktop = Desktop(theme=theme)
            try:
                PARTS[part](Photographer(desktop, name))
                desktop.quit()
                if desktop.errors:
                    print(desktop.errors, file=sys.stderr)
                    return 1
            finally:
                desktop.close()
                os.environ.pop("UP42_JOBS_STAC_URL", None)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
