"""The thread on which layers are made. It never ends.

The coordinate systems that are made on a thread hang on a PROJ context of that thread. When the thread ends, QGIS 3.22
takes them apart, also those that layers and its own cache of coordinate systems still use: from then on they give
coordinates back untransformed, without a word, for every layer of QGIS (measured).
QgsRasterLayer opens its file without Python's lock, so that a slow disk keeps nobody waiting: 150 ms for each layer
where an access takes 50 ms (measured).
"""

from __future__ import annotations

import sys
import threading
from queue import SimpleQueue
from typing import Callable

from qgis.core import QgsApplication, QgsMapLayer
from qgis.PyQt.QtCore import QThread

NAME = "Layers of UP42 Jobs"  # one for all loads of the plugin; not named like the threads that end with it


class _Maker(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name=NAME, daemon=True)
        self.wanted: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def run(self) -> None:
        while True:
            try:
                self.wanted.get()()
            except Exception:  # told like that of any thread; the next layer is made all the same
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), self)))


def on_maker_thread(do: Callable[[], None]) -> None:
    """Run `do` there, after what was asked before; it must catch its own exceptions. Waits for nothing."""
    found = next((thread for thread in threading.enumerate() if thread.name == NAME), None)
    if found is None:  # else it is there from before the plugin was loaded anew
        found = _Maker()
        found.start()
    found.wanted.put(do)  # type: ignore[attr-defined]


def hand_to_gui(layer: QgsMapLayer) -> QgsMapLayer:
    """Let the layer live on the GUI thread from now on; called where it was made."""
    gui = QgsApplication.instance().thread()
    if QThread.currentThread() != gui:
        layer.moveToThread(gui)
    return layer
