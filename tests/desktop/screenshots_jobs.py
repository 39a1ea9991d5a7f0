"""Pictures of the jobs table: a download under way, and *Export Table* with its totals, on Practice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LOADED = "dock.jobs.chosen is not None and dock.jobs.chosen.delivery.state.value == 'loaded'"
EXPORT = "dock.jobs.windows.export"


def photograph_jobs(photographer: Any, out: Path) -> None:
    """One Live Job that was really run, and the row of another as it looks while it is downloaded."""
    desktop = photographer.desktop
    photographer.open()
    desktop.do("dock.header.choose('practice')\ndock.open_connection()")
    desktop.wait("form.isEnabled() and model.catalogue.connection.id == 'practice'")
    desktop.click("exampleButton")
    desktop.do("choose_workflow('Demo Sharpened')\nmodel.set_job_type(JobType.LIVE_JOB)")
    photographer.estimated()
    desktop.click("runButton")
    desktop.click("confirmRunButton")
    desktop.wait(LOADED)
    desktop.do(
        "from dataclasses import replace\nfrom up42_jobs.plugin.host.records import Delivery, DeliveryState\n"
        "here = dock.jobs.chosen\ndelivery = Delivery(DeliveryState.DOWNLOADING, 0.42, speed=13.1e6)\n"
        "other = replace(here, job=replace(here.job, id='x', name='Havelland · Demo Sharpened'), delivery=delivery)\n"
        "dock.jobs._model.set_source({here.job.id: here, 'x': other})"
    )
    photographer.picture("j1-download")
    desktop.do("dock.jobs.actions_.export.trigger()")
    desktop.wait(f"{EXPORT}.totalsTree.topLevelItemCount() > 0 and not {EXPORT}.listingBar.isVisible()")
    desktop.do(f"{EXPORT}.exportFile.setFilePath('UP42 Jobs.xlsx')\n{EXPORT}.formatCombo.setCurrentIndex(1)")
    photographer.settle()
    desktop.shot(out / f"{photographer.name}-j2-export.png")
    desktop.do(f"{EXPORT}.close()")
