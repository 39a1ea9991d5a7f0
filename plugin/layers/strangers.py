"""Opening files that came in an archive: a stranger's, so nothing that they refer to is ever followed.

GDAL and QGIS follow references that no suffix shows: a `.tif`, `.csv` or `.ovr` whose content is a VRT or the
description of a web service, and the metadata item OVERVIEW_FILE of a plain GeoTIFF, which may be a URL. So a file is
first recognised by its content, then opened by a driver that reads one file and its sidecars, and then asked for
references before anything else is asked of it.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, Optional

from osgeo import gdal

from . import products
from .geojson_crs import has_linked_crs
from .words import tr

RASTER, VECTOR = "raster", "vector"
DRIVERS = {
    RASTER: ("GTiff", "JP2OpenJPEG", "JP2KAK", "JP2ECW", "JP2MrSID", "PNG", "JPEG", "netCDF", *products.DRIVERS),
    VECTOR: ("GPKG", "GeoJSON", "ESRI Shapefile", "CSV", "FlatGeobuf"),
}
REFERRING = {  # suffixes of files that carry styles, code or paths; said by name, because people look for them
    ".qml": "style",
    ".qlr": "layer definition",
    ".sld": "style",
    ".qgs": "project",
    ".qgz": "project",
    ".vrt": "virtual image",
}
VECTOR_SUFFIXES = (".csv", ".fgb", ".geojson", ".gpkg", ".json", ".shp")  # raster drivers claim some of these as well
REFERENCE_DOMAINS = ("OVERVIEWS", "GEOLOCATION")  # metadata domains in which GDAL looks for names of other files
RASTER_SIDECARS = (".ovr", ".msk", ".msk.ovr")  # GDAL opens these with whatever driver their content asks for


class NotLoadable(Exception):
    """The file can't or must not become a layer; the text says why, for the list of what was skipped."""


@contextmanager
def quiet() -> Iterator[None]:
    """Keep GDAL's messages about files that are no layers off stderr, for this thread only."""
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        yield
    finally:
        gdal.PopErrorHandler()


def kind_of(path: Path) -> str:
    """RASTER or VECTOR, as the content says. Raises NotLoadable."""
    kinds = (VECTOR, RASTER) if path.suffix.lower() in VECTOR_SUFFIXES else (RASTER, VECTOR)
    for kind in kinds:
        driver = _driver_of(path, kind)
        if driver in DRIVERS[kind]:
            return kind
        if driver:
            raise NotLoadable(tr("{kind} files are not loaded: they may refer to other files").format(kind=driver))
    raise NotLoadable(tr("no image and no vector data in it"))


def open_raster(path: Path) -> gdal.Dataset:
    """Open one raster file for reading by a driver that follows nothing. Raises NotLoadable."""
    if products.is_product(_driver_of(path, RASTER)):
        _check_product(path)
    for suffix in RASTER_SIDECARS:
        sidecar = path.with_name(path.name + suffix)
        if sidecar.exists() and _driver_of(sidecar, RASTER) != "GTiff":
            raise NotLoadable(tr("{file} beside it is not plain image data").format(file=sidecar.name))
    dataset = _open(path, RASTER)
    names_itself = dataset.GetDriver().ShortName == "netCDF"  # the variables of its own geolocation
    if not names_itself and any(dataset.GetMetadata(domain) for domain in REFERENCE_DOMAINS):
        raise NotLoadable(tr("it refers to other files, which are never followed"))
    return dataset


def open_vector(path: Path) -> gdal.Dataset:
    """Open one vector file for reading. Raises NotLoadable."""
    if _driver_of(path, VECTOR) == "GeoJSON" and has_linked_crs(path):
        raise NotLoadable(tr("it names its coordinate system by an address, which is never followed"))
    return _open(path, VECTOR)


def is_product(path: Path) -> bool:
    """True for the XML that describes a product of many files."""
    return path.suffix.lower() in products.SUFFIXES and products.is_product(_driver_of(path, RASTER))


def _check_product(path: Path) -> None:
    def look_at_image(file: Path) -> None:
        driver = "" if file.suffix.lower() in REFERRING else _driver_of(file, RASTER)
        if driver and driver not in DRIVERS[RASTER]:
            raise NotLoadable(tr("{file} of it is not plain image data").format(file=file.name))
        if driver:
            open_raster(file)

    try:
        products.check(path, look_at_image, tuple(REFERRING))
    except products.LeadsOut as e:
        raise NotLoadable(str(e)) from e


def _driver_of(path: Path, kind: str) -> str:
    with quiet():
        driver = gdal.IdentifyDriverEx(str(path), _flag(kind))
    return driver.ShortName if driver else ""


def _open(path: Path, kind: str) -> gdal.Dataset:
    dataset: Optional[Any] = None
    with quiet():
        try:
            dataset = gdal.OpenEx(str(path), _flag(kind), allowed_drivers=list(DRIVERS[kind]))
        except RuntimeError:  # where another plugin has switched GDAL's exceptions on for the whole process
            dataset = None
    if dataset is None:
        raise NotLoadable(tr("it can't be read: the file is damaged"))
    return dataset


def _flag(kind: str) -> int:
    return gdal.OF_RASTER if kind == RASTER else gdal.OF_VECTOR
