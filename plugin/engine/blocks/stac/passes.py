"""Scenes of one pass of a satellite, and how much of the AOI they cover together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Optional, Sequence

from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from ..dates import say_day
from ..filters import newest
from .scenes import StacScene

ONE_PASS = timedelta(minutes=10)  # the layers' own rule for what is shown together


@dataclass(frozen=True)
class Pass:
    """`coverage` is the share of the AOI in percent that the scenes cover together; None without an AOI."""

    id: str
    scenes: tuple[StacScene, ...]
    coverage: Optional[float]

    @property
    def line(self) -> str:
        """For the log: "12 March 2024: 2 scenes, 100 % of the AOI"."""
        taken = self.scenes[0].acquired
        day = say_day(taken.start) if taken else "Date unknown"
        count = "1 scene" if len(self.scenes) == 1 else f"{len(self.scenes)} scenes"
        return f"{day}: {count}" + ("." if self.coverage is None else f", {say_percent(self.coverage)} of the AOI.")


def passes_of(scenes: Sequence[StacScene], area: Optional[BaseGeometry]) -> list[Pass]:
    """The scenes grouped by satellite and pass, newest first."""
    groups: list[list[StacScene]] = []
    for scene in sorted(scenes, key=newest):
        group = next((group for group in reversed(groups) if _together(group[-1], scene)), None)
        if group is None:
            groups.append([scene])
        else:
            group.append(scene)
    return [
        Pass(_id(group), tuple(group), coverage(unary_union([scene.footprint for scene in group]), area))
        for group in groups
    ]


def _together(one: StacScene, other: StacScene) -> bool:
    if one.acquired is None or other.acquired is None:
        return False
    return one.platform == other.platform and abs(one.acquired.start - other.acquired.start) <= ONE_PASS


def _id(group: Sequence[StacScene]) -> str:
    """Such as 2024-03-12T101559_sentinel-2b: the pass's last moment and its satellite."""
    first = group[0]
    if first.acquired is None:
        return first.id
    return f"{first.acquired.start:%Y-%m-%dT%H%M%S}_{first.platform or 'scene'}"


def coverage(footprint: BaseGeometry, area: Optional[BaseGeometry]) -> Optional[float]:
    """How much of an area a footprint covers, in percent; None without an area."""
    if area is None or not area.area:
        return None
    return min(100.0, 100.0 * footprint.intersection(area).area / area.area)


def say_percent(share: float) -> str:
    """Whole percent; 100 only where nothing is missing, 0 only where nothing is there."""
    whole = round(share)
    if whole == 100 and share < 99.95:
        return "99 %"
    if whole == 0 and share > 0:
        return "less than 1 %"
    return f"{whole} %"
