"""The thread that layers are made on: what is made there holds on the GUI thread, whatever ends meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Callable

import numpy as np
import pytest
from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsMapLayer, QgsProject
from qgis.PyQt.QtCore import QThread

from up42_jobs.plugin.layers.maker import NAME, hand_to_gui, on_maker_thread
from up42_jobs.plugin.layers.open_layer import open_layer
from up42_jobs.plugin.layers.scan import Found

MakeRaster = Callable[..., Path]
SECONDS = 20


def found(path: Path) -> Found:
    return Found(path, str(path), "gdal", "raster", path.stem, "")


def in_wgs84(crs: QgsCoordinateReferenceSystem, layer: QgsMapLayer) -> float:
    """The latitude of the layer's middle, as `crs` says."""
    world = QgsCoordinateReferenceSystem("EPSG:4326")
    transform = QgsCoordinateTransform(crs, world, QgsProject.instance().transformContext())
    return transform.transformBoundingBox(layer.extent()).center().y()


def test_layers_are_made_there_and_right_here(make_raster: MakeRaster, tmp_path: Path, qgis_app: Any) -> None:
    path = make_raster(tmp_path / "a.tif", np.full((1, 64, 64), 7, "uint16"))
    made: SimpleQueue[QgsMapLayer] = SimpleQueue()
    where: SimpleQueue[str] = SimpleQueue()

    def make() -> None:
        where.put(threading.current_thread().name)
        made.put(hand_to_gui(open_layer(found(path), "a")))

    on_maker_thread(make)
    layer = made.get(timeout=SECONDS)
    assert where.get(timeout=SECONDS) == NAME
    assert layer.thread() == QThread.currentThread() == layer.dataProvider().thread()
    for crs in (layer.crs(), QgsCoordinateReferenceSystem(layer.crs().authid())):
        assert in_wgs84(crs, layer) == pytest.approx(-25.3, abs=0.1)


def test_the_thread_outlives_what_goes_wrong_on_it(monkeypatch: pytest.MonkeyPatch, qgis_app: Any) -> None:
    told: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", told.append)

    def fail() -> None:
        raise ValueError("one broken layer")

    answered: SimpleQueue[int] = SimpleQueue()
    on_maker_thread(fail)
    on_maker_thread(lambda: answered.put(threading.get_ident()))
    first = answered.get(timeout=SECONDS)
    on_maker_thread(lambda: answered.put(threading.get_ident()))
    assert answered.get(timeout=SECONDS) == first
    assert [str(one.exc_value) for one in told] == ["one broken layer"]
