"""Clips a local scene: windowed reads of its files, one GeoTIFF with all its bands, nothing outside of the AOI."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Optional

import numpy as np
from osgeo import gdal
from shapely.geometry.base import BaseGeometry

from ..pixels.casting import nodata_for
from ..pixels.clipping import Clipped, frame_in, set_scales
from ..pixels.rasters import (
    Cutter,
    GeoTransform,
    Layout,
    Window,
    build_overviews,
    create_geotiff,
    is_value,
    shifted,
    windows,
)
from .scenes import LocalScene


class _Bands:
    """The bands of a scene across its files, read together."""

    def __init__(self, scene: LocalScene):
        self.header = scene.header
        self._files = [
            gdal.OpenEx(str(Path(scene.folder.path) / source.path), gdal.OF_RASTER, allowed_drivers=["GTiff"])
            for source in scene.sources
        ]
        self.bands = [
            file.GetRasterBand(number)
            for file in self._files
            for number in range(1, file.RasterCount + 1)
            if file.GetRasterBand(number).GetColorInterpretation() != gdal.GCI_AlphaBand
        ]
        flags = self.bands[0].GetMaskFlags()
        self._mask = self.bands[0].GetMaskBand() if flags & (gdal.GMF_PER_DATASET | gdal.GMF_ALPHA) else None

    def read(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (band, row, column), and which of them are valid (same shape)."""
        pixels = np.stack([band.ReadAsArray(*window.origin_and_size) for band in self.bands])
        valid = np.ones(pixels.shape, bool)
        if self._mask is not None:
            valid &= self._mask.ReadAsArray(*window.origin_and_size) > 0
        elif self.header.zeros_are_nodata:
            valid &= (pixels != 0).any(axis=0)
        for band, of_band, values in zip(self.bands, valid, pixels):
            nodata = band.GetNoDataValue()
            if nodata is not None:
                of_band &= ~is_value(values, nodata)
            if np.issubdtype(values.dtype, np.floating):
                of_band &= np.isfinite(values)
        return pixels, valid

    def scales(self) -> list[tuple[Optional[float], Optional[float]]]:
        """Scale and offset of each band; None where not set."""
        return [(band.GetScale(), band.GetOffset()) for band in self.bands]


def clip_scene(
    scene: LocalScene, area: Optional[BaseGeometry], path: Path, tags: dict[str, str], progress: Callable[[float], None]
) -> Optional[Clipped]:
    """Write the part of a scene inside `area` (EPSG:4326; None: all); None, and no file, where nothing is valid."""
    source = _Bands(scene)
    header = scene.header
    geotransform: GeoTransform = header.geotransform  # type: ignore[assignment]
    found = frame_in(area, header.crs, geotransform, header.columns, header.rows)
    if found is None:
        return None
    frame, cutter = found
    nodata, introduced = _nodata(header.nodata_value, source)
    layout = Layout(
        frame.columns, frame.rows, shifted(geotransform, frame.column, frame.row), header.crs, header.data_type, nodata,
        scene.bands,
    )  # fmt: skip
    dataset = create_geotiff(path, layout, tags)
    set_scales(dataset, source.scales())
    result = _copy(source, cutter, frame, nodata, introduced, dataset, progress)
    dataset.FlushCache()
    del dataset
    if not result.valid:
        path.unlink()
        return None
    build_overviews(path)
    return result


def _copy(
    source: _Bands,
    cutter: Optional[Cutter],
    frame: Window,
    nodata: float,
    introduced: bool,
    dataset: gdal.Dataset,
    progress: Callable[[float], None],
) -> Clipped:
    """Copy the frame window by window, nodata where nothing is valid or the cutter says outside."""
    count = moved = 0
    for part in windows(frame.columns, frame.rows, frame.column, frame.row):
        window = Window(frame.column + part.column, frame.row + part.row, part.columns, part.rows)
        inside = np.ones((part.rows, part.columns), bool) if cutter is None else cutter.mask(window)
        if inside.any():
            pixels, valid = source.read(window)
            valid &= inside
            if introduced:
                clash = valid & (pixels == nodata)
                pixels[clash] = nodata + 1
                moved += int(np.count_nonzero(clash))
            pixels[~valid] = nodata
            count += int(np.count_nonzero(valid.any(axis=0)))
        else:
            pixels = np.full((len(source.bands), part.rows, part.columns), nodata)
        dataset.WriteArray(pixels, part.column, part.row)
        progress((part.row + part.rows) / frame.rows)
    return Clipped(frame.columns, frame.rows, count, moved)


def _nodata(declared: Optional[float], source: _Bands) -> tuple[float, bool]:
    """The output's nodata, and whether it is ours: then valid pixels of that value must give way."""
    if declared is not None:
        return declared, False
    kind = np.dtype(source.bands[0].ReadAsArray(0, 0, 1, 1).dtype)
    return nodata_for(kind), kind.kind != "f"
