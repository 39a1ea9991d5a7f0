"""What the processing blocks share: going through the parent's rasters, naming the outputs, estimating."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any, Callable, Iterator, Mapping, Optional

from .base import Amount, BlockFailure, Feature, TaskContext
from .features import DATA_PATH, feature_file, read_features

_UNSAFE = re.compile(r"[^\w.-]+")

Progress = Callable[[float], None]


def parent_rasters(task: TaskContext) -> Iterator[tuple[Feature, Path, Progress]]:
    """Each feature of the parent task, its file, and how to tell the progress (0 to 1) of the work on it."""
    features = read_features(task.parent_output)
    for done, feature in enumerate(features):

        def tell(part: float, done: int = done) -> None:
            task.progress((done + part) / len(features))

        yield feature, feature_file(task.parent_output or Path(), feature), tell


def raster_name(feature: Feature, postfix: str = "") -> str:
    """The path of an output made from a feature: its parent's, `.tif`, with a postfix before the suffix."""
    path = PurePosixPath(feature["properties"][DATA_PATH].replace("\\", "/"))
    return str(path.with_name(f"{path.stem}{postfix}.tif"))


def make_room(output: Path, name: str) -> Path:
    """The path of an output file, its folder made."""
    path = output / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def derived(feature: Feature, name: str) -> Feature:
    """A copy of a feature whose file is another one."""
    return {**feature, "properties": {**feature["properties"], DATA_PATH: name}}


def safe_name(text: str) -> str:
    """A text as a file's or folder's name: no separators, no leading dots."""
    return _UNSAFE.sub("_", text).strip(".")[:120] or "scene"


def megapixels(parent: Optional[Amount], copies: tuple[float, float], pixels_per_second: tuple[float, float]) -> Amount:
    """An estimate in MEGAPIXEL from the parent's pixels: (least, most) written for each read; (slow, fast) speed."""
    least, most = parent.pixels if parent else (0.0, 0.0)
    written = least * copies[0], most * copies[1]
    seconds = 0.5 + written[0] / pixels_per_second[1], 2 + written[1] / pixels_per_second[0]
    return Amount((written[0] / 1e6, written[1] / 1e6), seconds, written)


def read_flag(parameters: Mapping[str, Any], name: str, otherwise: bool) -> bool:
    """true or false; null and absent are `otherwise`. Raises BlockFailure."""
    value = parameters.get(name)
    if value is None:
        return otherwise
    if not isinstance(value, bool):
        raise BlockFailure("WRONG_INPUT_ERROR", f"{name} must be true or false.")
    return value
