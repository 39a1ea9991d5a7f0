"""Towns from above: street grids with roofs, gardens, halls and parks."""

from __future__ import annotations

import numpy as np

from . import seasons
from .farmland import Patchwork
from .noise import scramble, to_unit
from .picture import Picture, edge, mixed, scaled
from .seasons import Season

_BLOCK_LENGTH, _BLOCK_DEPTH = 13.0, 8.0  # world units from street to street


def paint_towns(picture: Picture, patchwork: Patchwork, town: np.ndarray, season: Season) -> None:
    """Cover what is built up (`town` above 0; 1 is a town's middle). Streets follow the quarters' directions."""
    share = np.clip(town * 9, 0, 1)
    if not share.any():
        return
    block, to_street = _blocks(patchwork)
    draw = to_unit(block)
    houses = picture.grain(1, 5)
    garden = scaled(season.meadow * 0.62 + season.broadleaf * 0.38, 1.0)
    roofs = mixed(seasons.ROOF, seasons.TILE_ROOF, np.clip(draw * 1.4 + houses * 0.25, 0, 1))
    brightness = 1 + houses * 0.13 + (draw - 0.5) * 0.25
    dense = np.clip(town * 1.6 + draw * 0.5 + houses * 0.22 - 0.05, 0, 1)
    is_hall = ((block >> 2) & 15) == 0
    is_park = ((block >> 6) & 15) == 0
    dense[is_park] = 0
    street = edge((0.8 - to_street) / picture.view.units, 1.2) * 0.9
    colours = []
    for green, roof, hall, paving in zip(garden, roofs, seasons.HALL, seasons.STREET):
        built = np.where(is_hall, np.float32(hall), roof) * brightness
        built += (green - built) * (1 - dense)
        built += (paving - built) * street
        colours.append(built)
    picture.lay(colours, share)


def _blocks(patchwork: Patchwork) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel's block of houses (uint32) and its distance to the nearest street, in world units."""
    along, across = patchwork.along * (1 / _BLOCK_LENGTH), patchwork.across * (1 / _BLOCK_DEPTH)
    column, row = np.floor(along), np.floor(across)
    along -= column
    across -= row
    to_street = np.minimum(np.minimum(along, 1 - along) * _BLOCK_LENGTH, np.minimum(across, 1 - across) * _BLOCK_DEPTH)
    number = column.astype(np.int32).astype(np.uint32) * np.uint32(0x9E3779B1) + row.astype(np.int32).astype(np.uint32)
    return scramble(patchwork.quarter ^ number), to_street
