"""The main job, end to end, in QGIS without a display: `make demo`.

It drives what the dock is made of (the request model, the estimator, the journey) as a person would: open *This
Computer*, choose a workflow, give an AOI, look with Test Queries, run a Live Job, and wait for its layers. The imagery
is two Landsat 8 scenes of 18 May 2020 around the Itaipu dam (USGS, public domain); without them, synthetic scenes.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
import warnings
from pathlib import Path
from typing import Any, Callable, Optional

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "build" / "sample"
DEMO = ROOT / "build" / "demo"
PATIENCE_SECONDS = 180
SYNTHETIC = "UP42_JOBS_DEMO_SYNTHETIC"  # set: the synthetic scenes, although the real ones are there

# Around the Itaipu dam: the reservoir's end, the dam, Ciudad del Este and Foz do Iguaçu.
ITAIPU = [
    *((-54.700, -25.330), (-54.640, -25.255), (-54.545, -25.240), (-54.470, -25.300)),
    *((-54.455, -25.420), (-54.520, -25.520), (-54.630, -25.535), (-54.695, -25.450)),
]
# Where the synthetic scenes are drawn; anywhere on Earth would do.
ELSEWHERE = [(13.30, 52.42), (13.40, 52.39), (13.46, 52.45), (13.42, 52.51), (13.33, 52.50)]

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
warnings.filterwarnings("ignore", category=FutureWarning, module="osgeo")  # GDAL 3.10: about its next version


def prepare_folders() -> None:
    """A profile and a data folder of the demo's own: it neither sees nor changes the user's."""
    shutil.rmtree(DEMO, ignore_errors=True)
    for name in ("profile", "run"):
        (DEMO / name).mkdir(parents=True, mode=0o700)
    os.environ["QGIS_CUSTOM_CONFIG_PATH"] = str(DEMO / "profile")
    os.environ["UP42_JOBS_ENGINE_DATA"] = str(DEMO / "engine")
    os.environ.setdefault("XDG_RUNTIME_DIR", str(DEMO / "run"))


prepare_folders()

from qgis.core import Qgis, QgsApplication, QgsCoordinateReferenceSystem, QgsProject  # noqa: E402
from qgis.PyQt.QtCore import QEventLoop, QTimer  # noqa: E402

from up42_jobs.plugin.delivery.manifest import read_manifest  # noqa: E402
from up42_jobs.plugin.desktop.estimator import Estimator  # noqa: E402
from up42_jobs.plugin.desktop.request_model import RequestModel  # noqa: E402
from up42_jobs.plugin.host.journey import Journey  # noqa: E402
from up42_jobs.plugin.host.parts import Parts, make_parts  # noqa: E402
from up42_jobs.plugin.host.records import Catalogue, DeliveryState, JobRecord  # noqa: E402
from up42_jobs.plugin.host.words import area, duration_range, job_type_word, state_word, tell  # noqa: E402
from up42_jobs.plugin.host.work import Works  # noqa: E402
from up42_jobs.plugin.jobs.aoi import Aoi, GeometricFilter  # noqa: E402
from up42_jobs.plugin.jobs.job import Job, JobType  # noqa: E402
from up42_jobs.plugin.jobs.naming import job_name  # noqa: E402
from up42_jobs.plugin.layers.picture import render_job  # noqa: E402


class DemoFailed(Exception):
    """A step did not come to its end; the text says which and why."""


def say(what: str, text: str) -> None:
    """One line of the report."""
    print(f"  {what:<12} {text}", flush=True)


def step(title: str) -> None:
    """The head of a step."""
    print(f"\n{title}", flush=True)


def wait_until(done: Callable[[], bool], what: str) -> None:
    """Let QGIS run until `done`; the demo's only way to wait."""
    loop, timer, deadline = QEventLoop(), QTimer(), time.monotonic() + PATIENCE_SECONDS
    timer.timeout.connect(lambda: loop.quit() if done() or time.monotonic() > deadline else None)
    timer.start(20)
    loop.exec()
    if not done():
        raise DemoFailed(f"{what}: not done after {PATIENCE_SECONDS} s")


def answer_of(ask: Callable[[Callable[[Any], None], Callable[[str], None]], Any], what: str) -> Any:
    """The answer to a question that is answered by one of two callbacks."""
    values: list[Any] = []
    reasons: list[str] = []
    work = ask(values.append, reasons.append)
    wait_until(lambda: bool(values or reasons), what)
    del work
    if reasons:
        raise DemoFailed(f"{what}: {reasons[0]}")
    return values[0]


class Demo:
    """The parts of the dock, without its widgets."""

    def __init__(self, parts: Parts) -> None:
        self.works = Works()
        self.journey = Journey(self.works, parts.connections, parts.ledger, parts.settings)
        self.model = RequestModel()
        self.estimator = Estimator(self.model, self.journey)
        self.journey.told.connect(lambda level, text: say(level, text))
        self.journey.noticed.connect(lambda notice: say(notice.level, notice.text))
        self.groups: dict[str, Any] = {}
        self.journey.arrived.connect(self.groups.__setitem__)

    @property
    def catalogue(self) -> Catalogue:
        """What the connection offers."""
        if self.model.catalogue is None:
            raise DemoFailed("no connection is open")
        return self.model.catalogue

    def open(self) -> None:
        """This Computer: the local engine is started by it."""
        connection = self.journey.connections.all()[0]
        catalogue = answer_of(lambda done, failed: self.journey.open(connection, done, failed), "Open")
        self.model.set_catalogue(catalogue)
        self.journey.watch(catalogue)
        say("connection", f"{connection.title}. {connection.hint}")
        say("workflows", " | ".join(workflow.name for workflow in catalogue.workflows))

    def choose(self, data_block: str, aoi: Aoi) -> None:
        """The first workflow of that data block, with this AOI."""
        workflow = next(w for w in self.catalogue.workflows if w.tasks[0].block.name == data_block)
        self.model.set_workflow(workflow)
        self.model.set_aoi(aoi)
        self.model.set_parameter(workflow.tasks[0].name, "limit", 2)
        say("workflow", f"{workflow.name}: " + " → ".join(task.block.name for task in workflow.tasks))
        say("AOI", f"{aoi.name}, {area(aoi.area_km2)} drawn")

    def run(self, job_type: JobType, geometric_filter: GeometricFilter) -> JobRecord:
        """Run the request at hand and wait until its outputs are on the map."""
        self.model.set_job_type(job_type)
        self.model.set_filter(geometric_filter)
        if self.model.problems or self.model.request is None:
            raise DemoFailed(" ".join(tell(problem) for problem in self.model.problems))
        if job_type is JobType.LIVE_JOB:
            self._await_estimate()
        request = self.model.request
        workflow = request.workflow
        name = job_name(request.aoi.name if request.aoi else "", workflow.name if workflow else "")
        request = request.named(f"{name} {job_type_word(job_type)} {geometric_filter.value}")
        job = answer_of(lambda done, failed: self.journey.submit(self.catalogue, request, None, done, failed), "Submit")
        return self._follow(job)

    def _await_estimate(self) -> None:
        wait_until(lambda: bool(self.estimator.current or self.estimator.error), "Estimate")
        estimate = self.estimator.current
        if estimate is None:
            raise DemoFailed(f"Estimate: {self.estimator.error}")
        say("estimate", f"{duration_range(estimate.seconds)}, free")

    def _follow(self, job: Job) -> JobRecord:
        seen: list[str] = []

        def arrived() -> bool:
            record = self._record(job)
            if record is None:
                return False
            word = state_word(record.job.state)
            if word not in seen:
                seen.append(word)
            failed = record.delivery.state is DeliveryState.FAILED or record.job.state.value in ("failed", "cancelled")
            return failed or (record.delivery.state is DeliveryState.LOADED and job.id in self.groups)

        wait_until(arrived, f"Job {job.id}")
        record = self._record(job)
        if record is None or record.delivery.state is not DeliveryState.LOADED:
            raise DemoFailed(f"job {job.id}: {record.delivery.message if record else 'not listed'}")
        say("job", f"{job.id}: {' → '.join(seen)}")
        return record

    def _record(self, job: Job) -> Optional[JobRecord]:
        records = self.journey.records(self.catalogue.connection.id)
        return next((record for record in records if record.job.id == job.id), None)

    def add_scenes(self, folder: Path) -> None:
        """Register a folder of rasters as scenes, as *Add Scene Folder…* does."""
        rights = {"attribution": "Landsat 8 imagery courtesy of the U.S. Geological Survey", "licence": "Public domain"}
        answer_of(
            lambda done, failed: self.journey.add_scene_folder(folder, done, failed, **rights), "Add scene folder"
        )
        say("scenes", "two Landsat 8 scenes of 18 May 2020 (USGS, public domain), registered as My Scenes")

    def close(self) -> None:
        """As unload does."""
        self.estimator.stop()
        self.journey.close()
        self.works.stop()


def scenes_of(record: JobRecord) -> list[str]:
    """The ids of the scenes that a job delivered, from its job.json."""
    return [scene["id"] for scene in read_manifest(record.delivery.folder)["scenes"]]


def tell_files(record: JobRecord, group: Any) -> None:
    """The files and layers of a job."""
    folder = record.delivery.folder
    if folder is None:
        raise DemoFailed("the job has no output folder")
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        say("file", f"{path.relative_to(ROOT)} ({path.stat().st_size / 1e6:.2f} MB)")
    for node in group.findLayers():
        say("layer", f"{group.name()} / {node.name()}")


def run_demo(demo: Demo) -> None:
    """The whole journey, step by step."""
    real = any(SAMPLE.glob("*.TIF")) and not os.environ.get(SYNTHETIC)
    step("1. A connection")
    demo.open()
    step("2. An AOI and a workflow")
    if real:
        demo.add_scenes(SAMPLE)
    else:
        say("note", "the Landsat scenes are not to be had here: SYNTHETIC demo scenes are used, not observations")
    ring = ITAIPU if real else ELSEWHERE
    geometry = {"type": "Polygon", "coordinates": [[*map(list, ring), list(ring[0])]]}
    demo.choose("local-scenes" if real else "demo-s2-l2a", Aoi.from_geojson(geometry, "Itaipu" if real else "Berlin"))
    step("3. Test Queries: what is there, by each geometric filter (free)")
    for geometric_filter in GeometricFilter:
        record = demo.run(JobType.TEST_QUERY, geometric_filter)
        found = scenes_of(record)
        say(geometric_filter.value, f"{len(found)} scene(s): {', '.join(found) or '–'}")
    step("4. A Live Job: download, unpack, load")
    live = demo.run(JobType.LIVE_JOB, GeometricFilter.INTERSECTS)
    tell_files(live, demo.groups[live.job.id])
    step("5. The map")
    draw(demo.groups[live.job.id], real)


def draw(group: Any, real: bool) -> None:
    """Render the Live Job's layers with AOI and footprints: the picture of the README."""
    path = DEMO / "map.png"
    if real:
        title, subtitle = "Itaipu dam, Brazil and Paraguay", "Landsat 8 in natural colour, 18 May 2020, 30 m"
    else:
        title, subtitle = "Demo scenes", "Synthetic, not an observation"
    render_job(group, path, title=title, subtitle=subtitle)
    say("picture", str(path.relative_to(ROOT)))


def main() -> int:
    """Run the demo; 0 where every step came to its end."""
    application = QgsApplication([], False)
    application.initQgis()
    print(f"UP42 Jobs: the main job, in QGIS {Qgis.QGIS_VERSION.split('-')[0]}, without a display")
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    parts = make_parts()
    parts.settings.output_folder = str(DEMO / "outputs")
    demo = Demo(parts)
    try:
        run_demo(demo)
    except DemoFailed as failure:
        print(f"\nThe demo stopped. {failure}", file=sys.stderr)
        return 1
    finally:
        demo.close()
        parts.close()
        QgsProject.instance().clear()
        application.exitQgis()
    print("\nDone.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
