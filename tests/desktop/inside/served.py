"""`qgis --code` of this file: QGIS takes Python from a socket, runs it on the GUI thread, and answers in JSON.

The test is outside, with mouse, keyboard and assertions; here it only looks and points.
"""

import json
import os
import socket
import sys
import threading
import traceback

from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsPointXY, QgsProject
from qgis.PyQt.QtCore import QObject, QPoint, pyqtSignal
from qgis.PyQt.QtWidgets import QApplication, QScrollArea, QWidget
from qgis.utils import iface, plugins

sys.path.insert(0, os.path.dirname(os.environ["PYQGIS_STARTUP"]))

from heartbeat import Heartbeat


class Served(QObject):
    """One connection. A line in is {"code": …} or {"value": …}; a line out is {"value": …} or {"error": …}."""

    asked = pyqtSignal(object)

    def __init__(self, path):
        super().__init__()
        self._names = {
            "iface": iface, "plugins": plugins, "find": find, "centre": centre, "resting_centre": resting_centre,
            "map_point": map_point, "served": self,
        }
        self.asked.connect(self._answer)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(path)
        self._socket.listen(1)
        self.heartbeat = None
        threading.Thread(target=self._serve, daemon=True).start()

    def watch_pauses(self):
        """Begin to measure pauses of the GUI thread, or begin anew."""
        if self.heartbeat is not None:
            self.heartbeat.stop()
        self.heartbeat = Heartbeat(os.environ["UP42_TEST_PLUGIN"])

    def _serve(self):
        connection, _address = self._socket.accept()
        with connection, connection.makefile("rw", encoding="utf-8") as stream:
            for line in stream:
                question = {"ask": json.loads(line), "done": threading.Event()}
                self.asked.emit(question)
                question["done"].wait()
                stream.write(json.dumps(question["answer"]) + "\n")
                stream.flush()

    def _answer(self, question):
        try:
            if "code" in question["ask"]:
                exec(question["ask"]["code"], self._names)  # noqa: S102  (the test's own code)
                question["answer"] = {"value": None}
            else:
                question["answer"] = {"value": eval(question["ask"]["value"], self._names)}  # noqa: S307
                json.dumps(question["answer"])
        except Exception:
            question["answer"] = {"error": traceback.format_exc()}
        question["done"].set()


def find(name):
    """The visible widget of that object name, or None."""
    for top in QApplication.topLevelWidgets():
        for widget in [top, *top.findChildren(QWidget, name)]:
            if widget.objectName() == name and widget.isVisible():
                return widget
    return None


def centre(name):
    """The middle of that widget on the screen, scrolled to as a person would; None while something else is there."""
    widget, parent = find(name), find(name).parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            parent.ensureWidgetVisible(widget)
        parent = parent.parentWidget()
    point = widget.mapToGlobal(widget.rect().center())
    there = QApplication.widgetAt(point)
    while there not in (widget, None):
        there = there.parentWidget()
    return [point.x(), point.y()] if there is widget else None


def resting_centre(name, before={}):  # noqa: B006 - what the last question saw
    """The same, once it has not moved since the last question: what unfolds above it moves it a little later."""
    now = centre(name)
    rests = now is not None and before.get(name) == now
    before[name] = now
    return now if rests else None


def map_point(lon, lat):
    """Where a place on Earth is on the screen now."""
    canvas = iface.mapCanvas()
    world = QgsCoordinateReferenceSystem("EPSG:4326")
    to_map = QgsCoordinateTransform(world, canvas.mapSettings().destinationCrs(), QgsProject.instance())
    pixel = canvas.getCoordinateTransform().transform(to_map.transform(QgsPointXY(lon, lat)))
    point = canvas.viewport().mapToGlobal(QPoint(round(pixel.x()), round(pixel.y())))
    return [point.x(), point.y()]


def _begin():
    window = iface.mainWindow()
    window.move(0, 0)
    window.resize(1600, 1000)
    served.append(Served(os.environ["UP42_TEST_SOCKET"]))


served = []
iface.initializationCompleted.connect(_begin)
