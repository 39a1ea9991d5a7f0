"""The options can be looked at and changed where a package that the rest needs is missing."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
SCRIPT = """
    import sys
    class Lacking:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] == {package!r}:
                raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
    sys.meta_path.insert(0, Lacking())
    from qgis.core import QgsApplication
    application = QgsApplication([], True)
    application.initQgis()
    from up42_jobs.plugin.desktop.options_factory import OptionsFactory
    from up42_jobs.plugin.host.servers import Server, read_servers
    accepted = []
    page = OptionsFactory(lambda: accepted.append(1)).createWidget(None)
    page.show()
    while page.spending is None:
        application.processEvents()
    page.spending.jobCapSpin.setValue(5)
    page.connections.servers.append(Server("A", "https://a.example", authcfg="a1b2c3d", id="server-1"))
    page.connections._show(0)
    page.connections.editConnectionButton.click()
    dialog = page.connections._dialog
    assert dialog.nameEdit.text() == "A"
    dialog.authSelect.configId = lambda: "a1b2c3d"  # which is in no vault
    dialog.tryButton.click()
    told = dialog.findingsView.toPlainText()
    assert ({package!r} in told and "missing" in told) or "any more" in told, told  # the test needs no shapely
    dialog.reject()
    page.apply()
    assert accepted == [1] and [server.name for server in read_servers()] == ["A"]
    print("all is well")
"""


@pytest.mark.parametrize("package", ["shapely", "requests"])
def test_options_without_a_package(package: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT.format(package=package))],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=REPOSITORY,
        env={"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path),
             "QGIS_CUSTOM_CONFIG_PATH": str(tmp_path), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert "all is well" in done.stdout, done.stderr
