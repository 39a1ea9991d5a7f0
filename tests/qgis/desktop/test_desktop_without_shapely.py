"""shapely hidden: the plugin loads, the form says what is missing and the one command, all that needs no AOI works."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from up42_jobs.plugin.desktop.missing_packages import install_command

sys.path.insert(0, str(Path(__file__).parents[2] / "contract"))

from engine_process import Engine

WITHOUT = """
    import sys
    class Hiding:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] == "shapely" and hidden:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    hidden = True
    sys.meta_path.insert(0, Hiding())
    from qgis.core import QgsApplication, QgsProject
    application = QgsApplication([], True)
    application.initQgis()
    from qgis.PyQt.QtCore import QEventLoop, QTimer
    from qgis.PyQt.QtWidgets import QApplication, QPushButton
    from up42_jobs import classFactory
    from up42_jobs.tests.qgis.desktop.window import Window
    def wait_until(done, what):
        loop, timer = QEventLoop(), QTimer()
        timer.timeout.connect(lambda: loop.quit() if done() else None)
        timer.start(10)
        QTimer.singleShot(30000, loop.quit)
        loop.exec()
        assert done(), what
    window = Window()
    window.show()
    plugin = classFactory(window)
    plugin.initGui()
    plugin._action.trigger()
    wait_until(lambda: plugin._content is not None and plugin._content.jobs is not None, "the dock")
    dock = plugin._content
    assert QgsApplication.processingRegistry().providerById("up42jobs").algorithms()
    wait_until(lambda: dock.form.isEnabled() or dock.tryAgainButton.isVisible(), "This Computer")
    dock.header.choose("environment")
    dock.open_connection()
    wait_until(lambda: dock.model.catalogue is not None and dock.form.isEnabled(), "the connection")
    model, box = dock.model, dock.form.aoi
    by_name = {w.tasks[0].block.name: w for w in model.catalogue.workflows}
    model.set_workflow(by_name["tiny-data"])
    assert box.missing.isVisible()
    print("missing:", box.missing.missingLabel.text(), box.missing.commandEdit.text())
    assert not box.drawPolygonButton.isVisible() and not box.filter.isVisible()
    assert [p.code for p in model.problems] == ["aoi_missing"]
    model.set_workflow(by_name["tiny-blind-data"])
    assert not box.isVisible() and model.ready, model.problems
    wait_until(lambda: dock.form.run.possible, "run")
    dock.form.run.start()
    dialog = next(w for w in QApplication.topLevelWidgets() if w.objectName() == "ConfirmDialog")
    dialog.accept()
    loaded = lambda: dock.jobs.chosen is not None and dock.jobs.chosen.delivery.state.value == "loaded"
    wait_until(loaded, "outputs")
    print("outputs:", dock.jobs.chosen.job.state.value, len(QgsProject.instance().mapLayers()) > 0)
    dock.tabs.setCurrentWidget(dock.form)
    model.set_workflow(by_name["tiny-data"])
    assert box.isVisible()
    hidden = False
    box.missing.lookAgainButton.click()
    assert box.missing is None and box.drawPolygonButton.isVisible()
    box.exampleButton.click()
    assert model.request.aoi is not None and model.ready, model.problems
    plugin.unload()
    print("all well")
"""


@pytest.fixture
def engine(tmp_path):
    engine = Engine(tmp_path / "server", "--stay")
    try:
        engine.read_line()
        yield engine
    finally:
        engine.stop()


def test_without_shapely_all_that_needs_no_aoi_works(engine, tmp_path):
    client = engine.practice()
    client.make_workflow("tiny-data")
    client.make_workflow("tiny-blind-data")
    home = tmp_path / "home"
    (home / "Documents").mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(WITHOUT)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={
            "QT_QPA_PLATFORM": "offscreen",
            "PATH": "/usr/bin:/bin",
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(tmp_path),
            "PYTHONNOUSERSITE": "1",
            "UP42_JOBS_ENGINE_DATA": str(tmp_path / "engine"),
            "UP42_JOBS_URL": client.url,
            "UP42_JOBS_PROJECT_ID": client.project_id,
            "UP42_JOBS_PROJECT_KEY": client.project_key,
        },
    )
    told = done.stdout + done.stderr
    assert done.stdout.strip().endswith("all well"), told
    lines = dict(line.partition(": ")[::2] for line in done.stdout.splitlines() if ": " in line)
    assert "shapely" in lines["missing"], told
    assert any(f" {tool} " in f" {lines['missing']} " for tool in ("apt", "dnf", "zypper", "pacman", "pip")), told
    assert lines["outputs"] == "succeeded True", told


@pytest.mark.parametrize(
    ("platform", "family", "flatpak", "command"),
    [
        ("linux", ["debian"], False, "sudo apt install python3-shapely"),
        ("linux", ["ubuntu", "debian"], False, "sudo apt install python3-shapely"),
        ("linux", ["fedora"], False, "sudo dnf install python3-shapely"),
        ("linux", ["opensuse-leap", "suse", "opensuse"], False, "sudo zypper install python3-shapely"),
        ("linux", ["arch"], False, "sudo pacman -S python-shapely"),
        ("linux", ["debian"], True, "flatpak run --command=pip3 org.qgis.qgis install --user shapely"),
        ("linux", [], False, "python3 -m pip install --user shapely"),
        ("win32", [], False, "python3 -m pip install shapely"),
        ("darwin", [], False, f'"{sys.prefix}/bin/python3" -m pip install shapely'),
    ],
)
def test_the_one_command_for_each_system(platform, family, flatpak, command):
    assert install_command("shapely", platform, family, flatpak) == command
