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


@pytest.fixture(params=[0, RATE])
def engine(request, tmp_path):
    made = Engine(tmp_path, "--stay", "--rate-limit", str(request.param))
    made.limited = request.param > 0
    made.read_line()
    yield made
    assert made.stop() == 0


def test_load(engine):
    statuses, refusals, memory = hammer(engine, SECONDS)
    limit = f"limit {RATE}/s" if engine.limited else "no limit"
    print(f"\n{limit}: {statuses[200] / SECONDS:.0f} answers/s, {statuses[429]} of 429, others {others(statuses)}")
    print(f"memory {memory[len(memory) // 4]:.1f} MB -> {memory[-1]:.1f} MB, growth {growth(memory):+.2f} MB")
    assert not others(statuses), refusals[:3]
    assert growth(memory) < 5
    if engine.limited:
        assert statuses[200] <= 5 * RATE + RATE * (SECONDS + 1)
        seconds, given_up = read_all(engine, RATE * SECONDS)
        print(f"our client, {RATE * SECONDS} reads on 8 threads: all got, in {seconds:.1f} s; refused {given_up} times")
    else:
        assert statuses[429] == 0


def others(statuses):
    return {status: count for status, count in statuses.items() if status not in (200, 429)}
