"""The parts that dock, scripts and demo share, built the same way for each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qgis.core import QgsApplication

from .connections import Connections
from .engine_network import EngineNetwork
from .engine_process import LocalEngine, default_data_folder
from .ledger import Ledger
from .local_engine_python import find_python
from .network import make_session
from .settings import Settings


@dataclass(frozen=True)
class Parts:
    """Connections, ledger and settings. `close` lets go of the engine and the sockets."""

    connections: Connections
    ledger: Ledger
    settings: Settings

    def close(self) -> None:
        """For unload, and for the end of a script."""
        self.connections.close()


def make_parts() -> Parts:
    """Build the parts; nothing is started, read or sent yet."""
    ledger = Ledger(Path(QgsApplication.qgisSettingsDirPath()) / "up42_jobs" / "ledger.sqlite")
    engine = LocalEngine(default_data_folder(), find_python, EngineNetwork())
    return Parts(Connections(engine, make_session), ledger, Settings())
