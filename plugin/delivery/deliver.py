"""One job's output, from its signed URL to a finished folder: download, unpack meanwhile, describe, put in place.

Everything unfinished lies hidden beside the outputs, in names made of the delivery's key, so that an interrupted
delivery is gone on from and never mistaken for another:

    .up42-<key>.lock .part .part.json .partial/
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Callable, Mapping, Optional, Sequence

from ..jobs.job import scene_of
from ..net.cancel import Cancel
from ..net.session import Session
from .arrive import Arrival
from .data_json import FeatureCollection, Outputs, read_outputs, unlinked
from .disk import disk_errors, remove_folder
from .download import Progress, download
from .errors import ArchiveBroken, ArchiveRefused, DataUnreadable, DeliveryError
from .folder_names import folder_name, unique_folder
from .limits import UnpackLimits
from .lock import exclusive
from .manifest import read_manifest, scene_entries, write_manifest
from .part_file import PartFile
from .portable_names import path_length
from .unpack import nothing, put_in_place, unpack_into

UNPACKED_SHARE = 1.0  # of the archive: what is unpacked is hardly ever smaller; its true size is checked as it is known
_RENAMES = 20  # other programs may take the chosen name just before us, but not for ever
_COPY_MARK = 7  # characters of " (9999)"


@dataclass(frozen=True)
class Delivered:
    """A finished output: `files` of the archive (absolute paths, data.json too), and data.json's scenes.

    `missing` are paths that data.json names and the archive has not; `data_problem` says why `data` is empty.
    """

    folder: Path
    files: list[Path]
    data: FeatureCollection
    missing: list[str] = field(default_factory=list)
    data_problem: Optional[DeliveryError] = None


def deliver(
    session: Session,
    fresh_url: Callable[[], str],
    parent_folder: Path,
    name: str,
    make_manifest: Callable[[list[Path]], Mapping[str, Any]],
    *,
    job_id: str,
    cancel: Cancel,
    progress: Callable[[Progress], None] = lambda progress: None,
    after_member: Callable[[Path], None] = nothing,
    retry_on: tuple[type[Exception], ...] = (),
    limits: UnpackLimits = UnpackLimits(),  # noqa: B008  (frozen)
) -> Delivered:
    """Deliver an output into a new folder in `parent_folder`, readable as `name` (a job's name).

    `job_id` tells deliveries apart: the job's id, or `<job id>-<task id>` for a task's own output. Whatever happens
    in between, also the end of the process, a further call ends with exactly one complete folder; where it is there
    already, nothing is fetched. `make_manifest` gets the paths below the folder and gives what `manifest_of` gives.
    `after_member`: see `unpack`. `fresh_url`, `retry_on`: see `download`; `fresh_url` is called on another thread.

    Raises what `download` and `unpack` raise, and DeliveryError (busy). After a failure nothing is under the final
    name; what was downloaded is kept unless the archive itself was broken or refused.
    """
    place = _Place(parent_folder, job_id)
    with disk_errors(parent_folder):
        parent_folder.mkdir(parents=True, exist_ok=True)
    with exclusive(place.lock):
        delivered = _already_there(parent_folder, name, place.key)
        if delivered is None:
            longest_name = path_length(folder_name(name)) + _COPY_MARK

            def unpack(stream: BinaryIO) -> list[Path]:
                return unpack_into(
                    stream,
                    place.partial,
                    cancel=cancel,
                    limits=limits,
                    after_member=after_member,
                    longest_name=longest_name,
                )

            try:
                files = _fetched(session, place.part, lambda: Arrival(fresh_url, cancel, progress), unpack, retry_on)
                delivered = _finished(place, parent_folder, name, files, make_manifest, cancel)
            except (ArchiveBroken, ArchiveRefused):
                PartFile(place.part).discard()
                raise
            finally:
                remove_folder(place.partial)
        PartFile(place.part).discard()
        remove_folder(place.partial)
    return delivered


class _Place:
    """Where the unfinished parts of one delivery lie. An id that is no plain word is hashed: it comes from outside."""

    def __init__(self, parent: Path, job_id: str):
        plain = re.fullmatch(r"[A-Za-z0-9_-]{1,80}", job_id)
        self.key = job_id if plain else hashlib.sha256(job_id.encode("utf-8", "replace")).hexdigest()[:40]
        self.lock = parent / f".up42-{self.key}.lock"
        self.part = parent / f".up42-{self.key}.part"
        self.partial = parent / f".up42-{self.key}.partial"


def _fetched(
    session: Session,
    part: Path,
    new_arrival: Callable[[], Arrival],
    unpack: Callable[[BinaryIO], list[Path]],
    retry_on: tuple[type[Exception], ...],
) -> list[Path]:
    """The files. Where a part of an earlier run turns out broken (the machine may have died), all is fetched anew."""
    left_before = PartFile(part).is_usable
    try:
        return _fetched_once(session, part, new_arrival(), unpack, retry_on)
    except ArchiveBroken:
        if not left_before:
            raise
    PartFile(part).discard()
    return _fetched_once(session, part, new_arrival(), unpack, retry_on)


def _fetched_once(
    session: Session,
    part: Path,
    arrival: Arrival,
    unpack: Callable[[BinaryIO], list[Path]],
    retry_on: tuple[type[Exception], ...],
) -> list[Path]:
    def fetch() -> Path:
        return download(
            session,
            arrival.fresh_url,
            part,
            cancel=arrival.stop,
            progress=arrival.note,
            unpacked_share=UNPACKED_SHARE,
            retry_on=retry_on,
            growth=arrival.growth,
        )

    return arrival.unpack_while(fetch, part, unpack)


def _finished(
    place: _Place,
    parent: Path,
    name: str,
    files: list[Path],
    make_manifest: Callable[[list[Path]], Mapping[str, Any]],
    cancel: Cancel,
) -> Delivered:
    """Write job.json, and only then give the folder its name."""
    outputs, problem = _outputs(place.partial, files)
    manifest = dict(make_manifest(files))
    manifest["delivery"] = place.key
    manifest["files"] = _file_entries(place.partial, files, outputs)
    if not manifest.get("scenes"):
        told = [feature for feature in outputs.features if isinstance(feature.get("properties"), dict)]
        manifest["scenes"] = scene_entries([scene_of(feature) for feature in told])
    write_manifest(place.partial, manifest)
    cancel.check()
    folder = _named(place.partial, parent, name, cancel)
    return _delivered(folder, files, outputs, problem)


def _named(partial: Path, parent: Path, name: str, cancel: Cancel) -> Path:
    for further in reversed(range(_RENAMES)):
        folder = unique_folder(parent, name)
        try:
            put_in_place(partial, folder, cancel)
            return folder
        except DeliveryError as error:
            if error.code != "folder_exists" or not further:
                raise
    raise DeliveryError("folder_exists", {"folder": str(parent / name)})


def _already_there(parent: Path, name: str, key: str) -> Optional[Delivered]:
    """The folder of an earlier delivery with the same key and name, if none of its files was taken away."""
    base = folder_name(name)
    with disk_errors(parent):
        found = [path for path in parent.iterdir() if path.name == base or path.name.startswith(f"{base} (")]
    for folder in sorted(found):
        try:
            manifest = read_manifest(folder)
        except DeliveryError:
            continue
        files = [Path(entry["path"]) for entry in manifest["files"]]
        if manifest.get("delivery") == key and all((folder / path).is_file() for path in files):
            return _delivered(folder, files, *_outputs(folder, files))
    return None


def _outputs(folder: Path, files: Sequence[Path]) -> tuple[Outputs, Optional[DeliveryError]]:
    """A data.json that can't be read takes nothing away from the files: they arrive, and the problem is told."""
    try:
        return read_outputs(folder, files), None
    except DataUnreadable as problem:
        return unlinked(files), problem


def _delivered(folder: Path, files: Sequence[Path], outputs: Outputs, problem: Optional[DeliveryError]) -> Delivered:
    if problem is not None:
        problem = DataUnreadable(problem.code, {**problem.values, "folder": str(folder)})
    return Delivered(folder, [folder / path for path in files], outputs.collection, outputs.missing, problem)


def _file_entries(folder: Path, files: Sequence[Path], outputs: Outputs) -> list[dict[str, Any]]:
    scenes = {file.path: list(file.scene_ids) for file in outputs.files}
    with disk_errors(folder.parent):
        return [
            {"path": path.as_posix(), "bytes": (folder / path).stat().st_size, "scenes": scenes.get(path, [])}
            for path in files
        ]
