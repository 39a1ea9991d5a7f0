"""What the plugin remembers in QGIS's settings. Never a secret: those are the vault's."""

from __future__ import annotations

from typing import Optional

from qgis.core import QgsSettings

PREFIX = "up42_jobs/"


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

    @property
    def output_folder(self) -> Optional[str]:
        """Where output folders are made; None: beside the saved project, else in the documents folder."""
        return self._get("output_folder")

    @output_folder.setter
    def output_folder(self, folder: Optional[str]) -> None:
        self._set("output_folder", folder)
