"""The data blocks on STAC: Sentinel-2 in natural colour, Sentinel-2's bands, and any collection of any STAC API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Mapping, Optional

from ....jobs.area import area_km2
from ..band_words import is_pan_name
from ..bands import band_name
from ..base import Amount, Block, BlockDescription, BlockFailure, Price, TaskContext
from ..filters import SceneFilter, read_filter
from ..processing import read_flag
from ..scene_parameters import PANCHROMATIC, scene_parameters
from .sources import PRESETS, SENTINEL_2, SENTINEL_2_BANDS, Source, checked, preset, sentinel_2

_SLOW, _FAST = 0.6, 12.0  # megabytes per second: a poor line, a good one
_SEARCH_SECONDS, _SCENE_SECONDS = (2.0, 10.0), (1.0, 5.0)
_COMPRESSED = (0.35, 1.1)  # of the pixels' plain size
_CRS_TEXT = "A CRS such as EPSG:3857 that the scenes are brought into (nearest neighbour). null: each keeps its own."
_MOSAIC_TEXT = "Put the scenes of one pass together into one raster; the newest is on top."
_OUTPUT_PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "crs": {"type": "string", "default": None, "required": False, "description": _CRS_TEXT},
    "mosaic": {"type": "boolean", "default": False, "required": False, "description": _MOSAIC_TEXT},
}
_TIME_TEXT = "Acquisition between two dates; null for the newest scenes there are."
_CLOUD_TEXT = "The most cloud over the whole scene, in percent. Scenes that don't say pass."
FREE = Price("MEGABYTE", 0.0)  # the unit makes the estimate say how much is fetched


class StacBlock(Block):
    """What the three have in common; each says in `order` what is to be read."""

    def order(self, parameters: Mapping[str, Any]) -> tuple[Source, tuple[str, ...], Mapping[str, str], bool]:
        """The source, asset names, what to call them in the output, and whether the one asset is in colours."""
        raise NotImplementedError

    def amount(self, parameters: Mapping[str, Any], settings: Mapping[str, Any], parent: Optional[Amount]) -> Amount:
        """A guess without a network: `limit` scenes that fill the AOI. Units are megabytes."""
        wanted = read_filter(parameters, self.description.parameters)
        source, assets, _, colours = self.order(parameters)
        scenes = len(wanted.ids) if wanted.ids is not None else wanted.limit * len(wanted.spans)
        pixels = _frame_km2(wanted) * 1e6 / source.metres**2 * scenes
        plain = pixels * (3 if colours else source.bytes_per_pixel * len(assets)) / 1e6
        least, most = plain / scenes * _COMPRESSED[0], plain * _COMPRESSED[1]
        seconds = (
            _SEARCH_SECONDS[0] + _SCENE_SECONDS[0] + least / _FAST,
            _SEARCH_SECONDS[1] + _SCENE_SECONDS[1] * scenes + most / _SLOW,
        )
        return Amount((least, most), seconds, (pixels / scenes, pixels))

    def run(self, task: TaskContext) -> None:
        """Search and clip; a Test Query searches only. Raises BlockFailure."""
        from ..pixels.rasters import prepare_gdal
        from .deliver import Delivery, Order
        from .warp import read_crs

        prepare_gdal()
        wanted = read_filter(task.parameters, self.description.parameters)
        source, assets, names, colours = self.order(task.parameters)
        crs = read_crs(task.parameters.get("crs"))
        mosaic = read_flag(task.parameters, "mosaic", False)
        Delivery(task, wanted, Order(source, assets, names, colours, crs, mosaic)).run()


class SentinelVisualBlock(StacBlock):
    """Natural colour as ESA renders it (TCI): bytes."""

    description = BlockDescription(
        id="c4cb8913-2ef3-4e82-a426-65ea8faacd9a",
        name="esa-s2-l2a-gtiff-visual",
        display_name="Sentinel-2 True Colour",
        description="Sentinel-2 L2A in natural colour, 10 m, clipped to the AOI. Real imagery of the whole world since "
        "2017, free and without an account; needs the internet.",
        type="DATA",
        parameters={
            **scene_parameters(time_default=None, time_text=_TIME_TEXT, cloud_default=20, cloud_text=_CLOUD_TEXT),
            **_OUTPUT_PARAMETERS,
        },
        price=FREE,
        outputs=frozenset({"raster"}),
        dry_run=True,
    )

    def order(self, parameters: Mapping[str, Any]) -> tuple[Source, tuple[str, ...], Mapping[str, str], bool]:
        """The one asset in colours."""
        return sentinel_2(), ("visual",), {}, True


class SentinelAnalyticBlock(StacBlock):
    """Chosen bands as they are, with scale and offset that make them reflectance."""

    description = BlockDescription(
        id="4471e5ef-90f1-4bf0-9243-66bc9d8b4c99",
        name="esa-s2-l2a-gtiff-analytic",
        display_name="Sentinel-2 Bands",
        description="Bands of Sentinel-2 L2A as one raster, clipped to the AOI, with the scale and offset that make "
        "them reflectance. Bands of 20 and 60 m are repeated on the finest grid chosen, never interpolated.",
        type="DATA",
        parameters={
            **scene_parameters(time_default=None, time_text=_TIME_TEXT, cloud_default=20, cloud_text=_CLOUD_TEXT),
            "bands": {
                "type": "array",
                "default": list(SENTINEL_2.default_assets),
                "required": False,
                "items": {"type": "string", "enum": list(SENTINEL_2_BANDS)},
                "description": "Which bands: blue B02, green B03, red B04, near infrared B08 (10 m); red edge B05 to "
                "B07, B8A, short-wave infrared B11, B12 and the scene classification SCL (20 m); B01, B09 (60 m).",
            },
            **_OUTPUT_PARAMETERS,
        },
        price=FREE,
        outputs=frozenset({"raster", "nir", "scl"}),
        dry_run=True,
    )

    def order(self, parameters: Mapping[str, Any]) -> tuple[Source, tuple[str, ...], Mapping[str, str], bool]:
        """The bands chosen, in their order."""
        source = sentinel_2()
        bands = _names(parameters.get("bands"), "bands") or source.default_assets
        unknown = [band for band in bands if band not in SENTINEL_2_BANDS]
        if unknown:
            raise BlockFailure(
                "WRONG_INPUT_ERROR", f"bands has {unknown[0]}, but must be of {', '.join(SENTINEL_2_BANDS)}."
            )
        names = {band: band if band == "SCL" else band_name("S2A_", band[1:]) for band in bands}
        return source, bands, names, False


class AnyStacBlock(StacBlock):
    """A preset, or a STAC API, a collection and assets of one's own choice."""

    description = BlockDescription(
        id="0f6a2c58-7b1d-4d8e-9a53-2f0d3c1be904",
        name="stac",
        display_name="STAC Collection",
        description="Scenes of any STAC API, clipped to the AOI: Landsat, Sentinel-1 and the Copernicus DEM are "
        "presets. The chosen assets are the bands of one raster.",
        type="DATA",
        parameters={
            **scene_parameters(time_default=None, time_text=_TIME_TEXT, cloud_default=100, cloud_text=_CLOUD_TEXT),
            "preset": {
                "type": "string",
                "default": "landsat-c2-l2",
                "required": False,
                "enum": list(PRESETS),
                "description": "A known collection; url, collection and assets, where given, replace its own.",
            },
            "url": {
                "type": "string",
                "default": None,
                "required": False,
                "description": "The address of a STAC API, such as https://example.org/stac/v1. null: the preset's.",
            },
            "collection": {
                "type": "string",
                "default": None,
                "required": False,
                "description": "The collection's id there. null: the preset's.",
            },
            "assets": {
                "type": "array",
                "default": None,
                "required": False,
                "items": {"type": "string"},
                "description": "Keys of the assets that become the bands, of one resolution or whole multiples of it. "
                "null: the preset's.",
            },
            **PANCHROMATIC,
            **_OUTPUT_PARAMETERS,
        },
        price=FREE,
        outputs=frozenset({"raster", "nir", "scl", "classes", "pan"}),
        dry_run=True,
    )

    def order(self, parameters: Mapping[str, Any]) -> tuple[Source, tuple[str, ...], Mapping[str, str], bool]:
        """The preset with what is given instead."""
        name = parameters.get("preset") or "landsat-c2-l2"
        if name not in PRESETS:
            raise BlockFailure("WRONG_INPUT_ERROR", f"preset must be one of {', '.join(PRESETS)}.")
        source = preset(name)
        url, collection = parameters.get("url"), parameters.get("collection")
        assets = _names(parameters.get("assets"), "assets")
        if (url and url != source.url) or (collection and collection != source.collection):
            if not (collection and assets):
                raise BlockFailure(
                    "WRONG_INPUT_ERROR",
                    "A STAC API or collection of your own needs both collection and assets, such as "
                    '"collection": "sentinel-2-l2a", "assets": ["red", "nir"].',
                )
            source = checked(replace(_STRANGER, url=url or source.url, collection=collection))
        assets = assets or source.default_assets
        if read_flag(parameters, "panchromatic", False) and not any(map(is_pan_name, assets)):
            assets = (*assets, PAN_ASSET)
        return source, assets, {key: _friendly(key) for key in assets}, False


PAN_ASSET = "pan"  # the eo extension's common name, as USGS calls Landsat's band 8
_STRANGER = Source(name="own", url="https://example.org", collection="", metres=10.0)
# Asset keys of the STAC eo extension's common names, in the words by which bands are recognised.
_FRIENDLY: Mapping[str, str] = {
    "red": "Red", "green": "Green", "blue": "Blue", "nir": "NIR", "nir08": "NIR", "swir16": "SWIR 1",
    "swir22": "SWIR 2", "coastal": "Coastal", "vv": "VV", "vh": "VH", "data": "Elevation", "pan": "Panchromatic",
}  # fmt: skip


def _friendly(key: str) -> str:
    return _FRIENDLY.get(key, key)


def _names(value: Any, name: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
        raise BlockFailure("WRONG_INPUT_ERROR", f'{name} must be a list such as ["red", "nir"], or null.')
    return tuple(dict.fromkeys(value))


def _frame_km2(wanted: SceneFilter) -> float:
    """The area that is read for one scene; a Sentinel-2 tile where there is no AOI."""
    return 12_000.0 if wanted.area is None else area_km2(wanted.area.envelope)
