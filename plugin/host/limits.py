"""A project's limits, in one line for people."""

from __future__ import annotations

from ..jobs.workflow import Project
from .words import number, tr


def limits_line(project: Project) -> str:
    """`AOI 0.1–100 km² · up to 10 scenes · 10 jobs at a time`; a limit that the platform does not tell is left out."""
    least, most = project.aoi_limits.min_km2, project.aoi_limits.max_km2
    told = []
    if most is not None and least > 0:
        told.append(tr("AOI {least}–{most} km²").format(least=_short(least), most=_short(most)))
    elif most is not None:
        told.append(tr("AOI up to {most} km²").format(most=_short(most)))
    elif least > 0:
        told.append(tr("AOI from {least} km²").format(least=_short(least)))
    if project.max_scenes is not None:
        told.append(tr("up to {count} scenes").format(count=number(project.max_scenes)))
    told.append(tr("{count} jobs at a time").format(count=number(project.max_concurrent_jobs)))
    return " · ".join(told)


def _short(km2: float) -> str:
    return number(km2, 0 if km2 == int(km2) else 1 if km2 >= 0.1 else 4)
