"""Many AOIs in few objects: each is made when it is asked for.

Ten thousand as they are would be a hundred thousand objects, and Python's garbage collection, which goes through all
objects at once, would be felt as a pause of the GUI.
"""

from __future__ import annotations

import struct
from array import array
from typing import TYPE_CHECKING, Callable, Iterable, Iterator, Sequence, Union, overload

from .aoi import Aoi

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_LITTLE_ENDIAN, _MULTI_POLYGON = 1, 6  # of well-known binary, OGC 06-103r4 section 8.2
_HEADER = struct.Struct("<BII")  # byte order, kind, count of parts


class ManyAois(Sequence[Aoi]):
    """AOIs in their order, kept as well-known binary, name and area. Making one takes about 20 µs."""

    def __init__(self, aois: Iterable[Aoi] = ()) -> None:
        self._shapes: list[bytes] = []
        self._names: list[str] = []
        self._areas = array("d")  # km²
        for aoi in aois:
            self.append(aoi)

    @classmethod
    def of(cls, aois: Iterable[Aoi]) -> ManyAois:
        """These AOIs; themselves where they are kept like this already."""
        return aois if isinstance(aois, cls) else cls(aois)

    def append(self, aoi: Aoi) -> None:
        """One more. Its area is computed here, if it is not yet: not for a GUI thread."""
        from shapely import wkb

        self._shapes.append(wkb.dumps(aoi.geometry, big_endian=False))
        self._names.append(aoi.name)
        self._areas.append(aoi.area_km2)

    def extend(self, aois: Iterable[Aoi]) -> None:
        """All of these too."""
        others = ManyAois.of(aois)
        self._shapes += others._shapes
        self._names += others._names
        self._areas.extend(others._areas)

    def __len__(self) -> int:
        return len(self._shapes)

    @overload
    def __getitem__(self, index: int) -> Aoi: ...
    @overload
    def __getitem__(self, index: slice) -> ManyAois: ...
    def __getitem__(self, index: Union[int, slice]) -> Union[Aoi, ManyAois]:
        if isinstance(index, slice):
            return ManyAois(self[place] for place in range(*index.indices(len(self))))
        from shapely import wkb

        return Aoi(wkb.loads(self._shapes[index]), self._names[index]).of_area(self._areas[index])

    @property
    def area_km2(self) -> float:
        """All their areas, added up."""
        return sum(self._areas)

    @property
    def geometry(self) -> BaseGeometry:
        """All their polygons as one MultiPolygon in EPSG:4326."""
        from shapely import wkb

        count = sum(_HEADER.unpack_from(shape)[2] if _is_multi(shape) else 1 for shape in self._shapes)
        parts = (shape[_HEADER.size :] if _is_multi(shape) else shape for shape in self._shapes)
        return wkb.loads(_HEADER.pack(_LITTLE_ENDIAN, _MULTI_POLYGON, count) + b"".join(parts))

    def renamed(self, rename: Callable[[str], str]) -> ManyAois:
        """The same AOIs by other names."""
        other = ManyAois()
        other._shapes, other._areas = list(self._shapes), array("d", self._areas)
        other._names = [rename(name) for name in self._names]
        return other

    def each_polygon(self) -> ManyAois:
        """Every polygon as an AOI of its own, named "<name> 1", "<name> 2", … where an AOI has several."""
        if not any(map(_is_multi, self._shapes)):
            return self
        return ManyAois(part for aoi in self for part in _polygons(aoi))


def each_polygon(aoi: Aoi) -> ManyAois:
    """Each polygon of the AOI as one of its own, named "<name> 1", "<name> 2", …; one polygon keeps its name."""
    return ManyAois(_polygons(aoi))


def _polygons(aoi: Aoi) -> Iterator[Aoi]:
    parts = getattr(aoi.geometry, "geoms", ())  # made one by one, as they are asked for
    if len(parts) < 2:
        yield aoi
        return
    for number, part in enumerate(parts, start=1):
        yield Aoi(part, f"{aoi.name} {number}")


def _is_multi(shape: bytes) -> bool:
    return _HEADER.unpack_from(shape)[1] == _MULTI_POLYGON
