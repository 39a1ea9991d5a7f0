"""Thirty seconds of load on the engine, without and with the rate limit, in figures."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))

from engine_load import growth, hammer, read_all
from engine_process import Engine

SECONDS = 30
RATE = 100
pytestmark = pytest.mark.bench


@pytest.fixture
def start_engine(tmp_path):
    made = []

    def start(rate):
        made.append(Engine(tmp_path, "--stay", "--rate-limit", str(rate)))
        made[0].limited = rate > 0
        made[0].read_line()
        return made[0]

    yield start
    assert made[0].stop() == 0


@pytest.mark.parametrize("rate", [0, RATE])
def test_load(start_engine, rate):
    statuses, refusals, memory = hammer(start_engine(rate), SECONDS)
    odd = {status: count for status, count in statuses.items() if status not in (200, 429)}
    print(f"\nlimit {rate or 'off'}: {statuses[200] / SECONDS:.0f} answers/s, {statuses[429]} of 429, others {odd}")
    print(f"memory {memory[len(memory) // 4]:.1f} MB -> {memory[-1]:.1f} MB, growth {growth(memory):+.2f} MB")
    assert not odd, refusals[:3]
    assert growth(memory) < 5
    assert statuses[200] <= 5 * RATE + RATE * (SECONDS + 1) if rate else statuses[429] == 0


def test_our_client_gets_everything_from_a_limited_engine(start_engine):
    engine = start_engine(RATE)
    hammer(engine, 2)  # the burst is used up
    seconds, given_up = read_all(engine, RATE * SECONDS)
    print(f"\nour client, {RATE * SECONDS} reads on 8 threads: all got, {seconds:.1f} s; asked anew {given_up} times")
