"""One AOI for each polygon feature of a Processing source: for scripts that run many jobs."""

from __future__ import annotations

from typing import Optional, Sequence

from qgis.core import QgsFeature, QgsFeatureSource

from ..jobs.aoi import Aoi, AoiError
from ..jobs.problem import Problem
from .aoi_on_earth import aoi_from_map_geometry
from .errors import HostError
from .words import tell, tr

NAME_FIELD = "name"


class WrongFeature(HostError):
    """A feature that can't be an AOI, or that is not there; the text names its FID."""


def aois_per_feature(source: QgsFeatureSource, fids: Optional[Sequence[int]] = None) -> list[tuple[int, Aoi]]:
    """FID and AOI of each feature with a geometry, in the source's order; only `fids` where they are given.

    An AOI is named by its feature's field “name” where that has a text, else `<layer> <FID>`.
    Raises WrongFeature, and AoiError where there is no feature at all.
    """
    found = []
    for feature in source.getFeatures():
        if fids is not None and feature.id() not in fids:
            continue
        if feature.hasGeometry():
            name = _name(feature) or f"{source.sourceName() or 'AOI'} {feature.id()}"
            try:
                found.append((feature.id(), aoi_from_map_geometry(feature.geometry(), source.sourceCrs(), name)))
            except AoiError as e:
                text = tr("Feature {fid}: {why}")
                raise WrongFeature(text.format(fid=feature.id(), why=tell(e.problem))) from e
    missing = [fid for fid in fids or () if fid not in {known for known, _ in found}]
    if missing:
        text = tr("The AOI layer has no feature {fids}: use the FIDs that NOT_SUBMITTED has told.")
        raise WrongFeature(text.format(fids=", ".join(map(str, missing))))
    if not found:
        raise AoiError(Problem("aoi_empty", where="aoi"))
    return found


def _name(feature: QgsFeature) -> str:
    for index, field in enumerate(feature.fields()):
        if field.name().casefold() == NAME_FIELD and isinstance(feature[index], str):
            return feature[index].strip()
    return ""
