"""What of a job's output folder can become a layer, and what can't and why. For a worker thread; touches no project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence

from osgeo import gdal
from qgis.core import Qgis, QgsProviderRegistry, QgsProviderSublayerDetails

from ..jobs.job import Scene, scene_of
from .products import files_of
from .strangers import RASTER, REFERRING, NotLoadable, is_product, kind_of, open_raster, open_vector, quiet
from .words import tr

DATA_PATH = "up42.data_path"  # contract 5.2: the feature's file or folder, relative to output/
OUTPUT = "output"
OWN_FILES = ("data.json", "job.json", "job_aoi.geojson", "job_footprints.geojson")
SIDECAR_SUFFIXES = (
    *(".aux.xml", ".ovr", ".msk", ".tfw", ".jgw", ".pgw", ".wld", ".j2w", ".prj", ".cpg", ".csvt", ".shp.xml"),
    *(".shx", ".dbf", ".sbn", ".sbx", ".qix", ".qmd", ".gpkg-wal", ".gpkg-shm"),
)
CONTAINERS = (".xml", ".dim", ".safe", ".shp", ".gpkg")  # asked first: they claim the files that belong to them
DIMAP_DATASET = "DIM"  # how the names of DIMAP's datasets begin; a volume's begins with VOL
LONGITUDES, LATITUDES = "lon*,lng*,x", "lat*,y"  # column names of positions in a table, for GDAL's CSV driver


@dataclass(frozen=True)
class Found:
    """One layer to be: `uri` for QGIS's data provider `provider` ("gdal" or "ogr").

    `kind` is "raster" or "vector"; `scene_id` the feature of data.json that it belongs to, else "". `name` tells files
    apart (a file's stem, or stem and sublayer); the layer's own name is made by `names`. `role`: "output" or
    "quicklook".
    """

    path: Path
    uri: str
    provider: str
    kind: str
    name: str
    scene_id: str
    role: str = "output"


@dataclass(frozen=True)
class Skipped:
    """A file that was not loaded, and why, in the user's language."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Scan:
    """What a folder has to offer. `scenes` are those of data.json, `folder` the place of the files."""

    found: list[Found]
    skipped: list[Skipped]
    folder: Optional[Path] = None
    scenes: tuple[Scene, ...] = ()


def scan(folder: Path, files: Sequence[Path], features: Sequence[Mapping[str, Any]]) -> Scan:
    """Ask QGIS which of `files` are layers.

    `files` are the members of the manifest, absolute or relative to `folder`: nothing else in the folder is looked at.
    `features` are those of data.json.
    """
    result = Scan([], [], folder, tuple(scene_of(feature) for feature in features))
    claimed: set[Path] = set()
    for path in sorted((folder / file for file in files), key=_containers_first):
        if path.resolve() in claimed or path.name in OWN_FILES or path.name.lower().endswith(SIDECAR_SUFFIXES):
            continue
        try:
            own = _files_of(path, folder)
            if is_product(path) and (own & claimed):
                continue  # a volume: what it is made of is here already
            claimed.update(own)
            result.found.extend(_layers_in(path, _scene_id(path.relative_to(folder), features)))
        except NotLoadable as e:
            result.skipped.append(Skipped(path, str(e)))
        except RuntimeError:  # where another plugin has switched GDAL's exceptions on for the whole process
            result.skipped.append(Skipped(path, tr("it can't be read: the file is damaged")))
    return result


def _containers_first(path: Path) -> tuple[int, int, str]:
    """Products from the top (a SAFE tree has XML below), but a DIMAP volume after the datasets that it is made of."""
    rank = CONTAINERS.index(path.suffix.lower()) if path.suffix.lower() in CONTAINERS else len(CONTAINERS)
    depth = len(path.parts)
    return rank, -depth if path.name.upper().startswith(DIMAP_DATASET) else depth, str(path)


def _files_of(path: Path, folder: Path) -> set[Path]:
    """The files that make up the layer; all of them must be in the folder. Raises NotLoadable."""
    kind = REFERRING.get(path.suffix.lower())
    if kind:
        raise NotLoadable(tr("a {kind} may refer to other files or carry code: never followed").format(kind=kind))
    _check_inside([path], folder)
    if not path.is_file():
        raise NotLoadable(tr("the file is missing: fetch the output again"))
    dataset = open_raster(path) if kind_of(path) == RASTER else open_vector(path)
    files = [Path(name) for name in dataset.GetFileList() or ()]
    _check_inside(files, folder)
    if dataset.RasterCount and not _has_position(dataset):
        raise NotLoadable(tr("the image has no position on the map"))
    own = {file.resolve() for file in files}
    if is_product(path) and path.parent.resolve() != folder.resolve():  # in a folder of its own: all is one product
        own |= {file.resolve() for file in files_of(path) if not _is_dataset(file, path)}
    return own


def _is_dataset(file: Path, product: Path) -> bool:
    """True for another dataset in the product's folder, which is a layer of its own."""
    return file != product and file.name.upper().startswith(DIMAP_DATASET) and is_product(file)


def _check_inside(files: Sequence[Path], folder: Path) -> None:
    root = folder.resolve()
    for file in files:
        if root not in file.resolve().parents:
            raise NotLoadable(tr("it refers to a file outside of the job's folder, which is never followed"))


def _has_position(dataset: gdal.Dataset) -> bool:
    placed = dataset.GetGeoTransform(can_return_null=True) is not None
    return placed or dataset.GetGCPCount() > 0 or bool(dataset.GetMetadata("RPC"))


def _layers_in(path: Path, scene_id: str) -> list[Found]:
    kind = kind_of(path)
    provider = "gdal" if kind == RASTER else "ogr"
    flags = Qgis.SublayerQueryFlags(Qgis.SublayerQueryFlag.ResolveGeometryType)
    with quiet():
        sublayers = QgsProviderRegistry.instance().providerMetadata(provider).querySublayers(str(path), flags)
    if not sublayers:
        raise NotLoadable(tr("QGIS finds no layer in it"))
    several = len(sublayers) > 1
    found = []
    for sublayer in sublayers:
        name = f"{_name(path)} {_part(path, sublayer)}" if several else _name(path)
        found.append(Found(path, _uri(path, sublayer), provider, kind, name, scene_id))
    return found


def _name(path: Path) -> str:
    """A product is called like its folder: the XML in it has the same name in each."""
    return path.parent.stem if is_product(path) and path.parent.suffix.upper() == ".SAFE" else path.stem


def _part(path: Path, sublayer: QgsProviderSublayerDetails) -> str:
    """What tells one sublayer of a file from the others: a variable, a resolution, a table, a geometry type."""
    within = sublayer.uri().rpartition(f"{path}:")  # SENTINEL2_L2A:<path>:10m:EPSG_32721
    if within[1]:
        return within[2].partition(":")[0].strip('"')
    geometry = sublayer.uri().rpartition("|geometrytype=")
    return " ".join(part for part in (sublayer.name(), geometry[2] if geometry[1] else "") if part)


def _uri(path: Path, sublayer: QgsProviderSublayerDetails) -> str:
    if path.suffix.lower() == ".csv" and "|" not in sublayer.uri():
        return f"{sublayer.uri()}|option:X_POSSIBLE_NAMES={LONGITUDES}|option:Y_POSSIBLE_NAMES={LATITUDES}"
    return sublayer.uri()


def _scene_id(file: Path, features: Sequence[Mapping[str, Any]]) -> str:
    """The feature that names this file or its folder (`up42.data_path`), else the one whose id begins its name.

    Processing blocks add to the name, `<id>_ndvi.tif`, or make a folder of it (contract 5.1).
    """
    parts = file.parts[1:] if file.parts[0] == OUTPUT else file.parts
    ids = [str(feature.get("id") or "") for feature in features]
    for feature, scene_id in zip(features, ids):
        named = Path(str((feature.get("properties") or {}).get(DATA_PATH) or "")).parts
        if named and parts[: len(named)] == named:
            return scene_id
    begins = [scene_id for scene_id in ids if scene_id and any(part.startswith(scene_id) for part in parts)]
    return max(begins, key=len, default="")
