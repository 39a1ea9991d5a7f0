"""The blocks of the local engine. A new block is a new file here and a line in `BLOCKS`.

Importing this package loads neither GDAL nor any raster nor `requests`: blocks do so when they run.
"""

from __future__ import annotations

from typing import Mapping

from .base import Block
from .demo.block import DemoBlock
from .local.block import LocalBlock
from .ndvi import NdviBlock
from .sharpening import SharpeningBlock
from .stac.block import AnyStacBlock, SentinelAnalyticBlock, SentinelVisualBlock
from .storage.block import StorageBlock
from .tiling import TilingBlock

_ALL: tuple[Block, ...] = (
    SentinelVisualBlock(),
    SentinelAnalyticBlock(),
    AnyStacBlock(),
    DemoBlock(),
    LocalBlock(),
    StorageBlock(),
    NdviBlock(),
    SharpeningBlock(),
    TilingBlock(),
)
BLOCKS: Mapping[str, Block] = {block.description.id: block for block in _ALL}


def block_by_name(name: str) -> Block:
    """The block of this name, such as ndvi. Raises KeyError."""
    for block in BLOCKS.values():
        if block.description.name == name:
            return block
    raise KeyError(name)
