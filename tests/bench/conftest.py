"""A measurement may take longer than the minute after which pytest shows what all threads are doing."""

from __future__ import annotations

import faulthandler

import pytest


@pytest.fixture(autouse=True)
def no_early_traceback():
    faulthandler.cancel_dump_traceback_later()
