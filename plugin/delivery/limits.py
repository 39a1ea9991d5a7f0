"""How much an archive may unpack to, and the count that is kept against it: a small file can hold a very large one."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import ArchiveRefused, Size


@dataclass(frozen=True)
class UnpackLimits:
    """The caps on one archive.

    `max_members`: files and folders. `max_total`: bytes unpacked. `max_ratio`: unpacked bytes for one packed byte,
    asked only beyond `ratio_from` bytes unpacked, as an honest raster of nodata packs as densely as gzip can (1032:1).
    """

    max_members: int = 100_000
    max_total: int = 1 << 40
    max_ratio: int = 250
    ratio_from: int = 2 << 30


class Tally:
    """What one archive has brought so far. Raises ArchiveRefused as soon as it is, or announces, too much."""

    def __init__(self, limits: UnpackLimits):
        self._limits = limits
        self._members = 0
        self._announced = 0
        self._member = ""

    def member(self, name: str, size: int) -> None:
        """The next member and the bytes it announces; from here on it is the one that a refusal names."""
        self._member = name
        self._members += 1
        self._announced += size
        if self._members > self._limits.max_members:
            raise ArchiveRefused("too_many_members", name, maximum=self._limits.max_members)
        self._check_total(self._announced)

    def bytes(self, unpacked: int, packed: int) -> None:
        """What was really unpacked, in all, and how much of the archive that took."""
        self._check_total(unpacked)
        if unpacked > max(self._limits.ratio_from, packed * self._limits.max_ratio):
            raise ArchiveRefused(
                "too_dense", self._member, ratio=unpacked // max(packed, 1), maximum=self._limits.max_ratio
            )

    def _check_total(self, size: int) -> None:
        if size > self._limits.max_total:
            raise ArchiveRefused("too_large", self._member, size=Size(size), maximum=Size(self._limits.max_total))
