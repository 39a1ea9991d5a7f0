"""The picture of a job: everything on it that a colleague needs to read it."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import numpy as np
import pytest
from qgis.core import QgsProject
from qgis.PyQt.QtGui import QColor, QImage

from up42_jobs.plugin.layers.job_info import JobInfo
from up42_jobs.plugin.layers.load import add_job
from up42_jobs.plugin.layers.palettes import NDVI_COLOURS
from up42_jobs.plugin.layers.picture import BACKGROUND, render_job
from up42_jobs.plugin.layers.prepare import prepare
from up42_jobs.plugin.layers.style import AOI_COLOUR, FOOTPRINT_COLOUR

AOI = [[[-54.61, -25.32], [-54.59, -25.32], [-54.59, -25.30], [-54.61, -25.30], [-54.61, -25.32]]]
FOOTPRINT = [[[-54.7, -25.4], [-54.6, -25.4], [-54.6, -25.2], [-54.7, -25.2], [-54.7, -25.4]]]


def share(image: QImage, colour: str, tolerance: int = 12) -> float:
    """The share of pixels that have about this colour."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    bits = image.constBits()
    bits.setsize(image.byteCount() if hasattr(image, "byteCount") else image.sizeInBytes())
    pixels = np.frombuffer(bits, np.uint8).reshape(image.height(), image.width(), 4)[:, :, 2::-1].astype(int)
    wanted = QColor(colour)
    near = np.abs(pixels - [wanted.red(), wanted.green(), wanted.blue()]).max(axis=2) <= tolerance
    return float(near.mean())


@pytest.fixture
def ndvi_map(project: QgsProject, tmp_path: Path, make_raster: Callable[..., Path]) -> QImage:
    folder = tmp_path / "job"
    make_raster(folder / "s_ndvi.tif", np.full((1, 60, 60), 0.6, "float32"))
    scene = {
        "type": "Feature",
        "id": "s",
        "geometry": {"type": "Polygon", "coordinates": FOOTPRINT},
        "properties": {"datetime": "2020-05-18T13:24:12Z", "eo:cloud_cover": 3.2},
    }
    info = JobInfo(
        *("j", "Itaipu", "Itaipu", {"type": "Polygon", "coordinates": AOI}, "live_job", "Landsat", "NDVI"),
        attribution="USGS",
    )
    group = add_job(project, info, *prepare(folder, [folder / "s_ndvi.tif"], [scene], info))
    path = tmp_path / "map.png"
    render_job(group, path, title="Itaipu · NDVI", subtitle="one scene", size=(800, 560))
    return QImage(str(path))


def test_imagery_aoi_footprints_and_paper_are_there(ndvi_map: QImage) -> None:
    assert (ndvi_map.width(), ndvi_map.height()) == (800, 560)
    green = next(colour for value, colour, _ in NDVI_COLOURS if value == 0.6)
    assert share(ndvi_map, green) > 0.1
    assert share(ndvi_map, AOI_COLOUR) > 0.003
    assert share(ndvi_map, FOOTPRINT_COLOUR, 60) > 0.001
    assert share(ndvi_map, BACKGROUND, 2) > 0.05
    assert share(ndvi_map, "#ffffff", 0) > 0.2


def test_title_panel_and_credits_are_written(ndvi_map: QImage) -> None:
    def is_written(x: int, y: int, width: int, height: int) -> bool:
        return share(ndvi_map.copy(x, y, width, height), "#ffffff", 60) < 0.999

    assert is_written(20, 2, 200, 20)  # title
    assert is_written(620, 200, 170, 150)  # legend, scenes
    assert is_written(620, 500, 170, 40)  # scale bar
    assert is_written(20, 540, 100, 18)  # credits


def test_a_folder_that_is_not_there_is_said(project: QgsProject, tmp_path: Path) -> None:
    group = project.layerTreeRoot().addGroup("empty")
    with pytest.raises(OSError, match="choose another folder"):
        render_job(group, tmp_path / "missing" / "map.png", title="x", size=(200, 140))
