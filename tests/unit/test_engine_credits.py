"""The price model of the local engine (contract, section 6)."""

from __future__ import annotations

import pytest

from up42_jobs.plugin.engine.blocks.base import Amount, BlockDescription, Price
from up42_jobs.plugin.engine.credits import (
    block_credits,
    charge,
    estimate,
    machine_credits,
    most_credits,
    most_of_all,
)
from up42_jobs.plugin.engine.stored_jobs import NewTask


def block(credits=0.0, unit="SQUARE_KM", machine="small", name="block"):
    return BlockDescription(
        id=name, name=name, display_name=name, description="", type="DATA", parameters={}, price=Price(unit, credits),
        machine=machine,
    )  # fmt: skip


class Fixed:
    """A block with this amount."""

    def __init__(self, description, amount):
        self.description = description
        self._amount = amount
        self.parents = []

    def amount(self, parameters, settings, parent):
        self.parents.append(parent)
        return self._amount


@pytest.mark.parametrize(
    ("machine", "seconds", "credits"),
    [
        ("small", 0, 1),  # a minute at least: 4 / 60 = 0.07
        ("small", 60, 1),
        ("small", 900, 1),  # exactly one credit
        ("small", 900.2, 2),  # every second that has begun
        ("small", 3600, 4),
        ("medium", 3600, 9),
        ("large", 3600, 19),
        ("xlarge", 1, 1),  # 38 / 60 = 0.63
        ("xxlarge", 1, 2),  # 76 / 60 = 1.27
        ("SMALL", 3601, 5),
    ],
)
def test_machine_time_is_paid_by_the_second_after_the_first_minute(machine, seconds, credits):
    assert machine_credits(block(machine=machine), seconds) == credits


@pytest.mark.parametrize(
    ("price", "units", "credits"), [(2.5, 3, 8), (0.1, 30, 3), (0.1, 30.1, 4), (5, 0, 0), (0, 9, 0)]
)
def test_units_are_rounded_up_to_whole_credits(price, units, credits):
    assert block_credits(block(price), units) == credits


def test_an_estimate_has_the_ranges_of_the_contract_and_hands_amounts_on():
    first = Fixed(block(0.5, name="a"), Amount((1.23456, 10), (2, 1000), (10, 20)))
    second = Fixed(block(0, "MEGAPIXEL", name="b"), Amount((0, 0), (1, 1)))
    blocks = {"a": first, "b": second}
    tasks = [NewTask("a:1", first.description, {}), NewTask("b:1", second.description, {})]
    answer = estimate(tasks, blocks, {}, priced=True)
    assert answer["a:1"] == {
        "blockConsumption": {
            "credit": {"min": 1, "max": 5},
            "resources": {"unit": "SQUARE_KM", "min": 1.235, "max": 10},
        },
        "machineConsumption": {"credit": {"min": 1, "max": 2}, "duration": {"min": 2, "max": 1000}},
    }
    assert first.parents == [None]
    assert second.parents == [Amount((1.23456, 10), (2, 1000), (10, 20))]
    assert most_credits(answer["a:1"]) == 7
    assert most_of_all(answer) == 8
    free = estimate(tasks, blocks, {}, priced=False)
    assert most_of_all(free) == 0
    assert free["a:1"]["blockConsumption"]["resources"] == answer["a:1"]["blockConsumption"]["resources"]


@pytest.mark.parametrize(
    ("units", "seconds", "charged"),
    [
        (5, 30, (10, 1)),
        (100, 30, (20, 1)),  # never more than what was estimated and confirmed
        (0, 30, (4, 1)),  # nor less
        (None, 30, (4, 1)),  # not measured: the least
        (5, 100_000, (10, 3)),
    ],
)
def test_a_charge_stays_within_its_estimate(units, seconds, charged):
    consumption = {
        "blockConsumption": {"credit": {"min": 4, "max": 20}},
        "machineConsumption": {"credit": {"min": 1, "max": 3}},
    }
    assert charge(block(2), consumption, units, seconds) == charged
