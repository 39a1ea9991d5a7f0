"""Which scenes a job asks for: geometric filter, time, cloud cover, limit, ids (contract 3.1 and 3.2)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, Mapping, Optional, Protocol, Sequence, TypeVar

from shapely.geometry import box
from shapely.geometry.base import BaseGeometry
from shapely.prepared import prep

from ...jobs.aoi import GEOMETRY_PARAMETERS, Aoi, AoiError, AoiLimits, GeometricFilter
from .base import BlockFailure
from .dates import Span, read_span, say_span

MAX_RANGES = 366  # of `time_series`: one for each day of a year
MAX_IDS = 1000
NO_LIMITS = AoiLimits(min_km2=0.0, max_km2=None, max_vertices=100_000)  # a project's limits are the server's to check


class FoundScene(Protocol):
    """What a filter must know of a scene. `acquired` and `cloud_cover` (percent) are None where nobody knows."""

    @property
    def id(self) -> str: ...
    @property
    def footprint(self) -> BaseGeometry: ...
    @property
    def acquired(self) -> Optional[Span]: ...
    @property
    def cloud_cover(self) -> Optional[float]: ...


S = TypeVar("S", bound=FoundScene)
NewestFirst = Callable[[Optional[Span]], Iterable[S]]  # the scenes of a span (None: of all times), newest first


@dataclass(frozen=True)
class SceneFilter:
    """The request of a data task. `area` is None where there is no geometric filter (ids of whole scenes)."""

    geometric: Optional[GeometricFilter] = None
    area: Optional[BaseGeometry] = None
    spans: tuple[Optional[Span], ...] = (None,)
    limit: int = 1
    ids: Optional[tuple[str, ...]] = None
    max_cloud_cover: float = 100.0
    _prepared: Any = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.area is not None:
            object.__setattr__(self, "_prepared", prep(self.area))

    def fits(self, footprint: BaseGeometry) -> bool:
        """Intersects, bbox: the scene touches the area. Contains: the scene covers all of it."""
        if self.area is None:
            return True
        if self.geometric is GeometricFilter.CONTAINS:
            return bool(footprint.covers(self.area))
        return bool(self._prepared.intersects(footprint))

    def takes(self, scene: FoundScene, span: Optional[Span]) -> bool:
        """Whether a scene is asked for, limit apart. An unknown cloud cover passes; an unknown date only where none
        is asked for."""
        if span is not None and (scene.acquired is None or not span.touches(scene.acquired)):
            return False
        if not self.fits(scene.footprint):
            return False
        return self.max_cloud_cover >= 100 or scene.cloud_cover is None or scene.cloud_cover <= self.max_cloud_cover

    def pick(self, newest_first: NewestFirst[S]) -> list[S]:
        """The newest `limit` scenes of each span, each scene once, newest first."""
        picked: dict[str, S] = {}
        for span in self.spans:
            count = 0
            for scene in newest_first(span):
                if count >= self.limit:
                    break
                if self.takes(scene, span):
                    count += 1
                    picked.setdefault(scene.id, scene)
        return sorted(picked.values(), key=newest)  # stable: what is of one moment stays as it came

    def pick_ids(self, by_id: Callable[[str], Optional[S]]) -> tuple[list[S], list[str]]:
        """Exactly the scenes of `ids` that touch the area, and the ids that are unknown or lie elsewhere."""
        found, lost = [], []
        for scene_id in self.ids or ():
            scene = by_id(scene_id)
            if scene is None or (self._prepared is not None and not self._prepared.intersects(scene.footprint)):
                lost.append(scene_id)
            else:
                found.append(scene)
        return found, lost

    def nothing_found(self) -> BlockFailure:
        """What to tell the user when no scene was found."""
        if self.ids is not None:
            names = ", ".join(self.ids[:5]) + (" …" if len(self.ids) > 5 else "")
            return BlockFailure(
                "NO_INPUT_ERROR",
                f"None of the scenes asked for is here for this AOI ({names}): run a new Test Query and choose again.",
            )
        times = " or ".join(say_span(span) for span in self.spans[:3]) + (" or …" if len(self.spans) > 3 else "")
        cloud = f" with at most {self.max_cloud_cover:g} % cloud" if self.max_cloud_cover < 100 else ""
        place, mend = _PLACES.get(self.geometric, ("", ""))
        allow = ", allow more cloud" if cloud else ""
        return BlockFailure("NO_INPUT_ERROR", f"No scene found {times}{cloud}{place}: widen the dates{allow}{mend}.")


_PLACES: Mapping[Optional[GeometricFilter], tuple[str, str]] = {
    GeometricFilter.INTERSECTS: (" that intersects the AOI", " or move the AOI"),
    GeometricFilter.BBOX: (" that intersects the AOI's bounding box", " or move the AOI"),
    GeometricFilter.CONTAINS: (
        " that contains the whole AOI",
        ", make the AOI smaller, or choose Intersects instead of Contains",
    ),
}


def newest(scene: FoundScene) -> float:
    """Sort key: newest first, unknown dates last."""
    return -scene.acquired.start.timestamp() if scene.acquired else math.inf


def read_filter(parameters: Mapping[str, Any], descriptors: Mapping[str, Mapping[str, Any]]) -> SceneFilter:
    """The filter that a data task's parameters ask for; what is not given takes the descriptor's default.

    Raises BlockFailure WRONG_INPUT_ERROR or INPUT_PARAMETERS_ERROR (contract 3.2, rules 1 to 3 and 5).
    """
    geometric, area = read_area(parameters)
    ids = _read_ids(parameters.get("ids"))
    if area is None and ids is None:
        raise BlockFailure(
            "WRONG_INPUT_ERROR", f"This block needs an AOI: give one of {', '.join(GEOMETRY_PARAMETERS)}, or ids."
        )
    return SceneFilter(
        geometric=geometric,
        area=area,
        spans=(None,) if ids is not None else _read_spans(parameters, descriptors),
        limit=_read_limit(_given(parameters, descriptors, "limit", 1)),
        ids=ids,
        max_cloud_cover=_read_cloud_cover(_given(parameters, descriptors, "max_cloud_cover", 100)),
    )


def _given(
    parameters: Mapping[str, Any], descriptors: Mapping[str, Mapping[str, Any]], name: str, otherwise: Any
) -> Any:
    if name not in parameters:
        return descriptors.get(name, {}).get("default", otherwise)
    return otherwise if parameters[name] is None else parameters[name]


def read_area(parameters: Mapping[str, Any]) -> tuple[Optional[GeometricFilter], Optional[BaseGeometry]]:
    """The geometric filter and its area in EPSG:4326; None where none is given. Raises BlockFailure."""
    given = [name for name in GEOMETRY_PARAMETERS if parameters.get(name) is not None]
    if len(given) > 1:
        names = " and ".join(given)
        raise BlockFailure("WRONG_INPUT_ERROR", f"Only one of {names} can be used: set the others to null.")
    if not given:
        return None, None
    geometric = GeometricFilter(given[0])
    value = parameters[given[0]]
    return geometric, _read_box(value) if geometric is GeometricFilter.BBOX else _read_polygon(geometric.value, value)


def _read_box(value: Any) -> BaseGeometry:
    if (
        not isinstance(value, (list, tuple))
        or len(value) != 4
        or not all(_is_number(number) for number in value)
        or not (-180 <= value[0] < value[2] <= 180 and -90 <= value[1] < value[3] <= 90)
    ):
        raise BlockFailure(
            "INPUT_PARAMETERS_ERROR",
            "bbox must be [west, south, east, north] in degrees, west < east and south < north; an AOI across the "
            "antimeridian takes two jobs.",
        )
    return box(*value)


def _read_polygon(name: str, value: Any) -> BaseGeometry:
    if not isinstance(value, dict) or value.get("type") not in ("Polygon", "MultiPolygon"):
        raise BlockFailure(
            "INPUT_PARAMETERS_ERROR", f'{name} must be a GeoJSON geometry {{"type": "Polygon", "coordinates": […]}}.'
        )
    try:
        aoi = Aoi.from_geojson(value)
        problems = aoi.problems(NO_LIMITS, GeometricFilter(name))
    except (AoiError, ValueError, TypeError, IndexError, RecursionError) as e:
        reason = str(e) if isinstance(e, AoiError) else "its coordinates can't be read"
        raise BlockFailure("INPUT_PARAMETERS_ERROR", f"{name}: {reason}") from e
    if problems:
        raise BlockFailure("INPUT_PARAMETERS_ERROR", f"{name}: {problems[0].text}")
    return aoi.geometry


def _read_spans(
    parameters: Mapping[str, Any], descriptors: Mapping[str, Mapping[str, Any]]
) -> tuple[Optional[Span], ...]:
    series = parameters.get("time_series")
    if series is not None:
        if parameters.get("time") is not None:
            raise BlockFailure("WRONG_INPUT_ERROR", "Both time and time_series are given: set one of them to null.")
        if not isinstance(series, list) or not 1 <= len(series) <= MAX_RANGES:
            raise BlockFailure("WRONG_INPUT_ERROR", f"time_series must be a list of 1 to {MAX_RANGES} ranges of dates.")
        return tuple(_read_one_span("time_series", text) for text in series)
    time = _given(parameters, descriptors, "time", None)
    return (None,) if time is None else (_read_one_span("time", time),)


def _read_one_span(name: str, text: Any) -> Span:
    try:
        if isinstance(text, str):
            return read_span(text)
    except (ValueError, OverflowError):
        text = text[:60]
    raise BlockFailure(
        "WRONG_INPUT_ERROR",
        f"{name} is {text!r}, but must be two dates such as 2024-05-01T00:00:00Z/2024-05-31T23:59:59Z, the first "
        "earlier.",
    )


def _read_limit(value: Any) -> int:
    if not _is_number(value) or value != int(value):
        raise BlockFailure("WRONG_INPUT_ERROR", "limit must be a whole number of scenes, at least 1.")
    return max(1, int(value))  # contract 3.1: below 1 is 1


def _read_cloud_cover(value: Any) -> float:
    if not _is_number(value) or not 0 <= value <= 100:
        raise BlockFailure("WRONG_INPUT_ERROR", "max_cloud_cover must be a percentage from 0 to 100.")
    return float(value)


def _read_ids(value: Any) -> Optional[tuple[str, ...]]:
    if value is None:
        return None
    ok = isinstance(value, list) and 1 <= len(value) <= MAX_IDS and all(isinstance(item, str) for item in value)
    if not ok:  # an empty list is no search: it would deliver scenes that nobody has chosen
        raise BlockFailure(
            "WRONG_INPUT_ERROR", f"ids must be a list of 1 to {MAX_IDS} scene ids in double quotes, or null to search."
        )
    return tuple(dict.fromkeys(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def unknown_ids_line(lost: Sequence[str]) -> str:
    """A log line about ids that can't be had."""
    return f"Not here for this AOI, so left out: {', '.join(lost[:20])}{' …' if len(lost) > 20 else ''}"
