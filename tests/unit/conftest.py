"""What unit tests share: the servers of `tests/servers`, importable as `servers.…`, and an authority for TLS."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))


@pytest.fixture(scope="session")
def authority():
    """A certificate authority of this test run (servers.certificates.Authority)."""
    from servers.certificates import Authority

    return Authority()
