"""What the plugin remembers in QGIS's settings. Never a secret: those are the vault's."""

from __future__ import annotations

import math
from typing import Optional

from qgis.core import QgsSettings

PREFIX = "up42_jobs/"
COLLECT_POLICIES = ("always", "ask", "never")  # the first is the default: outputs arrive by themselves


class Settings:
    """Typed access to the plugin's own keys of QgsSettings."""

    def _get(self, key: str) -> Optional[str]:
        value = QgsSettings().value(PREFIX + key)
        return str(value) if value not in (None, "") else None

    def _set(self, key: str, value: Optional[str]) -> None:
        if value is None:
            QgsSettings().remove(PREFIX + key)
        else:
            QgsSettings().setValue(PREFIX + key, value)

    @property
    def last_connection(self) -> Optional[str]:
        """The id of the connection that was used last."""
        return self._get("last_connection")

    @last_connection.setter
    def last_connection(self, connection_id: Optional[str]) -> None:
        self._set("last_connection", connection_id)

    def last_workflow(self, connection_id: str) -> Optional[str]:
        """The id of the workflow that was used last on a connection."""
        return self._get(f"last_workflow/{connection_id}")

    def set_last_workflow(self, connection_id: str, workflow_id: Optional[str]) -> None:
        """Remember the workflow of a connection."""
        self._set(f"last_workflow/{connection_id}", workflow_id)

    def last_project(self, connection_id: str) -> str:
        """The id of the project that was used last on a connection; "" for none."""
        return self._get(f"last_project/{connection_id}") or ""

    def set_last_project(self, connection_id: str, project_id: Optional[str]) -> None:
        """Remember the project of a connection."""
        self._set(f"last_project/{connection_id}", project_id)

    @property
    def output_folder(self) -> Optional[str]:
        """Where output folders are made; None: beside the saved project, else in the documents folder."""
        return self._get("output_folder")

    @output_folder.setter
    def output_folder(self, folder: Optional[str]) -> None:
        self._set("output_folder", folder)

    @property
    def job_cap(self) -> Optional[float]:
        """The most that one job may cost, in credits; None: no cap."""
        return self._credits("job_cap")

    @job_cap.setter
    def job_cap(self, credits: Optional[float]) -> None:
        self._set_credits("job_cap", credits)

    @property
    def month_cap(self) -> Optional[float]:
        """The most that all jobs of a calendar month may cost together, in credits; None: no cap."""
        return self._credits("month_cap")

    @month_cap.setter
    def month_cap(self, credits: Optional[float]) -> None:
        self._set_credits("month_cap", credits)

    @property
    def collect_policy(self) -> str:
        """What to do with jobs that ended while QGIS was closed: one of COLLECT_POLICIES."""
        value = self._get("collect_policy")
        return value if value in COLLECT_POLICIES else COLLECT_POLICIES[0]

    @collect_policy.setter
    def collect_policy(self, policy: str) -> None:
        if policy not in COLLECT_POLICIES:
            raise ValueError(f"{policy!r} is none of {COLLECT_POLICIES}")
        self._set("collect_policy", policy)

    @property
    def make_overviews(self) -> bool:
        """True: large rasters get overviews once they are on the map, which then draws them fast."""
        return self._get("make_overviews") != "no"

    @make_overviews.setter
    def make_overviews(self, make: bool) -> None:
        self._set("make_overviews", "yes" if make else "no")

    @property
    def recent_aois(self) -> Optional[str]:
        """The AOIs used last, as the JSON text of `aoi_recent`."""
        return self._get("recent_aois")

    @recent_aois.setter
    def recent_aois(self, text: Optional[str]) -> None:
        self._set("recent_aois", text)

    @property
    def last_aoi(self) -> Optional[str]:
        """The AOI of the form when it was last open, as the JSON text of `aoi_recent`; None: there was none."""
        return self._get("last_aoi")

    @last_aoi.setter
    def last_aoi(self, text: Optional[str]) -> None:
        self._set("last_aoi", text)

    @property
    def parameters_view(self) -> Optional[str]:
        """How the parameters were last seen: "json" or "form"."""
        return self._get("parameters_view")

    @parameters_view.setter
    def parameters_view(self, view: str) -> None:
        self._set("parameters_view", view)

    @property
    def parameter_templates(self) -> Optional[str]:
        """Named sets of parameters, as the JSON text of `parameter_shelf`."""
        return self._get("parameter_templates")

    @parameter_templates.setter
    def parameter_templates(self, text: Optional[str]) -> None:
        self._set("parameter_templates", text)

    @property
    def recent_requests(self) -> Optional[str]:
        """The last requests, as the JSON text of `parameter_shelf`."""
        return self._get("recent_requests")

    @recent_requests.setter
    def recent_requests(self, text: Optional[str]) -> None:
        self._set("recent_requests", text)

    @property
    def job_columns(self) -> dict[str, bool]:
        """Columns of the jobs table that the user chose to see (True) or not; what fits is shown of the others."""
        names = (self._get("job_columns") or "").split(",")
        return {name.lstrip("-"): not name.startswith("-") for name in names if name}

    @job_columns.setter
    def job_columns(self, columns: dict[str, bool]) -> None:
        self._set("job_columns", ",".join(name if on else f"-{name}" for name, on in columns.items()) or None)

    def _credits(self, key: str) -> Optional[float]:
        """A cap. What can't be read as one counts as 0 credits: a broken cap must not let money through."""
        text = self._get(key)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            return 0.0
        return value if math.isfinite(value) and value >= 0 else 0.0

    def _set_credits(self, key: str, credits: Optional[float]) -> None:
        if credits is not None and not (math.isfinite(credits) and credits >= 0):
            raise ValueError(f"{credits} credits are no cap")
        self._set(key, None if credits is None else repr(float(credits)))
