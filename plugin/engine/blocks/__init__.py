"""The blocks of the local engine. A new block is a new file here and a line in `BLOCKS`.

Importing this package loads neither GDAL nor any raster nor `requests`: blocks do so when they run.
"""

from __future__ import annotations

from typing import Mapping

from .band_index import IndexBlock
from .base import Block
from .cloud_mask import CloudMaskBlock
from .composite import CompositeBlock
from .crs_conversion import CrsConversionBlock
from .demo.block import DemoBlock
from .kmeans import KmeansBlock
from .local.block import LocalBlock
from .ndvi import NdviBlock
from .pansharpen import PansharpenBlock
from .sharpening import SharpeningBlock
from .stac.block import AnyStacBlock, SentinelAnalyticBlock, SentinelVisualBlock
from .storage.block import StorageBlock
from .tiling import TilingBlock
from .vectorising import VectorisingBlock
from .zonal_statistics import ZonalStatisticsBlock

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
    CrsConversionBlock(),
    KmeansBlock(),
    ZonalStatisticsBlock(),
    VectorisingBlock(),
    IndexBlock(),
    CloudMaskBlock(),
    CompositeBlock(),
    PansharpenBlock(),
)
BLOCKS: Mapping[str, Block] = {block.description.id: block for block in _ALL}


def block_by_name(name: str) -> Block:
    """The block of this name, such as ndvi. Raises KeyError."""
    for block in BLOCKS.values():
        if block.description.name == name:
            return block
    raise KeyError(name)
