"""Thirty seconds under load, without and with the rate limit (contract 1.6). With -s, the figures are printed."""

from __future__ import annotations

import json

import pytest
from engine_load import growth, hammer, read_all

from up42_jobs.plugin.engine.rate_limit import RateLimit
from up42_jobs.plugin.engine.refusal import Refusal

SECONDS = 30
RATE = 100
READS = 1000  # of our own client, on a limited engine


def test_without_a_limit_all_is_answered_and_memory_stays(start_engine, tmp_path):
    engine = start_engine(tmp_path, "--stay")
    engine.limited = False
    statuses, refusals, memory = hammer(engine, SECONDS)
    print(f"\nno limit: {statuses[200] / SECONDS:.0f} answers/s; {memory[-1]:.1f} MB, growth {growth(memory):+.2f} MB")
    assert set(statuses) == {200}, refusals[:3]
    assert statuses[200] > 50 * SECONDS
    assert growth(memory) < 5, memory


def test_with_the_limit_too_many_are_429_and_our_client_gets_everything(start_engine, tmp_path):
    engine = start_engine(tmp_path, "--stay", "--rate-limit", str(RATE))
    engine.limited = True
    statuses, refusals, memory = hammer(engine, SECONDS)
    print(f"\nlimit {RATE}/s: {statuses[200] / SECONDS:.0f} answers/s, {statuses[429]} of 429")
    assert set(statuses) == {200, 429}
    assert growth(memory) < 5, memory
    assert statuses[200] + 50 >= 5 * RATE and statuses[200] <= 5 * RATE + RATE * (SECONDS + 1)
    for text in set(refusals):
        error = json.loads(text)["error"]
        assert (error["code"], json.loads(text)["data"]) == ("TOO_MANY_REQUESTS", None)
        assert "Too many requests" in error["message"]
    seconds, given_up = read_all(engine, READS)
    print(f"our client: {READS} reads on 8 threads, all got, in {seconds:.1f} s; asked anew {given_up} times")
    assert seconds > READS / RATE / 2, "it was held back, as the limit was used up before"


def test_the_limit_lets_bursts_through_and_fills_up_again():
    now = [0.0]
    limit = RateLimit(10, lambda: now[0])

    def admitted():
        count = 0
        try:
            while count < 1000:
                limit.count()
                count += 1
        except Refusal as e:
            assert (e.status, e.code) == (429, "TOO_MANY_REQUESTS")
        return count

    assert admitted() == 50
    now[0] += 0.1
    assert admitted() == 1
    now[0] += 3600
    assert admitted() == 50
    off = RateLimit(0)
    for _ in range(1000):
        off.count()


@pytest.mark.parametrize("rate", ["-1", "many", "nan"])
def test_a_rate_that_is_none_is_refused(start_engine, tmp_path, rate):
    engine = start_engine(tmp_path, "--rate-limit", rate, wait=False)
    assert engine.process.wait(20) == 2
    assert "--rate-limit" in engine.process.stderr.read()
