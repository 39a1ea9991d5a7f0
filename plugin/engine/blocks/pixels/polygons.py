"""The areas of equal value of a raster as polygons, by GDAL: from file to file, so memory stays bounded."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from osgeo import gdal, ogr

from ..base import BlockFailure
from ..processing import Progress
from .crs import spatial_reference
from .rasters import callback_of, open_raster
from .sieve import sieve

_WHOLE = (gdal.GDT_Byte, gdal.GDT_UInt16, gdal.GDT_Int16, gdal.GDT_UInt32, gdal.GDT_Int32)
FIELD = "value"
_POLYGONISED = 0.7  # of the progress


@dataclass(frozen=True)
class VectorOptions:
    """The parameters, checked. `epsg` is the polygons'."""

    sieve_pixels: int
    epsg: int
    band: int
    connected: int


def vectorise(scene: str, source: Path, target: Path, options: VectorOptions, tell: Progress) -> int:
    """Write the polygons as GeoJSON; gives how many. Raises BlockFailure."""
    dataset = open_raster(source, scene)
    if options.band > dataset.RasterCount:
        raise BlockFailure(
            "WRONG_INPUT_ERROR", f"src_band is {options.band}, but {scene} has {dataset.RasterCount} band(s)."
        )
    if dataset.GetRasterBand(options.band).DataType not in _WHOLE:
        raise BlockFailure(
            "WRONG_INPUT_ERROR",
            f"{scene} has decimal values, of which nearly every pixel would be a polygon of its own: put "
            "kmeans-clustering before vectorising.",
        )
    # the system's folder for temporary files is the task's own in a worker
    with tempfile.TemporaryDirectory(prefix="vectorising") as folder:
        chosen = _sieved(dataset, options, Path(folder)) if options.sieve_pixels > 1 else dataset
        number = 1 if options.sieve_pixels > 1 else options.band
        drawn = Path(folder, "polygons.fgb")
        _polygonise(chosen, number, drawn, options.connected, tell)
        count = _count(drawn)
        if not count:
            raise BlockFailure("NO_OUTPUT_ERROR", f"{scene} has only nodata: there is nothing to vectorise.")
        _as_geojson(drawn, target, options.epsg, tell)
    return count


def _sieved(dataset: gdal.Dataset, options: VectorOptions, folder: Path) -> gdal.Dataset:
    path = folder / "sieved.tif"
    gdal.Translate(
        str(path), dataset, bandList=[options.band], creationOptions=["TILED=YES", "COMPRESS=LZW", "BIGTIFF=IF_SAFER"]
    )
    sieve(path, options.sieve_pixels, options.connected)
    return gdal.Open(str(path))


def _polygonise(dataset: gdal.Dataset, number: int, path: Path, connected: int, tell: Progress) -> None:
    drawn = ogr.GetDriverByName("FlatGeobuf").CreateDataSource(str(path))
    layer = drawn.CreateLayer("polygons", dataset.GetSpatialRef(), ogr.wkbPolygon, ["SPATIAL_INDEX=NO"])
    layer.CreateField(ogr.FieldDefn(FIELD, ogr.OFTInteger64))
    band = dataset.GetRasterBand(number)
    options = ["8CONNECTED=8"] if connected == 8 else []
    callback = callback_of(tell, 0.0, _POLYGONISED)
    gdal.Polygonize(band, band.GetMaskBand(), layer, 0, options, callback=callback)
    del layer
    drawn.FlushCache()


def _count(drawn: Path) -> int:
    try:
        source = ogr.Open(str(drawn))  # kept: the layer lives in it
    except RuntimeError:
        source = None
    # GDAL can't open a FlatGeobuf file in which nothing was written
    return 0 if source is None else int(source.GetLayer(0).GetFeatureCount())


def _as_geojson(drawn: Path, target: Path, epsg: int, tell: Progress) -> None:
    try:
        crs = spatial_reference(f"EPSG:{epsg}")
        # Not RFC7946=YES: it rewinds and cuts at the antimeridian, polygon by polygon, at a third of the speed
        gdal.VectorTranslate(
            str(target), str(drawn), format="GeoJSON", dstSRS=f"EPSG:{epsg}", reproject=True, layerName=target.stem,
            layerCreationOptions=[f"COORDINATE_PRECISION={7 if crs.IsGeographic() else 3}"],
            callback=callback_of(tell, _POLYGONISED, 1 - _POLYGONISED),
        )  # fmt: skip
    except RuntimeError as e:
        target.unlink(missing_ok=True)
        raise BlockFailure("WRONG_INPUT_ERROR", f"The polygons can't be brought into EPSG:{epsg}.") from e
