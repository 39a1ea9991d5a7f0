"""Real engines on loopback for the tests of the contract.

`engine` is one engine with the built-in blocks for the whole session. `tiny_engine` is one with the tests' own blocks.
`start_engine` starts further ones, for tests that end or kill theirs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from engine_process import Engine
from stac_imagery import stac_api, stac_computer, stac_files

__all__ = ["stac_api", "stac_computer", "stac_files"]  # fixtures

NOT_RUN = "was NOT run"


def pytest_terminal_summary(terminalreporter):
    """Where the SDK or stac-fastapi can't be had, say so where nobody can miss it."""
    reasons = {str(report.longrepr) for report in terminalreporter.stats.get("skipped", ())}
    for reason in sorted(reason for reason in reasons if NOT_RUN in reason):
        terminalreporter.write_sep("!", red=True)
        terminalreporter.write_line(reason.partition("Skipped: ")[2].rstrip("')"), red=True)


@pytest.fixture
def start_engine():
    """Starts engines, returns them with their first line read, and stops them all after the test."""
    engines = []

    def start(data, *options, wait=True, **more):
        engine = Engine(data, *options, **more)
        engines.append(engine)
        if wait:
            engine.read_line()
        return engine

    yield start
    for engine in engines:
        engine.stop()


def _session_engine(data, tiny):
    engine = Engine(data, "--stay", tiny=tiny)
    try:
        engine.read_line()
        yield engine
    finally:
        engine.stop()


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    """An engine with the built-in blocks."""
    yield from _session_engine(tmp_path_factory.mktemp("engine") / "data", tiny=False)


@pytest.fixture(scope="session")
def tiny_engine(tmp_path_factory):
    """An engine with the tests' own blocks."""
    yield from _session_engine(tmp_path_factory.mktemp("tiny") / "data", tiny=True)


@pytest.fixture
def practice(tiny_engine):
    """The project with play credits of `tiny_engine`."""
    return tiny_engine.practice()


@pytest.fixture
def computer(tiny_engine):
    """The free project of `tiny_engine`."""
    return tiny_engine.this_computer()
