"""The AOIs used last, and the one of the form, kept in QGIS's settings: small ones, a few."""

from __future__ import annotations

import json
from typing import Any, Optional

from ..jobs.aoi import Aoi, AoiError
from .settings import Settings

MOST = 10
MOST_PARTS = 100
LARGEST = 60_000  # characters of one AOI, about 1500 corners; a settings file is no store of data


class RecentAois:
    """Newest first, each geometry once. What can't be read any more is as if it were not there."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def all(self) -> list[Aoi]:
        """The AOIs used last."""
        return [aoi for aoi in map(from_plain, _loaded(self._settings.recent_aois, [])) if aoi is not None]

    def add(self, aoi: Aoi) -> None:
        """Put `aoi` first; not one that is too large to be kept."""
        plain = to_plain(aoi)
        if plain is None:
            return
        others = [p for p in _loaded(self._settings.recent_aois, []) if _shape(p) != plain["geometry"]]
        self._settings.recent_aois = json.dumps([plain, *others][:MOST])

    def forget(self) -> None:
        """Drop them all."""
        self._settings.recent_aois = None

    @property
    def last(self) -> Optional[Aoi]:
        """The AOI that the form had; None where it had none."""
        return from_plain(_loaded(self._settings.last_aoi, None))

    @last.setter
    def last(self, aoi: Optional[Aoi]) -> None:
        plain = to_plain(aoi) if aoi is not None else None
        self._settings.last_aoi = json.dumps(plain) if plain is not None else None


def to_plain(aoi: Aoi, largest: int = LARGEST) -> Optional[dict[str, Any]]:
    """The AOI as JSON has it; None where that would have more than `largest` characters."""
    parts = getattr(aoi.geometry, "geoms", [aoi.geometry])
    if len(parts) > MOST_PARTS or sum(len(part.exterior.coords) for part in parts) * 20 > largest:
        return None  # before it is written out: that takes time
    plain = {"name": aoi.name, "geometry": aoi.geojson}
    return plain if len(json.dumps(plain)) <= largest else None


def from_plain(plain: Any) -> Optional[Aoi]:
    """What `to_plain` made; None for anything else."""
    try:
        return Aoi.from_geojson(plain["geometry"], str(plain["name"])) if isinstance(plain, dict) else None
    except (AoiError, KeyError):
        return None


def _shape(plain: Any) -> Any:
    return plain.get("geometry") if isinstance(plain, dict) else None


def _loaded(text: Optional[str], otherwise: Any) -> Any:
    try:
        value = json.loads(text) if text else otherwise
    except ValueError:
        return otherwise
    return value if isinstance(value, type(otherwise)) or otherwise is None else otherwise
