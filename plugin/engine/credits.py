"""What a task costs: Practice's play credits by the contract's price model (section 6), and nothing elsewhere.

A task costs what its block asks for each unit, and the time of the machine it runs on. Both are rounded up to whole
credits. 100 credits would be 1 EUR.
"""

from __future__ import annotations

import math
from typing import Any, Mapping, Optional, Sequence

from .blocks.base import Amount, Block, BlockDescription
from .stored_jobs import NewTask

CREDITS_PER_HOUR: Mapping[str, int] = {  # contract, section 6: machines
    "small": 4,
    "medium": 9,
    "large": 19,
    "xlarge": 38,
    "xxlarge": 76,
    "xxxlarge": 152,
    "gpu_nvidia_tesla_k80": 99,
    "gpu_p100_xxl": 258,
}
LEAST_SECONDS = 60  # the first minute is always paid for, then every second
_NOISE = 1e-9  # so that 3 x 0.1 is not rounded up to 1 too many


def block_credits(block: BlockDescription, units: float) -> int:
    """Credits for `units` of the block's own unit."""
    return math.ceil(block.price.credits * units - _NOISE)


def machine_credits(block: BlockDescription, seconds: float) -> int:
    """Credits for the time on the block's machine."""
    paid = max(LEAST_SECONDS, math.ceil(seconds))
    return math.ceil(paid * CREDITS_PER_HOUR[block.machine.lower()] / 3600 - _NOISE)


def estimate(
    tasks: Sequence[NewTask], blocks: Mapping[str, Block], settings: Mapping[str, Any], priced: bool
) -> dict[str, Any]:
    """The contract's estimate (2.7): task name -> consumption. Raises BlockFailure.

    Seconds and units are honest with or without a price; without one (`priced` is False) the credits are 0.
    """
    result = {}
    parent: Optional[Amount] = None
    for task in tasks:
        parent = blocks[task.block.id].amount(task.parameters, settings, parent)
        result[task.name] = _consumption(task.block, parent, priced)
    return result


def _consumption(block: BlockDescription, amount: Amount, priced: bool) -> dict[str, Any]:
    block_range = [block_credits(block, units) if priced else 0 for units in amount.units]
    machine_range = [machine_credits(block, seconds) if priced else 0 for seconds in amount.seconds]
    return {
        "blockConsumption": {
            "credit": _range(block_range),
            "resources": {"unit": block.price.unit, **_range(amount.units)},
        },
        "machineConsumption": {"credit": _range(machine_range), "duration": _range(amount.seconds)},
    }


def _range(pair: Sequence[float]) -> dict[str, float]:
    """{"min", "max"}; whole numbers without decimals, others with three."""
    least, most = (int(value) if float(value).is_integer() else round(value, 3) for value in pair)
    return {"min": least, "max": most}


def most_credits(consumption: Mapping[str, Any]) -> int:
    """The most that one task of an estimate can cost: what is held for it."""
    return consumption["blockConsumption"]["credit"]["max"] + consumption["machineConsumption"]["credit"]["max"]


def most_of_all(estimated: Mapping[str, Any]) -> int:
    """The most that a whole job can cost."""
    return sum(most_credits(consumption) for consumption in estimated.values())


def charge(
    block: BlockDescription, consumption: Mapping[str, Any], units: Optional[float], seconds: float
) -> tuple[int, int]:
    """Credits of a task that has succeeded: (for the block, for the machine).

    `units` is what was measured, None if it could not be. Never outside of what was estimated and confirmed.
    """
    asked = consumption["blockConsumption"]["credit"]
    used = asked["min"] if units is None else block_credits(block, units)
    for_block = min(max(used, asked["min"]), asked["max"])
    return for_block, min(machine_credits(block, seconds), consumption["machineConsumption"]["credit"]["max"])
