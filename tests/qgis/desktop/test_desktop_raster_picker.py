"""Rasters of the user's own folders, chosen from a list into the form: on the real engine, with real files."""

from __future__ import annotations

import os

import numpy as np
import pytest
from qgis.PyQt.QtCore import QBuffer, QByteArray, QDate, QIODevice, Qt
from qgis.PyQt.QtGui import QImage
from shapely.geometry import box

from up42_jobs.plugin.desktop.raster_picker import ACQUIRED, BANDS, FOLDER, NAME
from up42_jobs.plugin.desktop.raster_picking import RasterPicking
from up42_jobs.plugin.desktop.request_model import RequestModel
from up42_jobs.plugin.desktop.workflow_box import WorkflowBox
from up42_jobs.plugin.engine.blocks.storage.block import MAX_QUICKLOOKS
from up42_jobs.plugin.host.connections import Kind
from up42_jobs.plugin.host.found_scenes import THUMBNAIL
from up42_jobs.plugin.host.stored_rasters import image_of
from up42_jobs.plugin.jobs.aoi import Aoi
from up42_jobs.plugin.jobs.job import JobState
from up42_jobs.plugin.net.cancel import Cancel

PATIENCE_MS = 60_000
HERE = Aoi(box(-54.62, -25.31, -54.60, -25.29), "Here")  # where make_raster puts its rasters
AWAY = Aoi(box(13.3, 52.4, 13.4, 52.5), "Away")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("rasters") / "My Fields"


@pytest.fixture
def picking(window, journey, open_catalogue, folder, make_raster, qtbot):
    """The picker of the stored-data workflow; the folder is registered by the first test."""
    random = np.random.default_rng(1)
    for name in ("north_2024-05-18", "south_2023-01-02", "undated"):
        if not (folder / f"{name}.tif").exists():
            values = random.integers(1, 3000, (2, 40, 60)).astype("uint16")
            make_raster(folder / f"{name}.tif", values, descriptions=("Red", "NIR"), nodata=0)
    model = RequestModel()
    model.set_catalogue(open_catalogue(Kind.FREE))
    workflow_box = WorkflowBox(model)
    qtbot.addWidget(workflow_box)
    workflow_box.show()
    model.set_workflow(next(w for w in model.catalogue.workflows if not w.needs_aoi))
    picking = RasterPicking(model, journey.stored_rasters, window.canvas, window)
    workflow_box.rasters_wanted.connect(picking.open)
    picking.model, picking.button = model, workflow_box.pickRastersButton
    yield picking
    picking.stop()


def register(journey, folder, qtbot):
    ids = []
    journey.add_scene_folder(folder, ids.append, ids.append)
    qtbot.waitUntil(lambda: bool(ids), timeout=PATIENCE_MS)


def until_listed(picking, qtbot):
    qtbot.waitUntil(lambda: picking._listing is None and picking._fetching is None, timeout=PATIENCE_MS)


def shown(dialog):
    return [item.text(NAME) for item in dialog._items() if not item.isHidden()]


def pictures_in(dialog):
    return sum(not item.icon(NAME).isNull() for item in dialog._items())


def tick(dialog, name):
    item = next(item for item in dialog._items() if item.text(NAME) == name)
    item.setCheckState(NAME, Qt.CheckState.Checked)


def test_without_a_folder_it_says_so_and_with_one_it_lists_rasters_with_pictures(picking, journey, folder, qtbot):
    assert picking.button.isVisible() and picking.button.text() == "Choose Rasters…"
    picking.button.click()
    dialog = picking.dialog
    assert "Looking into the folders" in dialog.rastersMessage.text()
    until_listed(picking, qtbot)
    assert "There are no rasters yet" in dialog.rastersMessage.text()
    assert not dialog.okButton.isEnabled()
    register(journey, folder, qtbot)
    dialog.listAgainButton.click()
    until_listed(picking, qtbot)
    assert shown(dialog) == ["north_2024-05-18", "south_2023-01-02", "undated"]
    item = dialog._items()[0]
    assert item.text(BANDS) == "Red, NIR" and item.text(FOLDER) == "My Fields" and item.text(ACQUIRED)
    assert not any(item.icon(NAME).isNull() for item in dialog._items())
    assert "Listed: 3 of 3 · ticked: 0" in dialog.rastersMessage.text()


def test_what_is_ticked_goes_into_the_form_and_runs(picking, journey, parts, folder, qtbot):
    model = picking.model
    register(journey, folder, qtbot)
    data = model.data_task.name
    model.set_parameter(data, "ids", ["undated"])
    assert picking.button.text() == "Rasters Chosen: 1…"
    picking.open()
    until_listed(picking, qtbot)
    dialog = picking.dialog
    assert len(dialog.ticked) == 1  # what the form had
    tick(dialog, "north_2024-05-18")
    dialog.rasterFilterEdit.setText("south")
    assert shown(dialog) == ["south_2023-01-02"] and len(dialog.ticked) == 2  # hidden ones stay ticked
    dialog.okButton.click()
    assert picking.dialog is None
    given = model.request.parameters[data]
    assert given["ids"] is None and len(given["asset_ids"]) == 2
    assert model.problems == [] and picking.button.text() == "Rasters Chosen: 2…"
    platform = parts.connections.open(model.catalogue.connection, Cancel())
    job = platform.submit(model.request.named("Chosen"))

    def ended():
        return platform.job(job.project_id, job.id).state.ended

    qtbot.waitUntil(ended, timeout=PATIENCE_MS)
    done = platform.job(job.project_id, job.id)
    assert done.state is JobState.SUCCEEDED
    assert sorted(scene.id for scene in platform.scenes(done)) == ["north_2024-05-18", "undated"]
    picking.open()  # what was listed is kept: nothing is asked
    assert picking._listing is None and len(picking.dialog.ticked) == 2


def test_it_is_filtered_by_words_dates_and_the_aoi(picking, journey, folder, qtbot):
    register(journey, folder, qtbot)
    picking.open()
    until_listed(picking, qtbot)
    dialog = picking.dialog
    assert not dialog.onAoiBox.isEnabled()
    for words, names in (("NIR north", 1), ("fields", 3), ("blue", 0), ("", 3)):
        dialog.rasterFilterEdit.setText(words)
        assert len(shown(dialog)) == names, words
    dialog.rastersFromDate.setDate(QDate(2024, 1, 1))
    assert shown(dialog) == ["north_2024-05-18"]
    dialog.rastersToDate.setDate(QDate(2024, 5, 17))
    assert shown(dialog) == []
    dialog.reject()
    for aoi, count in ((HERE, 3), (AWAY, 0)):
        picking.model.set_aoi(aoi)
        picking.open()
        until_listed(picking, qtbot)
        picking.dialog.onAoiBox.setChecked(True)
        assert len(shown(picking.dialog)) == count, aoi.name
        picking.dialog.reject()


def test_several_rows_are_ticked_at_once_and_shown_on_the_map(picking, journey, folder, qtbot):
    register(journey, folder, qtbot)
    picking.open()
    until_listed(picking, qtbot)
    dialog = picking.dialog
    dialog.rastersTree.selectAll()
    tick(dialog, "undated")
    assert len(dialog.ticked) == 3 and dialog.okButton.text() == "Take 3"
    dialog._items()[0].setCheckState(NAME, Qt.CheckState.Unchecked)
    assert dialog.ticked == [] and not dialog.okButton.isEnabled()


def test_more_rasters_than_have_pictures_are_listed_a_page_at_a_time(picking, journey, folder, tmp_path, qtbot):
    many = tmp_path / "Many"
    many.mkdir()
    for number in range(601):
        os.link(folder / "undated.tif", many / f"m{number:03}_2020-01-02.tif")
    register(journey, many, qtbot)
    picking.open()
    dialog = picking.dialog
    qtbot.waitUntil(lambda: pictures_in(dialog) == MAX_QUICKLOOKS, timeout=PATIENCE_MS)
    until_listed(picking, qtbot)
    assert sum(name.startswith("m") for name in shown(dialog)) == 601
    oldest = next(item for item in dialog._items() if item.text(NAME) == "m600_2020-01-02")
    oldest.setCheckState(NAME, Qt.CheckState.Checked)
    assert f"Listed: {len(dialog._items())} of {len(dialog._items())} · ticked: 1" in dialog.rastersMessage.text()
    dialog.rasterFilterEdit.setText("m59")
    qtbot.waitUntil(lambda: len(shown(dialog)) == 10, timeout=PATIENCE_MS)
    dialog.okButton.click()
    assert len(picking.model.request.parameters[picking.model.data_task.name]["asset_ids"]) == 1
    picking.open()
    qtbot.waitUntil(lambda: pictures_in(picking.dialog) == MAX_QUICKLOOKS, timeout=PATIENCE_MS)


def test_a_search_by_aoi_has_no_such_list(picking):
    picking.model.set_workflow(next(w for w in picking.model.catalogue.workflows if w.needs_aoi))
    assert not picking.button.isVisible()
    picking.open()
    assert picking.dialog is None


def test_a_picture_is_small_and_only_a_jpeg_or_png(qgis_app):
    image = QImage(400, 300, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.green)
    held = QByteArray()
    buffer = QBuffer(held)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    small = image_of(bytes(held))
    assert (small.width(), small.height()) == THUMBNAIL
    assert image_of(bytes(held)[:100]) is None
    assert image_of(b"<svg xmlns='http://www.w3.org/2000/svg'/>") is None
