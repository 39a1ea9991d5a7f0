"""K-means over a raster: centres from an even sample, then each pixel to the nearest centre, window by window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from osgeo import gdal

from ..band_words import is_class_band
from ..base import BlockFailure
from ..processing import Progress
from .rasters import (
    TILE,
    Window,
    build_overviews,
    create_geotiff,
    descriptions,
    kept_tags,
    layout_of,
    open_raster,
    windows,
)
from .reflectance import read_values
from .sieve import sieve

NODATA = 0
SAMPLE = 100_000  # pixels on which the centres are found
SAMPLED_WINDOWS = 64  # spread evenly over the raster
SEED = 42  # the same raster gives the same clusters
_STILL = 1e-6  # of the values' spread: centres that move less have arrived


@dataclass(frozen=True)
class ClusterOptions:
    """The parameters, checked."""

    clusters: int
    iterations: int
    sieve_pixels: int


@dataclass(frozen=True)
class Clustered:
    """Centres (the values of each of `bands`), darkest first, and what part of the valid pixels each has (0 to 1)."""

    bands: tuple[str, ...]
    centres: list[list[float]]
    shares: list[float]


def cluster(
    scene: str, source: Path, target: Path, options: ClusterOptions, tell: Progress, side: int = TILE
) -> Clustered:
    """Write the clusters of a raster as bytes. `side`: of the windows, in pixels. Raises BlockFailure."""
    dataset = open_raster(source, scene)
    numbers = _spectral(dataset)
    if not numbers:
        raise BlockFailure("WRONG_INPUT_ERROR", f"{scene} has only bands of classes: there is nothing to cluster.")
    layout = replace(layout_of(dataset), data_type=gdal.GDT_Byte, nodata=NODATA, bands=("Cluster",))
    sample = _sample(dataset, numbers)
    if not len(sample):
        raise BlockFailure("NO_OUTPUT_ERROR", f"{scene} has no valid pixel: there is nothing to cluster.")
    centres = find_centres(sample, options.clusters, options.iterations)
    output = create_geotiff(target, layout, kept_tags(dataset))
    counts = np.zeros(len(centres) + 1, np.int64)
    part = 0.8 if options.sieve_pixels > 1 else 1.0
    for window in windows(layout.columns, layout.rows, side=side):
        values, valid = _read(dataset, numbers, window)
        classes = np.where(valid, nearest(values, centres) + 1, NODATA).astype(np.uint8)
        output.GetRasterBand(1).WriteArray(classes, window.column, window.row)
        counts += np.bincount(classes.ravel(), minlength=len(counts))
        tell(part * (window.row + window.rows) / layout.rows)
    output.FlushCache()
    del output
    if options.sieve_pixels > 1:
        sieve(target, options.sieve_pixels, 4)
        tell(1.0)
    build_overviews(target, "NEAREST")
    names = descriptions(dataset)
    bands = tuple(names[n - 1] or f"band {n}" for n in numbers)
    shares = (counts[1:] / max(1, counts[1:].sum())).tolist()
    return Clustered(bands, [[float(v) for v in centre] for centre in centres], shares)


def _spectral(dataset: gdal.Dataset) -> list[int]:
    """The bands that measure something: neither transparency nor classes."""
    return [
        number
        for number, name in enumerate(descriptions(dataset), start=1)
        if dataset.GetRasterBand(number).GetColorInterpretation() != gdal.GCI_AlphaBand and not is_class_band(name)
    ]


def _read(dataset: gdal.Dataset, numbers: list[int], window: Window) -> tuple[np.ndarray, np.ndarray]:
    """A window's values (band, row, column) in float32, and where all of them are valid."""
    read = [read_values(dataset.GetRasterBand(number), window) for number in numbers]
    return np.stack([values for values, _ in read]), np.logical_and.reduce([valid for _, valid in read])


def _sample(dataset: gdal.Dataset, numbers: list[int]) -> np.ndarray:
    """Valid pixels (pixel, band) from windows spread evenly; from all where those have none."""
    every = list(windows(dataset.RasterXSize, dataset.RasterYSize))
    step = max(1, round(len(every) / SAMPLED_WINDOWS))
    chance = np.random.default_rng(SEED)
    first = every[::step]
    most = max(100, SAMPLE // len(first))
    sample: list[np.ndarray] = []
    for place, window in enumerate([*first, *(w for n, w in enumerate(every) if n % step)]):
        if place >= len(first) and sample:
            break
        values, valid = _read(dataset, numbers, window)
        pixels = values[:, valid].T
        if len(pixels) > most:
            pixels = pixels[chance.choice(len(pixels), most, replace=False)]
        if len(pixels):
            sample.append(pixels)
    return np.concatenate(sample) if sample else np.empty((0, len(numbers)), np.float32)


def find_centres(sample: np.ndarray, clusters: int, iterations: int) -> np.ndarray:
    """Centres (cluster, band), darkest first; fewer than asked for where the sample has fewer different values.

    Started by k-means++ (Arthur and Vassilvitskii 2007), moved as Lloyd (1982) does.
    """
    chance = np.random.default_rng(SEED)
    centres = _begin(sample.astype(np.float64), clusters, chance)
    still = _STILL * float(np.ptp(sample, axis=0).max() or 1.0)
    for _ in range(iterations):
        owner = nearest(sample.T[:, :, None], centres)[:, 0]
        moved = centres.copy()
        counts = np.bincount(owner, minlength=len(centres))
        for band in range(sample.shape[1]):
            sums = np.bincount(owner, sample[:, band].astype(np.float64), minlength=len(centres))
            np.divide(sums, counts, out=moved[:, band], where=counts > 0)
        arrived = np.abs(moved - centres).max() <= still
        centres = moved
        if arrived:
            break
    return centres[np.lexsort((centres[:, 0], centres.mean(axis=1)))]


def _begin(sample: np.ndarray, clusters: int, chance: np.random.Generator) -> np.ndarray:
    centres = [sample[chance.integers(len(sample))]]
    distance = ((sample - centres[0]) ** 2).sum(axis=1)
    while len(centres) < clusters and distance.max() > 0:
        centres.append(sample[chance.choice(len(sample), p=distance / distance.sum())])
        distance = np.minimum(distance, ((sample - centres[-1]) ** 2).sum(axis=1))
    return np.array(centres)


def nearest(values: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The number (from 0) of the centre that is nearest to each pixel of (band, row, column)."""
    moved = centres.astype(np.float32)
    best = np.full(values.shape[1:], np.inf, np.float32)
    owner = np.zeros(values.shape[1:], np.uint8)
    for number, centre in enumerate(moved):
        distance = np.zeros(values.shape[1:], np.float32)
        for band, value in enumerate(centre):
            difference = values[band] - value
            difference *= difference
            distance += difference
        closer = distance < best
        owner[closer] = number
        np.minimum(best, distance, out=best)
    return owner
