"""Parameters from and to files, on worker threads."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Callable

from ..jobs import json_text, parameters
from .errors import explain
from .words import tr
from .work import Work, Works

Failed = Callable[[str], None]
BYTES_A_CHARACTER = 4


class ParameterFiles:
    """Each method answers by one of its callbacks, on the GUI thread; `failed` gets a finished sentence."""

    def __init__(self, works: Works) -> None:
        self._works = works

    def load(self, path: Path, done: Callable[[str], None], failed: Failed) -> Work:
        """The text of a file as it is, be it right or wrong; of a job.json, the parameters in it."""
        return self._start(tr("Load Parameters"), lambda: read_parameters(path), done, failed)

    def save(self, path: Path, text: str, done: Callable[[str], None], failed: Failed) -> Work:
        """Write the text as it is; a file that is there is replaced whole or not at all. `done` gets the path."""
        return self._start(tr("Save Parameters"), lambda: write_parameters(path, text), done, failed)

    def _start(self, title: str, do: Callable[[], str], done: Callable[[str], None], failed: Failed) -> Work:
        def not_done(error: Exception) -> None:
            failed(str(error) if isinstance(error, FileTrouble) else explain(error))

        return self._works.start(
            title, lambda _cancel, _progress: do(), succeeded=done, failed=not_done, shown=False
        )


class FileTrouble(Exception):
    """The file can't be read or written; the text is a sentence for people."""


def read_parameters(path: Path) -> str:
    """The text of a file, line ends as the editor has them. Raises FileTrouble."""
    try:
        with path.open("rb") as file:
            data = file.read(json_text.LONGEST * BYTES_A_CHARACTER + 1)
        text = data.decode("utf-8-sig")
    except OSError as e:
        raise FileTrouble(tr("“{name}” can't be read: {why}.").format(name=path.name, why=e.strerror or e)) from e
    except UnicodeDecodeError as e:
        raise FileTrouble(tr("“{name}” is no text in UTF-8: choose a JSON file.").format(name=path.name)) from e
    if len(text) > json_text.LONGEST or "\0" in text:
        words = tr("“{name}” is no file of parameters: it is too large, or not text.")
        raise FileTrouble(words.format(name=path.name))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    value = json_text.parse(text).value
    if isinstance(value, dict) and isinstance(value.get("parameters"), dict) and "geometric_filter" in value:
        return parameters.to_text(value["parameters"])  # a job.json
    request = value.get("request") if isinstance(value, dict) else None
    if isinstance(request, dict) and isinstance(request.get("parameters"), dict):
        return parameters.to_text(request["parameters"])
    return text


def write_parameters(path: Path, text: str) -> str:
    """Write beside, then rename. Raises FileTrouble."""
    try:
        number, part = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
        try:
            with os.fdopen(number, "w", encoding="utf-8", newline="\n") as file:
                file.write(text if text.endswith("\n") else text + "\n")
            os.replace(part, path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
    except OSError as e:
        raise FileTrouble(tr("“{name}” can't be written: {why}.").format(name=path.name, why=e.strerror or e)) from e
    return str(path)
