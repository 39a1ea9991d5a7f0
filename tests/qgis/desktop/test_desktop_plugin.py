"""The plugin comes and goes: almost nothing at start, nothing left behind, and words where a package is missing."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsProject
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QCoreApplication, QEvent
from qgis.PyQt.QtWidgets import QApplication, QDockWidget

from up42_jobs import classFactory
from up42_jobs.plugin.host.connections import Kind

REPOSITORY = Path(__file__).parents[3]


def provider():
    return QgsApplication.processingRegistry().providerById("up42jobs")


def settle():
    """What was deleted later is deleted now."""
    QApplication.processEvents()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()


def footprint(window):
    """All that a plugin could leave behind in QGIS."""
    project, canvas = QgsProject.instance(), window.canvas
    return {
        "docks": len(window.findChildren(QDockWidget)),
        "icons": len(window.icons),
        "menu": len(window.menu),
        "options": len(window.options),
        "provider": provider() is not None,
        "map items": len(canvas.scene().items()),
        "windows": sum(not sip.isdeleted(w) for w in QApplication.topLevelWidgets()),
        "project listeners": project.receivers(project.cleared) + project.receivers(project.layersAdded),
        "map listeners": canvas.receivers(canvas.destinationCrsChanged) + canvas.receivers(canvas.mapToolSet),
        "map tool": canvas.mapTool(),
    }


def load(window, qtbot):
    plugin = classFactory(window)
    plugin.initGui()
    qtbot.waitUntil(lambda: plugin._large_is_there, timeout=20_000)
    return plugin


def show(plugin, qtbot):
    plugin._action.trigger()
    qtbot.waitUntil(
        lambda: plugin._content is not None and plugin._content.model.catalogue is not None, timeout=30_000
    )


@pytest.fixture
def lasting_engine(open_catalogue):
    """The engine of this module's parts stays while plugins come and go."""
    return open_catalogue(Kind.FREE)


def test_at_start_there_is_an_empty_dock_an_action_and_the_algorithms(window, qtbot, parts, tmp_path, monkeypatch):
    monkeypatch.setenv("UP42_JOBS_ENGINE_DATA", str(tmp_path / "engine"))
    plugin = load(window, qtbot)
    assert plugin._content is None
    assert not plugin._dock.isVisible()
    assert plugin._dock.objectName()
    assert window.icons == window.menu == [plugin._action]
    assert provider() is not None
    assert not (tmp_path / "engine").exists()  # no engine was started
    plugin.unload()


def test_twenty_reloads_leave_nothing_behind(window, qtbot, lasting_engine):
    settle()
    before, threads = footprint(window), set(threading.enumerate())
    contents = []
    for round_ in range(20):
        plugin = load(window, qtbot)
        if round_ % 4 != 3:  # also one that was never shown
            show(plugin, qtbot)
            contents.append(plugin._content)
            plugin._content.form.aoi.drawPolygonButton.click()
        plugin.unload()
        del plugin
        settle()
        assert footprint(window) == before
    assert all(sip.isdeleted(content) for content in contents)
    qtbot.waitUntil(lambda: set(threading.enumerate()) <= threads, timeout=10_000)


def test_unload_in_the_middle_of_everything(window, qtbot, lasting_engine):
    """While imports run, while parts are built, while the connection opens."""
    settle()
    before = footprint(window)
    for turns in (0, 1, 2, 3, 5, 8, 13):
        plugin = classFactory(window)
        plugin.initGui()
        plugin._action.trigger()
        for _ in range(turns):
            QApplication.processEvents()
        plugin.unload()
        settle()
        assert footprint(window) == before
    qtbot.wait(300)  # what was under way would come now
    assert footprint(window) == before


def test_the_aoi_is_on_the_map_while_the_dock_is_open(window, qtbot, lasting_engine):
    plugin = load(window, qtbot)
    show(plugin, qtbot)
    plugin._content.form.aoi.exampleButton.click()
    outline = plugin._content.form.on_map._drawn._band
    assert outline.isVisible()
    assert outline.asGeometry().boundingBox().contains(window.canvas.extent().center())
    plugin._dock.close()
    assert outline.numberOfVertices() == 0
    plugin._action.trigger()
    qtbot.waitUntil(lambda: outline.numberOfVertices() > 0)
    plugin.unload()


MISSING = """
    import sys
    class Lacking:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] == {package!r} and lacking:
                raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
    lacking = True
    sys.meta_path.insert(0, Lacking())
    from qgis.core import QgsApplication
    application = QgsApplication([], True)
    application.initQgis()
    from qgis.PyQt.QtCore import QEventLoop, QTimer
    from up42_jobs import classFactory
    from up42_jobs.tests.qgis.desktop.window import Window
    def wait_until(done):
        loop, timer = QEventLoop(), QTimer()
        timer.timeout.connect(lambda: loop.quit() if done() else None)
        timer.start(10)
        QTimer.singleShot(20000, loop.quit)
        loop.exec()
        assert done()
    window = Window()
    window.show()
    plugin = classFactory(window)
    plugin.initGui()
    plugin._action.trigger()
    wait_until(lambda: hasattr(plugin._dock.widget(), "lookAgainButton"))
    shown = plugin._dock.widget()
    assert {package!r} in shown.missingLabel.text(), shown.missingLabel.text()
    assert "python3-{package}" in shown.commandEdit.text()
    lacking = False
    shown.lookAgainButton.click()
    wait_until(lambda: plugin._content is not None and plugin._content.jobs is not None)
    assert QgsApplication.processingRegistry().providerById("up42jobs").algorithms()
    plugin.unload()
    print("all well")
"""


@pytest.mark.parametrize("package", ["requests"])  # shapely is not needed by all: test_desktop_without_shapely
def test_a_missing_package_is_named_with_the_command_and_found_when_it_is_there(package, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MISSING).format(package=package)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={
            "QT_QPA_PLATFORM": "offscreen",
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "XDG_RUNTIME_DIR": str(tmp_path),
            "UP42_JOBS_ENGINE_DATA": str(tmp_path / "engine"),
        },
    )
    assert done.stdout.strip().endswith("all well"), done.stdout + done.stderr


def test_a_dock_hidden_and_shown_while_it_is_filled_is_filled_all_the_same(window, qtbot, lasting_engine):
    plugin = load(window, qtbot)
    plugin._action.trigger()
    plugin._fill()
    assert plugin._content is not None
    plugin._dock.hide()
    plugin._dock.show()
    qtbot.waitUntil(lambda: plugin._dock.widget() is plugin._content)
    plugin.unload()
    settle()
