"""Reads AOIs and finds repairs on worker threads: sources may be remote or large, and the GUI never waits."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable

from qgis.core import QgsCoordinateTransformContext, QgsProject, QgsVectorLayer

from ..jobs.aoi import Aoi, AoiError, AoiLimits, GeometricFilter
from ..jobs.aoi_repairs import Repair, repairs
from ..jobs.problem import Problem
from .aoi_file import layer_source_reader, read_aoi_file
from .aoi_layer import layer_reader
from .aoi_source import FoundAois
from .aoi_text import read_aoi_text
from .errors import log
from .words import tr
from .work import Work, Works

Done = Callable[[FoundAois], None]
Refused = Callable[[Problem], None]


class AoiReader:
    """Each method answers by one of its callbacks, on the GUI thread, or by none after its `Work` is cancelled."""

    def __init__(self, works: Works) -> None:
        self._works = works

    def layer(self, layer: QgsVectorLayer, selected_only: bool, name_field: str, done: Done, refused: Refused) -> Work:
        """All or the selected polygons of a layer as they are now; named by a field where `name_field` is given."""
        return self._read(layer_reader(layer, selected_only, name_field), layer.name(), done, refused)

    def layer_source(self, uri: str, provider: str, name: str, done: Done, refused: Refused) -> Work:
        """All polygons of a layer that is not in the project."""
        return self._read(partial(layer_source_reader, uri, provider, name, self._context()), name, done, refused)

    def file(self, path: str, done: Done, refused: Refused) -> Work:
        """All polygons of a file of any format that QGIS reads; of a raster, the rectangle that it covers."""
        return self._read(partial(read_aoi_file, path, self._context()), path, done, refused)

    def text(self, text: str, done: Done, refused: Refused) -> Work:
        """All polygons of a pasted or dropped text."""
        return self._read(lambda: read_aoi_text(text), tr("Pasted AOI"), done, refused)

    @staticmethod
    def _context() -> QgsCoordinateTransformContext:
        return QgsProject.instance().transformContext()  # on the GUI thread, whose project it is

    def repairs(
        self, aoi: Aoi, limits: AoiLimits, geometric_filter: GeometricFilter, done: Callable[[list[Repair]], None]
    ) -> Work:
        """The ways to mend the first problem of `aoi`; none where GEOS itself gives up on it."""

        def failed(error: Exception) -> None:
            log(f"No repairs of the AOI: {type(error).__name__}: {error}")
            done([])

        return self._start(lambda: repairs(aoi, limits, geometric_filter), done, failed)

    def _read(self, read: Callable[[], FoundAois], name: str, done: Done, refused: Refused) -> Work:
        def failed(error: Exception) -> None:
            if isinstance(error, AoiError):
                refused(error.problem)

        return self._start(lambda: _read_whole(read, name), done, failed)

    def _start(self, do: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]) -> Work:
        return self._works.start(
            tr("Read AOI"), lambda _cancel, _progress: do(), shown=False, succeeded=done, failed=failed
        )


def _read_whole(read: Callable[[], FoundAois], name: str) -> FoundAois:
    """What `read` gives, with what takes time computed. Raises AoiError, and nothing else.

    Raised anew: the traceback of the first one holds layers that were made on this thread and must end on it.
    """
    problem: Problem
    try:
        return read().with_what_takes_time()
    except AoiError as e:
        problem = e.problem
    except Exception as e:  # what a provider or a broken file may do is not known
        log(f"No AOI of {name}: {type(e).__name__}: {e}")
        problem = Problem("aoi_unreadable_file", {"name": name}, where="aoi")
    raise AoiError(problem)
