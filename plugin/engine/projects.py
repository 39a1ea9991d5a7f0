"""The two projects of the engine, their settings and their balance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional

from .store import Store, new_id, now

PRACTICE = "practice"
FREE = "free"
PLAY_CREDITS = 10_000  # what Practice starts with

MAX_JOBS = "MAX_CONCURRENT_JOBS"
MAX_SCENES = "JOB_QUERY_LIMIT_PARAMETER_MAX_VALUE"
MAX_AOI = "JOB_QUERY_MAX_AOI_SIZE"  # km²
MIN_AOI = "JOB_QUERY_MIN_AOI_SIZE"  # km²; our addition, told only where it is not UP42's 0.1


@dataclass(frozen=True)
class SettingRule:
    """A setting's first value and the least and greatest that it can be given."""

    value: int
    min: int
    max: int


@dataclass(frozen=True)
class ProjectKind:
    """What makes a project what it is."""

    kind: str
    name: str
    description: str
    has_credits: bool
    min_aoi_km2: float
    settings: Mapping[str, SettingRule]


# Practice has UP42's rules (contract 2.1 and 6); This Computer has those that its owner's patience sets.
KINDS: Mapping[str, ProjectKind] = {
    PRACTICE: ProjectKind(
        kind=PRACTICE,
        name="Practice (play credits)",
        description="Learn and test what costs credits elsewhere: prices, balance and refusals are as on a paid "
        "platform, but these are play credits. Nothing here costs money.",
        has_credits=True,
        min_aoi_km2=0.1,
        settings={
            MAX_JOBS: SettingRule(10, 1, 10),
            MAX_SCENES: SettingRule(10, 1, 20),
            MAX_AOI: SettingRule(100, 1, 1000),
        },
    ),
    FREE: ProjectKind(
        kind=FREE,
        name="This Computer",
        description="Runs on this computer: free, no account, no credits.",
        has_credits=False,
        min_aoi_km2=0.0,
        settings={
            MAX_JOBS: SettingRule(10, 1, 100),
            MAX_SCENES: SettingRule(100, 1, 500),
            MAX_AOI: SettingRule(1000, 1, 1000),
            MIN_AOI: SettingRule(0, 0, 0),
        },
    ),
}


@dataclass(frozen=True)
class Project:
    """A project as a caller knows it: by the id that its key belongs to."""

    id: str
    kind: ProjectKind


def make_projects(store: Store) -> None:
    """Make both projects with their first settings; what is there stays as it is."""
    with store.transaction():
        for kind in KINDS.values():
            moment = now()
            balance = PLAY_CREDITS if kind.has_credits else None
            store.change(
                "INSERT OR IGNORE INTO projects (kind, balance, created_at, updated_at) VALUES (?, ?, ?, ?)",
                kind.kind, balance, moment, moment,
            )  # fmt: skip
            rows = [(new_id(), kind.kind, name, rule.value, moment, moment) for name, rule in kind.settings.items()]
            store.change_many(
                "INSERT OR IGNORE INTO project_settings (id, kind, name, value, created_at, updated_at) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )


def project_row(store: Store, project: Project) -> dict[str, Any]:
    """The stored row: balance, created_at, updated_at."""
    return store.rows("SELECT * FROM projects WHERE kind = ?", project.kind.kind)[0]


def setting_rows(store: Store, project: Project) -> list[dict[str, Any]]:
    """The settings in a steady order."""
    return store.rows("SELECT * FROM project_settings WHERE kind = ? ORDER BY name", project.kind.kind)


def setting(store: Store, project: Project, name: str) -> int:
    """The value of one setting."""
    return next(row["value"] for row in setting_rows(store, project) if row["name"] == name)


def change_settings(store: Store, project: Project, values: Mapping[str, int]) -> None:
    """Store values that were found to be within their rules."""
    with store.transaction():
        for name, value in values.items():
            store.change(
                "UPDATE project_settings SET value = ?, updated_at = ? WHERE kind = ? AND name = ?",
                value, now(), project.kind.kind, name,
            )  # fmt: skip


def balance(store: Store, project: Project) -> Optional[int]:
    """The credits that the project has; None where it has none of that kind. Credits on hold are still in it."""
    return project_row(store, project)["balance"]


def held(store: Store, project: Project) -> int:
    """The credits that unfinished jobs may still take."""
    row = store.rows("SELECT COALESCE(SUM(held), 0) AS held FROM jobs WHERE kind = ?", project.kind.kind)[0]
    return row["held"]
