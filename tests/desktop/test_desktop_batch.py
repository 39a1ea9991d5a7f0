"""The toolbox's own batch dialog over polygon layers: a Test Query for each, and Cancel while a job is waited for."""

from __future__ import annotations

import os
import time

import pytest
from qgis_desktop import Desktop

OPEN = """
from qgis.core import QgsApplication, QgsFeature, QgsGeometry, QgsProcessingContext, QgsProject, QgsRectangle
from qgis.core import QgsVectorLayer
from qgis.PyQt.QtCore import QTimer
from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog


def polygon(name, west, width):
    layer = QgsVectorLayer('Polygon?crs=EPSG:4326', name, 'memory')
    feature = QgsFeature(layer.fields())
    feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(west, 52.5, west + width, 52.5 + width / 2)))
    layer.dataProvider().addFeatures([feature])
    return QgsProject.instance().addMapLayer(layer)


def fill(row, **values):
    for name, value in values.items():
        column = panel.parameter_to_column[name]
        if name == 'OUTPUT_FOLDER':
            panel.tblParameters.cellWidget(row + 1, column).setValue(value)
        else:
            panel.wrappers[row][column].setParameterValue(value, context)


context = QgsProcessingContext()
context.setProject(QgsProject.instance())
algorithm = QgsApplication.processingRegistry().createAlgorithmById('up42jobs:runjob')
dialog = BatchAlgorithmDialog(algorithm, iface.mainWindow())
panel = dialog.mainWidget()
panel.addRow(1)
dialog.show()
"""
FILL = """
for row, (name, west) in enumerate((('North', 13.3), ('South', 13.4))):
    fill(row, AOI=polygon(name, west, 0.01), WORKFLOW='Demo Imagery', CONNECTION='local', JOB_TYPE='test_query',
         PARAMETERS='{{"demo-s2-l2a:1": {{"limit": 1}}}}', OUTPUT_FOLDER={folder!r})
"""
FILL_LARGE = """
panel.clear()
panel.addRow(1)
fill(0, AOI=polygon('Large', 13.0, 0.6), WORKFLOW='Demo NDVI', CONNECTION='local', JOB_TYPE='live_job',
     OUTPUT_FOLDER={folder!r})
"""
RUN = "QTimer.singleShot(0, dialog.runButton().click)"  # it returns when the batch has ended
LOG = "dialog.findChild(__import__('qgis.PyQt.QtWidgets').PyQt.QtWidgets.QTextEdit, 'txtLog').toPlainText()"


def crowded():
    """By how much everything takes longer where other work fills the machine."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def test_a_batch_of_polygon_layers(tmp_path):
    if not os.environ.get("DISPLAY"):
        pytest.fail("These tests need a display: tools/test.sh desktop gives them one.")
    qgis = Desktop()
    try:
        qgis.do(OPEN)
        qgis.do(FILL.format(folder=str(tmp_path / "found")))
        qgis.do(RUN)
        qgis.wait(f"'Batch execution completed' in {LOG}")
        log = qgis.get(LOG)
        assert log.count("'STATUS': 'succeeded'") == 2, log
        folders = sorted(path.name for path in (tmp_path / "found").iterdir() if not path.name.startswith("."))
        assert [name.partition(" · ")[0] for name in folders] == ["North", "South"]
        assert len(list(tmp_path.glob("found/*/quicklooks/DEMO*.jpg"))) == 2

        qgis.do(FILL_LARGE.format(folder=str(tmp_path / "large")))
        qgis.do(RUN)
        qgis.wait(f"'Job ' in {LOG}.rpartition('Batch execution completed')[2] and dialog.cancelButton().isEnabled()")
        asked = time.monotonic()
        for _ in range(10):  # in the midst of the wait: the dialog is alive
            assert qgis.get("dialog.cancelButton().isEnabled()")
        assert time.monotonic() - asked < 3 * crowded()
        asked = time.monotonic()
        qgis.do("dialog.cancelButton().click()")
        qgis.wait(f"{LOG}.count('Batch execution completed') == 2")
        assert time.monotonic() - asked < 1 * crowded()
        assert not (tmp_path / "large").exists()
        assert qgis.errors == ""
    finally:
        qgis.close()
