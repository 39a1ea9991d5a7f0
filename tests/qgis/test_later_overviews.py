"""Overviews of large images come while the image is on the map already, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Iterator

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import QgsProject, QgsRasterLayer
from qgis.PyQt.QtXml import QDomDocument

from up42_jobs.plugin.delivery.lock import exclusive
from up42_jobs.plugin.host.later_overviews import LaterOverviews
from up42_jobs.plugin.host.work import Works
from up42_jobs.plugin.layers.provenance import JOB_ID

MakeRaster = Callable[..., Path]
PATIENCE_MS = 30_000


class OwnSettings:
    """What the user wants, without a profile."""

    make_overviews = True


@pytest.fixture
def settings() -> OwnSettings:
    return OwnSettings()


@pytest.fixture
def later(settings: Any, qgis_app: Any) -> Iterator[LaterOverviews]:
    works = Works()
    later = LaterOverviews(works, settings)
    yield later
    later.close()
    works.stop()


@pytest.fixture
def large(make_raster: MakeRaster, tmp_path: Path) -> Path:
    image = np.random.default_rng(1).integers(300, 3000, (3, 2300, 2300), dtype=np.uint16)
    return make_raster(tmp_path / "large.tif", image, options=["TILED=YES", "COMPRESS=DEFLATE"])


def layer_of_a_job(path: Path) -> QgsRasterLayer:
    layer = QgsRasterLayer(str(path), "large")
    layer.setCustomProperty(JOB_ID, "a job")
    QgsProject.instance().addMapLayer(layer)
    return layer


def style_of(layer: QgsRasterLayer) -> str:
    document = QDomDocument("style")
    element = document.createElement("x")
    document.appendChild(element)
    layer.renderer().writeXml(document, element)
    return document.toString()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".aux.xml"))


def test_the_layer_draws_from_them_and_keeps_its_style(
    later: LaterOverviews, large: Path, project: QgsProject, qtbot: Any
) -> None:
    layer = layer_of_a_job(large)
    before, levels = style_of(layer), layer.dataProvider().buildPyramidList()
    assert not any(level.getExists() for level in levels)
    with qtbot.waitSignal(layer.repaintRequested, timeout=PATIENCE_MS):
        later.build_for_project()  # as after a restart
    assert names(large.parent) == ["large.tif", "large.tif.ovr"]
    assert any(level.getExists() for level in layer.dataProvider().buildPyramidList())
    assert style_of(layer) == before
    assert gdal.Open(str(large)).GetRasterBand(1).GetOverview(0).XSize == 575


def test_a_map_that_is_being_drawn_comes_first(later: LaterOverviews, large: Path, qtbot: Any) -> None:
    asked: list[bool] = []
    later.is_drawing = lambda: asked.append(True) or len(asked) < 3
    later.build([large])
    ovr = large.with_name("large.tif.ovr")
    qtbot.waitUntil(lambda: bool(asked), timeout=PATIENCE_MS)
    assert not ovr.exists()
    qtbot.waitUntil(ovr.exists, timeout=PATIENCE_MS)
    assert len(asked) == 3


def test_none_are_built_where_the_user_wants_none(later: LaterOverviews, settings: OwnSettings, large: Path) -> None:
    settings.make_overviews = False
    later.build([large])
    assert not later._works._running  # nothing was begun


def test_another_qgis_that_is_at_it_is_left_alone(later: LaterOverviews, large: Path, qtbot: Any) -> None:
    with exclusive(large.with_name(".large.tif.up42.lock")):
        ended = []
        tell_end = later._ended
        later._ended = lambda path, built: (ended.append(built), tell_end(path, built))
        later.build([large])
        qtbot.waitUntil(lambda: bool(ended), timeout=PATIENCE_MS)
    assert ended == [False]
    assert names(large.parent) == ["large.tif"]
