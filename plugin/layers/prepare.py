"""Everything about a job's layers that takes time, for a worker thread; what `load` then shows is ready-made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence

from ..net.cancel import Cancel
from .job_info import JobInfo
from .look import Look, measure
from .outlines import write_aoi, write_footprints
from .overviews import build_overviews, overviews_hook
from .quicklooks import place_quicklooks
from .scan import Scan, scan

__all__ = ["Look", "build_overviews", "measure", "overviews_hook", "prepare"]


def prepare(
    folder: Path,
    files: Sequence[Path],
    features: Sequence[Mapping[str, Any]],
    info: JobInfo,
    *,
    quicklooks: Sequence[Path] = (),
    cancel: Optional[Cancel] = None,
) -> tuple[Scan, Look]:
    """Make an output folder ready for `load`: find its layers, place the quicklooks, outline AOI and scenes, measure.

    `files` are the members of the manifest, `features` those of data.json, `quicklooks` images called
    `<feature id>.<suffix>`. Writes job_aoi.geojson, job_footprints.geojson and placed/ into the folder.
    Raises OSError where the folder can't be written, Cancelled.
    """
    cancel = cancel or Cancel()
    scanned = scan(folder, files, features)
    cancel.check()
    placed = place_quicklooks(folder, quicklooks, scanned.scenes)
    scanned = replace(scanned, found=[*scanned.found, *placed])
    write_aoi(folder, info.aoi_geometry, info.aoi_name)
    write_footprints(folder, scanned.scenes)
    return scanned, measure(scanned.found, cancel)
