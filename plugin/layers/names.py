"""The names of a job's group and layers (mission, *Units and time*)."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Optional, Sequence

from ..jobs.job import Scene
from ..jobs.naming import layer_name
from .job_info import JobInfo, is_demo
from .scan import Found, Scan
from .words import tr


def group_name(info: JobInfo, scan: Scan) -> str:
    """The job's name; the word Demo is put before it where it says so nowhere and a scene is a demo scene."""
    return _with_demo(info.name, any(is_demo(scene.id) for scene in scan.scenes))


def footprints_name(scan: Scan) -> str:
    """Footprints, or Demo Footprints."""
    return _with_demo(tr("Footprints"), any(is_demo(scene.id) for scene in scan.scenes))


def layer_names(scan: Scan, info: JobInfo) -> list[str]:
    """The names of `scan.found`, in its order: `<date> <AOI name> <product>`.

    Where several would be called the same, what tells their files apart is added: the words (between `_`) of the
    names of file and folder that not all of them have, such as path and row or the number of a tile.
    """
    scenes = {scene.id: scene for scene in scan.scenes}
    names = [_plain_name(found, scenes.get(found.scene_id), scan, info) for found in scan.found]
    alike: dict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(names):
        alike[name].append(i)
    for name, places in alike.items():
        if len(places) > 1:
            for i, difference in zip(places, _differences([scan.found[i] for i in places])):
                names[i] = f"{name} {difference}".rstrip()
    return names


def _plain_name(found: Found, scene: Optional[Scene], scan: Scan, info: JobInfo) -> str:
    product = tr("Quicklook") if found.role == "quicklook" else info.product
    # A file that belongs to no scene is made of all of them.
    demo = is_demo(found.scene_id) if found.scene_id else any(is_demo(s.id) for s in scan.scenes)
    return layer_name(scene.acquired_at if scene else None, info.aoi_name, _with_demo(product, demo))


def _with_demo(name: str, demo: bool) -> str:
    return tr("Demo {name}").format(name=name) if demo and "demo" not in name.lower() else name


def _differences(found: Sequence[Found]) -> list[str]:
    words = [re.split(r"[_\s]+", f"{each.path.parent.name} {each.name}") for each in found]
    common = set(words[0]).intersection(*words[1:])
    return [" ".join(dict.fromkeys(word for word in each if word not in common)) for each in words]
