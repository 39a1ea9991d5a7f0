"""One acquisition, several processings of it in the catalogue: only the newest is shown.

Two items are of one acquisition where satellite and tile are the same (where both say so), their times differ by a
minute at most, and their footprints are nearly one. Two parts of a tile, which fall into different data strips of
one pass, have different footprints: both are kept.
"""

from __future__ import annotations

from typing import Callable, Iterable, Iterator

from .scenes import StacScene

SAME_SECONDS = 60.0
SAME_SHARE = 0.8  # of the union of two footprints that they share


def each_acquisition_once(
    newest_first: Iterable[StacScene], tell: Callable[[StacScene, StacScene], None] = lambda left, taken: None
) -> Iterator[StacScene]:
    """The scenes, newest first, without older processings; `tell(left, taken)` for each that is left out."""
    held: list[StacScene] = []
    for scene in newest_first:
        while held and _seconds(held[0], scene) > SAME_SECONDS:
            yield held.pop(0)
        twin = next((place for place, other in enumerate(held) if is_same_acquisition(scene, other)), None)
        if twin is None:
            held.append(scene)
            continue
        other = held[twin]
        if _rank(scene) > _rank(other):
            held[twin] = scene
            tell(other, scene)
        else:
            tell(scene, other)
    yield from held


def is_same_acquisition(one: StacScene, other: StacScene) -> bool:
    """Whether two items show the same acquisition."""
    if one.id == other.id:
        return True
    for a, b in ((one.platform, other.platform), (one.grid_code, other.grid_code)):
        if a and b and a.lower() != b.lower():
            return False
    if one.acquired is None or other.acquired is None or _seconds(one, other) > SAME_SECONDS:
        return False
    shared = one.footprint.intersection(other.footprint).area
    return shared > SAME_SHARE * (one.footprint.area + other.footprint.area - shared)


def _seconds(one: StacScene, other: StacScene) -> float:
    if one.acquired is None or other.acquired is None:
        return 0.0 if one.acquired is other.acquired else SAME_SECONDS + 1
    return abs((one.acquired.start - other.acquired.start).total_seconds())


def _rank(scene: StacScene) -> tuple[float, str, str]:
    """The greater, the newer the processing: by its baseline, by when it was made, by its id."""
    known = scene.properties
    version = known.get("s2:processing_baseline") or known.get("processing:version") or ""
    try:
        baseline = float(version)
    except (TypeError, ValueError):
        baseline = 0.0
    made = known.get("s2:generation_time") or known.get("created") or known.get("updated") or ""
    return baseline, str(made), scene.id
