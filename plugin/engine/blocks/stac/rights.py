"""Who must be named where a scene is shown, and under which licence: as the item, the source or the collection says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional

from ..base import BlockFailure
from .http import Http, HttpRefused
from .scenes import StacScene
from .sources import Source

_SAYS_NOTHING = ("proprietary", "various", "other")  # STAC's words for "see the link"


@dataclass(frozen=True)
class Rights:
    """What `data.json` says of a scene; "" where nobody knows."""

    attribution: str = ""
    licence: str = ""
    licence_url: str = ""

    @property
    def properties(self) -> dict[str, str]:
        """In the words that the layers read."""
        return {
            "rights": " ".join(text for text in (self.attribution, _in_brackets(self.licence)) if text),
            "attribution": self.attribution,
            "license": self.licence,
            "license_url": self.licence_url,
        }


def collection_of(source: Source, http: Http) -> Mapping[str, Any]:
    """The collection's own description, which holds its rights; empty where it can't be had: that stops nothing."""
    if source.attribution and source.licence:
        return {}
    try:
        found = http.json(f"{source.url}/collections/{source.collection}")
    except (HttpRefused, BlockFailure):
        return {}
    return found if isinstance(found, dict) else {}


def rights_of(scene: StacScene, source: Source, collection: Mapping[str, Any]) -> Rights:
    """The rights of one scene."""
    year = f"{scene.acquired.start.year}" if scene.acquired else ""
    known = scene.properties
    return Rights(
        str(known.get("attribution") or source.attribution.format(year=year).strip() or _providers(known, collection)),
        _licence(known.get("license")) or source.licence or _licence(collection.get("license")),
        source.licence_url or _licence_link(collection),
    )


def _providers(*documents: Mapping[str, Any]) -> str:
    """The names of those who made or license the data."""
    for document in documents:
        providers = document.get("providers")
        if isinstance(providers, list):
            named = [p for p in providers if isinstance(p, dict) and p.get("name")]
            makers = [p for p in named if {"licensor", "producer"} & set(p.get("roles") or ())] or named
            if makers:
                return "© " + ", ".join(dict.fromkeys(str(p["name"]) for p in makers))
    return ""


def _licence(given: Any) -> str:
    return given if isinstance(given, str) and given.lower() not in _SAYS_NOTHING else ""


def _licence_link(collection: Mapping[str, Any]) -> str:
    links: Optional[list] = collection.get("links")
    return next(
        (str(link.get("href")) for link in links or [] if isinstance(link, dict) and link.get("rel") == "license"), ""
    )


def _in_brackets(text: str) -> str:
    return f"({text})" if text else ""
