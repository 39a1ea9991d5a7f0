"""Fixed palettes of indices: the same value has the same colour in every job, so that change on screen is change.

Made of lightness first, so that they read in grey and with colour-blindness: the pale middle is where nothing is
certain, each end has a hue of its own.
"""

from __future__ import annotations

from typing import Mapping, Sequence

Stop = tuple[float, str, str]  # value, colour, label

# From water over bare ground to dense green.
NDVI_COLOURS = (
    (-0.2, "#7a8fa6", "−0.2 water"),
    (0.0, "#e9dfcf", "0.0 bare"),
    (0.2, "#dcc78f", "0.2"),
    (0.4, "#b5c25a", "0.4"),
    (0.6, "#6ca544", "0.6"),
    (0.8, "#267d3a", "0.8"),
    (1.0, "#0b4a2b", "1.0 dense green"),
)
# McFeeters' NDWI of green and near infrared (1996): open water above 0, ground and plants below.
NDWI_COLOURS = (
    (-0.8, "#7a5c34", "−0.8 plants"),
    (-0.4, "#c4a878", "−0.4"),
    (0.0, "#f3efe6", "0.0"),
    (0.2, "#9cc7de", "0.2"),
    (0.5, "#3f87bd", "0.5 water"),
    (0.8, "#0b3d78", "0.8"),
)
# NBR of near and shortwave infrared (Key and Benson 2006): burnt and bare ground below, living plants above.
NBR_COLOURS = (
    (-0.5, "#6b1d0b", "−0.5 burnt"),
    (-0.2, "#c25a2c", "−0.2"),
    (0.0, "#eec9a0", "0.0"),
    (0.15, "#f3efe6", "0.15"),
    (0.4, "#a9c77d", "0.4"),
    (0.8, "#1f6b35", "0.8 plants"),
)
PALETTES: Mapping[str, Sequence[Stop]] = {"ndvi": NDVI_COLOURS, "ndwi": NDWI_COLOURS, "nbr": NBR_COLOURS}
