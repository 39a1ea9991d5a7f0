"""What a window of the demo world looks like from above: ground, season, light, clouds."""

from __future__ import annotations

import math

import numpy as np

from . import seasons
from .clouds import Weather
from .farmland import Patchwork, lay_out
from .noise import scramble, to_unit
from .picture import Picture, edge, mixed, scaled
from .relief import Ground, survey
from .seasons import Season
from .towns import paint_towns
from .view import View
from .water import paint_water

_LANE_BEND = 14.0  # world units


def paint(view: View, season: Season, weather: Weather) -> np.ndarray:
    """Reflectance * 10,000 as uint16 (band, row, column): B02, B03, B04, B08; never 0, which is nodata."""
    ground = survey(view)
    picture = Picture(view)
    patchwork = lay_out(
        view,
        view.fill(_LANE_BEND * view.nodes.fractal(8, 2, 640)),
        view.fill(_LANE_BEND * view.nodes.fractal(8, 2, 650)),
    )
    town = view.fill(ground.town)
    _paint_fields(picture, ground, patchwork, season)
    _paint_woods(picture, ground, patchwork, season, town)
    paint_towns(picture, patchwork, town, season)
    _paint_heights(picture, ground, season)
    picture.light(_light(view, ground, season))
    water = paint_water(picture, ground)
    _paint_roads(picture, ground, patchwork, town, water)
    weather.cover(picture, season)
    return picture.finish()


def _light(view: View, ground: Ground, season: Season) -> np.ndarray:
    """Brightness of each pixel by slope and sun, about 1 on flat ground; dimmer when the sun is low."""
    elevation = math.radians(max(season.sun_elevation, 12.0))
    azimuth = math.radians(season.sun_azimuth)
    toward = ground.slope_east * math.sin(azimuth) + ground.slope_north * math.cos(azimuth)
    steep = np.sqrt(1 + ground.slope_east**2 + ground.slope_north**2)
    shade = (math.sin(elevation) - toward * math.cos(elevation) * 1.6) / (steep * math.sin(elevation))
    dim = 0.82 + 0.18 * math.sin(elevation)
    return view.fill(np.clip(shade, 0.5, 1.6) * dim)


def _paint_fields(picture: Picture, ground: Ground, patchwork: Patchwork, season: Season) -> None:
    """Parcels with crops in season, rows, margins and hedges. They fill the whole window."""
    view, parcel = picture.view, patchwork.parcel
    crop = (parcel & 7).astype(np.int32)
    phase = ((parcel >> 3) & (seasons.PHASES - 1)).astype(np.int32)
    look = crop * seasons.PHASES + phase
    blotches = picture.grain(8, 2)
    brightness = (to_unit(parcel) * 0.36 + 0.82) * _texture_of_fields(picture, patchwork, blotches)
    for number, band in enumerate(picture.bands):
        band[:] = np.ascontiguousarray(season.crops[:, :, number]).ravel()[look]
        band *= brightness
    # Within a parcel growth differs: more near infrared where it is moist, less red.
    vigour = view.fill(ground.moist) * 0.08 + blotches * 0.03
    picture.bands[3] *= 1 + vigour
    picture.bands[2] *= 1 - vigour
    picture.lay(scaled(season.meadow, 0.9), edge((0.9 - patchwork.to_edge) / view.units) * 0.55)
    hedged = ((parcel >> 13) & 7) == 0
    picture.lay(scaled(season.broadleaf, 0.8), edge((1.6 - patchwork.to_edge) / view.units) * hedged * 0.8)


def _texture_of_fields(picture: Picture, patchwork: Patchwork, blotches: np.ndarray) -> np.ndarray:
    """Brightness about 1: rows of plants, fine grain, blotches. Rows fade where pixels are too coarse for them."""
    strength = np.where((patchwork.parcel >> 9) & 1, np.float32(0.045), np.float32(0.012))
    position = patchwork.across * (1 / 7.0)
    rows = np.abs(position - np.floor(position) - 0.5) * 4 - 1
    fade = np.clip(2.4 / picture.view.units - 0.2, 0, 1)
    return 1 + rows * strength * fade + picture.grain(2, 1) * 0.018 + blotches * 0.035


def _paint_woods(picture: Picture, ground: Ground, patchwork: Patchwork, season: Season, town: np.ndarray) -> None:
    """Woods with ragged or straight edges, young plantings, and crowns one can almost count."""
    view, parcel = picture.view, patchwork.parcel
    clumps = picture.grain(3, 4)
    wood = view.fill(ground.wood) + (to_unit(scramble(parcel)) - 0.5) * 0.16 + clumps * 0.012
    wood -= np.clip(town + 0.1, 0, 1) * 3
    share = np.clip(wood * 14 + 0.5, 0, 1)
    conifer = np.clip((view.fill(ground.conifer) - 0.5) * 5 + clumps * 0.35 + 0.5, 0, 1)
    crown = 1 + picture.grain(1, 3) * 0.10 + clumps * 0.05
    young = np.clip((to_unit(scramble(parcel + 7)) - 0.86) * 8, 0, 1)
    trees = mixed(season.broadleaf, season.conifer, conifer)
    for tree, grass in zip(trees, scaled(season.meadow, 0.85)):
        tree += (grass - tree) * young
        tree *= crown
    picture.lay(trees, share)


def _paint_heights(picture: Picture, ground: Ground, season: Season) -> None:
    """Bare rock on what is high and steep, snow where it is cold."""
    view = picture.view
    steep = np.hypot(ground.slope_east, ground.slope_north)
    rock = np.clip((ground.height - 950) / 200 + (steep - 0.45) * 1.5, 0, 1)
    if float(rock.max()) > 0:
        rough = np.clip(1 + picture.grain(2, 6) * 0.2, 0, 1)
        picture.lay(seasons.ROCK, np.clip(view.fill(rock), 0, 1) * rough)
    cold = 0.0065 * ground.height - 2.5 * ground.moist - season.warmth  # degrees below zero
    if float(cold.max()) > 0:
        cover = np.clip(view.fill(cold) * 0.45 + picture.grain(3, 7) * 0.07, 0, 0.93)
        dark = np.clip(picture.bands[3] * (1 / 1500.0), 0.45, 1)  # snow falls through the crowns of dark woods
        picture.lay(seasons.SNOW, cover * dark)


def _paint_roads(picture: Picture, ground: Ground, patchwork: Patchwork, town: np.ndarray, water: np.ndarray) -> None:
    """Lanes between the quarters, wide in towns, and main roads. They bridge rivers but not lakes."""
    view, dry = picture.view, 1 - water
    wide = 0.55 + np.clip(town, 0, 0.1) * 7
    picture.lay(seasons.ROAD, edge((wide - patchwork.to_lane) / view.units, 1.2) * dry * 0.6)
    distance = np.abs(view.fill(ground.road)) / view.fill(ground.road_slope)
    picture.lay(seasons.ROAD, edge((1.1 - distance) / view.units, 1.2) * dry * 0.95)
