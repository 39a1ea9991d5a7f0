"""Zip files among the outputs: unpacked beside them by the same careful unpacking as the archive itself."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Sequence

from ..delivery.errors import DeliveryError
from ..delivery.unpack import unpack
from ..layers.scan import Skipped
from ..net.cancel import Cancel
from .words import tell_delivery

UNPACKED = "unpacked"  # the folder, in the job's, with one folder for each zip


def unpack_zips(
    folder: Path, files: Sequence[Path], cancel: Cancel, after_member: Callable[[Path], None]
) -> tuple[list[Path], list[Skipped]]:
    """`files` (below `folder`) with what is in the zips instead of these, and the zips that can't be unpacked.

    A zip that was unpacked before is not unpacked again; one in a zip stays as it is. Worker thread. Raises Cancelled.
    """
    kept: list[Path] = []
    skipped: list[Skipped] = []
    for file in files:
        if file.suffix.lower() != ".zip":
            kept.append(file)
            continue
        target = folder / UNPACKED / file.with_suffix("")
        try:
            if not target.is_dir():
                target.parent.mkdir(parents=True, exist_ok=True)
                unpack(folder / file, target, cancel=cancel, after_member=after_member)
        except DeliveryError as e:
            skipped.append(Skipped(folder / file, tell_delivery(e)))
            continue
        kept += sorted(path.relative_to(folder) for path in target.rglob("*") if path.is_file())
    return kept, skipped
