"""Clouds are left out of the stretch: with them in it the ground would be dark wherever the sky is not clear."""

from __future__ import annotations

import numpy as np

WHITE = 0.35  # (largest − smallest) / largest colour of a pixel, up to which it may be a cloud; soils have more
BRIGHT = 2.5  # times the median of the darker half: clouds are far brighter than what lies below
REFLECTANCE = 0.3  # at least; towns beside the dark sea have less. Thin clouds do as well, and do no harm
TEN_THOUSANDTHS = 10_000  # the usual unit of reflectance in integers (Sentinel-2, PlanetScope)
LEAST_GROUND = 0.2  # share of pixels that must be left: an image that is mostly white is snow, sand or salt
LEAST_CLOUDS = 0.02  # share of pixels; fewer are left out by the cut of 2 %


def without_clouds(pixels: np.ndarray) -> np.ndarray:
    """`pixels` (red, green, blue × pixels) without those that are bright and white; all where that tells no clouds.

    A rule for the stretch alone, no cloud mask.
    """
    if len(pixels) < 3 or not pixels.size:
        return pixels
    brightness, highest = pixels.mean(axis=0), pixels.max(axis=0)
    ground = float(np.median(brightness[brightness <= np.median(brightness)]))
    least = REFLECTANCE * (1 if float(highest.max()) <= 2 else TEN_THOUSANDTHS)
    white = highest - pixels.min(axis=0) <= WHITE * highest
    clouds = white & (brightness > max(BRIGHT * ground, least))
    return pixels[:, ~clouds] if LEAST_CLOUDS < clouds.mean() <= 1 - LEAST_GROUND else pixels
