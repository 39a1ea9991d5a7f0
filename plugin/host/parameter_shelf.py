"""Parameters kept for later, in the profile: templates by name, some of them favourites, and the last requests."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Optional

from ..jobs.request import JobRequest
from .aoi_recent import to_plain
from .settings import Settings

MOST_RECENT = 20
MOST_TEMPLATES = 200
LARGEST = 60_000  # characters of one; a settings file is no store of data
LARGEST_AOI = 15_000  # characters; about 400 corners


@dataclass(frozen=True)
class Kept:
    """`text` is the parameters' JSON. `workflow` and `tasks` say what they are for.

    A recent request also has its job type and its AOI as drawn (`aoi_recent.to_plain`; None: too large, or none).
    """

    name: str
    workflow: str  # its name: a copy in another project takes the same parameters
    tasks: tuple[str, ...]
    text: str
    favourite: bool = False
    geometric_filter: str = ""
    when: str = ""  # ISO 8601, UTC
    job_type: str = ""
    aoi: Optional[dict[str, Any]] = None

    @property
    def asked(self) -> tuple:
        """What tells one recent request from another: all but its name and its time."""
        return self.tasks, self.text, self.geometric_filter, self.job_type, self.aoi


class ParameterShelf:
    """What can't be read any more is as if it were not there."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def templates(self, tasks: tuple[str, ...]) -> list[Kept]:
        """The templates for a workflow of these tasks, favourites first, then by name."""
        found = [kept for kept in self._templates() if kept.tasks == tasks]
        return sorted(found, key=lambda kept: (not kept.favourite, kept.name.lower()))

    def save(self, kept: Kept) -> bool:
        """Keep a template in place of one of the same name and tasks; False where it is too large or there are many."""
        others = [other for other in self._templates() if not _same(other, kept)]
        if len(kept.text) > LARGEST or len(others) >= MOST_TEMPLATES:
            return False
        self._settings.parameter_templates = _dump([*others, kept])
        return True

    def delete(self, kept: Kept) -> None:
        """Forget a template."""
        self._settings.parameter_templates = _dump([other for other in self._templates() if not _same(other, kept)])

    def set_favourite(self, kept: Kept, favourite: bool) -> None:
        """Favourites stand on top of the menu."""
        self.save(replace(kept, favourite=favourite))

    def rename(self, kept: Kept, name: str) -> bool:
        """Call it otherwise; False where the name is empty or another template's."""
        taken = any(_same(other, replace(kept, name=name)) for other in self._templates())
        if not name.strip() or taken:
            return False
        self.delete(kept)
        return self.save(replace(kept, name=name.strip()))

    def recent(self) -> list[Kept]:
        """The last requests, newest first, each once."""
        return _load(self._settings.recent_requests)

    def remember(self, request: JobRequest, text: str, when: str) -> None:
        """Note a request that was just sent."""
        if request.workflow is None or len(text) > LARGEST:
            return
        tasks = tuple(task.name for task in request.workflow.tasks)
        new = Kept(
            request.name,
            request.workflow.name,
            tasks,
            text,
            geometric_filter=request.geometric_filter.value,
            when=when,
            job_type=request.job_type.value,
            aoi=to_plain(request.aoi, LARGEST_AOI) if request.aoi is not None else None,
        )
        others = [kept for kept in self.recent() if kept.asked != new.asked]
        self._settings.recent_requests = _dump([new, *others][:MOST_RECENT])

    def _templates(self) -> list[Kept]:
        return _load(self._settings.parameter_templates)


def _same(a: Kept, b: Kept) -> bool:
    return (a.name, a.tasks) == (b.name, b.tasks)


def _dump(kept: list[Kept]) -> Optional[str]:
    return json.dumps([asdict(one) for one in kept]) if kept else None


def _load(text: Optional[str]) -> list[Kept]:
    try:
        items = json.loads(text) if text else []
    except ValueError:
        return []
    return [one for one in map(_read, items if isinstance(items, list) else []) if one is not None]


def _read(item: Any) -> Optional[Kept]:
    if not isinstance(item, dict) or not isinstance(item.get("tasks"), list):
        return None
    item = {**item, "tasks": tuple(map(str, item["tasks"])), "favourite": item.get("favourite") is True}
    kept = Kept(**{field.name: item.get(field.name, field.default) for field in fields(Kept)})
    texts = (kept.name, kept.workflow, kept.text, kept.geometric_filter, kept.when, kept.job_type)
    return kept if isinstance(kept.aoi, (dict, type(None))) and all(isinstance(text, str) for text in texts) else None
