"""Which QGIS project a job is started from, and where its outputs are kept."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path

from qgis.core import QgsProject
from qgis.PyQt.QtCore import QObject, QStandardPaths

from .settings import Settings

FOLDER_NAME = "UP42 Jobs"
STORED = "stored:"  # then the hash of the address of a project in a database


@dataclass(frozen=True)
class Origin:
    """A project: its file ("" while unsaved) and a token that lasts until another project is opened.

    A project that lies in a database has a hash for its file: its address can hold a password.
    """

    project_file: str
    token: str


class CurrentProject(QObject):
    """Tells the open project's origin. A job's layers go only into the project that the job was started from."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens: set[str] = set()  # of this session
        self._new_token()
        QgsProject.instance().cleared.connect(self._new_token)

    def _new_token(self) -> None:
        self._token = uuid.uuid4().hex
        self.tokens.add(self._token)

    @property
    def origin(self) -> Origin:
        """The open project as an origin."""
        project = QgsProject.instance()
        if project.projectStorage() is not None:
            return Origin(STORED + hashlib.sha256(project.fileName().encode()).hexdigest(), self._token)
        return Origin(project.absoluteFilePath(), self._token)

    def is_origin(self, origin: Origin) -> bool:
        """True where `origin` is the open project: the same file, or never closed since."""
        here = self.origin
        return origin.token == here.token or bool(origin.project_file and origin.project_file == here.project_file)

    def close(self) -> None:
        """Stop listening; for unload."""
        QgsProject.instance().cleared.disconnect(self._new_token)


def outputs_parent(origin: Origin, settings: Settings) -> Path:
    """The folder in which a job's output folder is made: the setting, else beside the project, else in Documents.

    Never a temporary folder: layers would be lost with it.
    """
    if settings.output_folder:
        return Path(settings.output_folder)
    if origin.project_file and not origin.project_file.startswith(STORED):
        return Path(origin.project_file).parent / FOLDER_NAME
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    return Path(documents or Path.home()) / FOLDER_NAME
