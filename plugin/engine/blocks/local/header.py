"""What the index keeps of one GeoTIFF. Reading a raster needs GDAL; what has been kept doesn't."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Mapping, Optional

from .acquisition import KEPT_TAGS


@dataclass(frozen=True)
class Header:
    """One file. `problem` says why it is no scene; all else is then empty.

    `footprint` is a GeoJSON geometry in EPSG:4326. `zeros_are_nodata`: no nodata is declared, but a collar of zeros
    lies around the image, as in Landsat's level 1.
    """

    problem: Optional[str] = None
    columns: int = 0
    rows: int = 0
    geotransform: tuple[float, ...] = ()
    crs: str = ""  # WKT
    data_type: int = 0  # gdal.GDT_…
    nodata: Optional[str] = None  # repr of a float, so that nan and inf survive JSON
    zeros_are_nodata: bool = False
    descriptions: tuple[str, ...] = ()  # of the bands but for alpha
    colours: tuple[str, ...] = ()  # GDAL's colour interpretation of each
    tags: Optional[Mapping[str, str]] = None
    footprint: Optional[Mapping[str, Any]] = None

    @property
    def bands(self) -> int:
        """The number of bands, alpha not counted."""
        return len(self.descriptions)

    @property
    def grid(self) -> tuple[Any, ...]:
        """Equal for files whose pixels lie on each other and are of one kind."""
        return self.columns, self.rows, self.geotransform, self.crs, self.data_type

    @property
    def pixel_area(self) -> float:
        """The area of a pixel in the square of the CRS's unit."""
        gt = self.geotransform
        return abs(gt[1] * gt[5] - gt[2] * gt[4])

    @property
    def nodata_value(self) -> Optional[float]:
        """The declared nodata, else 0 where zeros are."""
        if self.nodata is not None:
            return float(self.nodata)
        return 0.0 if self.zeros_are_nodata else None

    def to_json(self) -> dict[str, Any]:
        """For the index."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Header:
        """From the index. Raises TypeError where it is of another version."""
        header = cls(**data)
        return replace(
            header,
            geotransform=tuple(header.geotransform),
            descriptions=tuple(header.descriptions),
            colours=tuple(header.colours),
        )


def read_header(path: Path) -> Header:
    """Look at a GeoTIFF: grid, bands, tags, and footprint less nodata. What can't be a scene has a `problem`."""
    from osgeo import gdal

    from .outline import NoOutline, outline

    try:
        dataset = gdal.OpenEx(str(path), gdal.OF_RASTER | gdal.OF_READONLY, allowed_drivers=["GTiff"])
    except RuntimeError:
        return Header(problem="it can't be read as a GeoTIFF")
    reference = dataset.GetSpatialRef()
    if reference is None or dataset.GetGeoTransform(can_return_null=True) is None:
        return Header(problem="it has no georeferencing")
    numbers = [n for n in range(1, dataset.RasterCount + 1) if not _is_alpha(dataset.GetRasterBand(n))]
    if not numbers:
        return Header(problem="it has no bands")
    first = dataset.GetRasterBand(numbers[0])
    if gdal.DataTypeIsComplex(first.DataType):
        return Header(problem="its pixels are complex numbers")
    try:
        footprint, zeros = outline(dataset, numbers)
    except NoOutline as e:
        return Header(problem=str(e))
    except RuntimeError:
        return Header(problem="it is cut short or damaged")
    nodata = first.GetNoDataValue()
    return Header(
        columns=dataset.RasterXSize,
        rows=dataset.RasterYSize,
        geotransform=tuple(dataset.GetGeoTransform()),
        crs=reference.ExportToWkt(),
        data_type=first.DataType,
        nodata=None if nodata is None else repr(float(nodata)),
        zeros_are_nodata=zeros,
        descriptions=tuple(dataset.GetRasterBand(n).GetDescription() for n in numbers),
        colours=tuple(
            gdal.GetColorInterpretationName(dataset.GetRasterBand(n).GetColorInterpretation()) for n in numbers
        ),
        tags=_tags(dataset),
        footprint=footprint,
    )


def _is_alpha(band: Any) -> bool:
    from osgeo import gdal

    return band.GetColorInterpretation() == gdal.GCI_AlphaBand


def _tags(dataset: Any) -> dict[str, str]:
    found = {**dataset.GetMetadata(), **dataset.GetMetadata("IMAGERY")}
    return {key.upper(): str(value) for key, value in found.items() if key.upper() in KEPT_TAGS}
