"""What the blocks of a workflow would have of its data block: defaults, so that a workflow works as it is.

*Cloud Mask* needs the band SCL, a *Composite* needs several scenes: nobody should have to know.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Mapping, Sequence

from .blocks.base import BlockDescription


def as_wished(chain: Sequence[BlockDescription]) -> list[BlockDescription]:
    """The blocks of a workflow, the data block with the defaults that those after it wish for.

    A list is added to the default's; any other value takes its place. What the data block doesn't know is left.
    """
    if not chain:
        return []
    parameters = dict(chain[0].parameters)
    for block in chain[1:]:
        for name, wished in block.wishes.items():
            if name in parameters:
                parameters[name] = {**parameters[name], "default": _joined(parameters[name].get("default"), wished)}
    return [replace(chain[0], parameters=parameters), *chain[1:]]


def lacking(block: BlockDescription, given: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What of the lists that a block wishes for is not among those that are given: (parameter, element)."""
    return [
        (name, element)
        for name, wished in block.wishes.items()
        if isinstance(wished, list) and isinstance(given.get(name), list)
        for element in wished
        if element not in given[name]
    ]


def _joined(default: Any, wished: Any) -> Any:
    if not isinstance(wished, list):
        return wished
    return [*(default or []), *(element for element in wished if element not in (default or []))]
