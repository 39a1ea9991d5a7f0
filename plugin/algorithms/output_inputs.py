"""The inputs and outputs of what fetches a job's outputs, and the way from them to files, scenes and layers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Optional, Sequence

from qgis.core import (
    QgsProcessingException,
    QgsProcessingOutputMultipleLayers,
    QgsProcessingOutputRasterLayer,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterNumber,
)

from ..delivery.data_json import FILE_NAME as DATA_JSON
from ..delivery.manifest import read_manifest
from ..host.collect import QUICKLOOKS, Prepared, collect, log_reason
from ..host.follow import follow
from ..host.words import state_word, tr
from ..jobs.job import Job, JobState, Scene
from ..jobs.job import Task as JobTask
from ..layers.outlines import FOOTPRINTS_FILE
from .base import JobAlgorithm, Place, Run
from .on_map import load_on_completion
from .tables import scenes_output, write_polygons

SCENE_COLUMNS = (("id", str), ("date", str), ("cloud_cover", float), ("quicklook", str), ("job_id", str))


@dataclass(frozen=True)
class Collected:
    """A job as it was last seen, and what was fetched of it."""

    job: Job
    prepared: Optional[Prepared] = None


class CollectingAlgorithm(JobAlgorithm):
    """An algorithm that waits for jobs and fetches their outputs."""

    def add_collecting(self, wait_seconds: int) -> None:
        """TASK, WAIT, OUTPUT_FOLDER, LOAD and what comes out of it."""
        self.add_text(
            "TASK",
            tr("Task"),
            tr("Whose own output to fetch, such as “demo-s2-l2a:1”, by name or ID. Empty: the final output."),
        )
        self.add(
            QgsProcessingParameterNumber("WAIT", tr("Wait (seconds)"), defaultValue=wait_seconds, minValue=0),
            tr("How long to wait for jobs that have not ended; what has not ended then is left to a later run."),
        )
        self.add(
            QgsProcessingParameterFolderDestination("OUTPUT_FOLDER", tr("Output folder")),
            tr("In it a folder is made for each job. What is there already is not fetched again."),
        )
        self.add(
            QgsProcessingParameterBoolean("LOAD", tr("Load layers"), defaultValue=False),
            tr("Add all layers to the project when the run has ended."),
        )
        self.add(scenes_output("SCENES", tr("Scenes"), optional=True), tr("Footprint, date and cloud cover of each."))
        self.addOutput(QgsProcessingOutputString("STATUS", tr("Status of each job")))
        self.addOutput(QgsProcessingOutputMultipleLayers("FILES", tr("Files")))
        self.addOutput(QgsProcessingOutputRasterLayer("OUTPUT", tr("First raster")))

    def collect_all(self, run: Run, place: Place, jobs: Sequence[Job]) -> dict[str, Any]:
        """Wait for the jobs, fetch what has succeeded, give the outputs. Raises where every job failed."""
        parent = Path(self.text(run, "OUTPUT_FOLDER")).absolute()
        until = monotonic() + self.number(run, "WAIT")
        collected, reasons = [], []
        for number, job in enumerate(jobs):
            one, reason = self._collect_one(run, place, job, parent, until, (number, len(jobs)))
            collected.append(one)
            if reason:
                reasons.append(reason)
                run.feedback.reportError(reason)
        if reasons and len(reasons) == len(jobs):
            raise QgsProcessingException(" ".join(reasons))
        if self.yes(run, "LOAD"):
            for one in collected:
                if one.prepared is not None:
                    load_on_completion(run.context, one.prepared)
        return self._results(run, collected, parent)

    def _collect_one(
        self, run: Run, place: Place, job: Job, parent: Path, until: float, share: tuple[int, int]
    ) -> tuple[Collected, str]:
        """The job and its outputs; the text says why it has none where it failed or was cancelled."""
        job = follow(place.platform, job, run.cancel, lambda now: _tell_state(run, now), until)
        wanted = self.text(run, "TASK")
        if not job.state.ended and not wanted:
            return Collected(job), ""
        if job.state is not JobState.SUCCEEDED and not wanted:
            return Collected(job), _not_succeeded(job, log_reason(place.platform, job))
        task = find_task(place.platform.tasks(job), wanted) if wanted else None
        if task is not None and task.state is not JobState.SUCCEEDED:
            text = tr("The task “{task}” of the job {id} has no output: it is {state}.")
            why = text.format(task=task.name, id=job.id, state=state_word(task.state))
            return Collected(job), why if task.state.ended or job.state.ended else ""
        parent.mkdir(parents=True, exist_ok=True)
        prepared = collect(
            run.parts.connections,
            run.parts.ledger,
            place.connection,
            job,
            parent,
            run.cancel,
            lambda fraction: run.feedback.setProgress(100 * (share[0] + fraction) / share[1]),
            task,
        )
        run.feedback.pushInfo(tr("The outputs are in {folder}.").format(folder=prepared.folder))
        return Collected(job, prepared), ""

    def _results(self, run: Run, collected: Sequence[Collected], parent: Path) -> dict[str, Any]:
        delivered = [(one.job, one.prepared) for one in collected if one.prepared is not None]
        all_prepared = [prepared for _job, prepared in delivered]
        rasters = [found.uri for prepared in all_prepared for found in prepared.scan.found if found.kind == "raster"]
        scenes = write_scenes(self, run, delivered)
        if not scenes and len(delivered) == 1 and (all_prepared[0].folder / FOOTPRINTS_FILE).is_file():
            scenes = {"SCENES": str(all_prepared[0].folder / FOOTPRINTS_FILE)}
        return {
            "STATUS": ",".join(one.job.state.value for one in collected),
            "OUTPUT_FOLDER": str(all_prepared[0].folder if len(collected) == 1 and delivered else parent),
            "FILES": [str(path) for prepared in all_prepared for path in files_of(prepared)],
            **({"OUTPUT": rasters[0]} if rasters else {}),
            **scenes,
        }


def write_scenes(algorithm: JobAlgorithm, run: Run, delivered: Sequence[tuple[Job, Prepared]]) -> dict[str, str]:
    """Write the scenes of delivered jobs into the output SCENES, where it is asked for."""
    rows = [
        (
            (scene.id, _iso(scene), scene.cloud_cover, quicklook_of(prepared.folder, scene), job.id),
            dict(scene.footprint) or None,
        )
        for job, prepared in delivered
        for scene in prepared.scan.scenes
    ]
    return write_polygons(algorithm, run, "SCENES", SCENE_COLUMNS, rows)


def quicklook_of(folder: Path, scene: Scene) -> Optional[str]:
    """The path of a scene's quicklook in a delivered folder; None where it has none."""
    found = sorted(path for path in (folder / QUICKLOOKS).glob("*") if path.stem == scene.id)
    return str(found[0]) if found else None


def files_of(prepared: Prepared) -> list[Path]:
    """The files that were delivered: those of the archive but for its table of contents, then the quicklooks."""
    members = [prepared.folder / entry["path"] for entry in read_manifest(prepared.folder)["files"]]
    quicklooks = sorted((prepared.folder / QUICKLOOKS).glob("*"))
    return [path for path in members if path.name != DATA_JSON] + quicklooks


def find_task(tasks: Sequence[JobTask], wanted: str) -> JobTask:
    """The task of that name or ID."""
    for task in tasks:
        if wanted in (task.name, task.id):
            return task
    text = tr("The job has no task “{name}”: use one of {known}.")
    raise QgsProcessingException(text.format(name=wanted, known=", ".join(task.name for task in tasks)))


def _tell_state(run: Run, job: Job) -> None:
    run.feedback.pushInfo(tr("Job {id}: {state}").format(id=job.id, state=state_word(job.state)))


def _iso(scene: Scene) -> Optional[str]:
    return scene.acquired_at.strftime("%Y-%m-%dT%H:%M:%SZ") if scene.acquired_at else None


def _not_succeeded(job: Job, reason: str) -> str:
    text = tr("The job {id} ended as {state}. {reason}")
    return text.format(id=job.id, state=state_word(job.state), reason=reason).strip()
