"""Where scenes come from: STAC APIs, their collections, and how their assets are called. Presets and configuration.

`UP42_JOBS_STAC_URL` replaces the address of the Sentinel-2 source; `UP42_JOBS_STAC_CONFIG` names a JSON file with
changes by preset: {"sentinel-2-l2a": {"url": …, "collection": …, "assets": {"B04": "red"}, "attribution": …, …}}.

The presets are after what their hosts publish; no test reaches the hosts themselves:

* Earth Search v1: what everybody can read has https addresses; files in buckets whose requester pays have s3 addresses
  (github.com/Element84/earth-search, README, *s3 vs http URLs*). Its Landsat and Sentinel-1 GRD (which has no map
  projection either) are of that kind and need an account, so those two presets are the Planetary Computer's.
* Planetary Computer: the asset keys are those of github.com/microsoft/PlanetaryComputerExamples, datasets/landsat-c2
  and datasets/sentinel-1-rtc ("some combination of hh, hv, vh, and vv": a scene without vh is left out and told).
  Anybody gets permits to read, at a limited rate (planetarycomputer.microsoft.com/docs/concepts/sas). For Sentinel-1
  RTC they needed an account until its Hub was closed in 2024 (github.com/microsoft/PlanetaryComputer, issues 230 and
  457); where one is still asked for, the job says so.
* No preset has a panchromatic band: Landsat's level 2 has none.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields, replace
from typing import Any, Mapping, Optional
from urllib.parse import urlsplit

from ..base import BlockFailure

URL_VARIABLE, CONFIG_VARIABLE = "UP42_JOBS_STAC_URL", "UP42_JOBS_STAC_CONFIG"
EARTH_SEARCH = "https://earth-search.aws.element84.com/v1"
PLANETARY_COMPUTER = "https://planetarycomputer.microsoft.com/api/stac/v1"
# Anonymous read permits for the Planetary Computer's files: `GET …/{collection}` gives {"token", "msft:expiry"}.
PLANETARY_COMPUTER_PERMITS = "https://planetarycomputer.microsoft.com/api/sas/v1/token"
MAX_CONFIG_BYTES = 1_000_000

# Sentinel-2's bands by number: Earth Search's asset, the Planetary Computer's and others' asset, metres (ESA handbook).
SENTINEL_2_BANDS: Mapping[str, tuple[str, int]] = {
    "B01": ("coastal", 60), "B02": ("blue", 10), "B03": ("green", 10), "B04": ("red", 10), "B05": ("rededge1", 20),
    "B06": ("rededge2", 20), "B07": ("rededge3", 20), "B08": ("nir", 10), "B8A": ("nir08", 20), "B09": ("nir09", 60),
    "B11": ("swir16", 20), "B12": ("swir22", 20), "SCL": ("scl", 20),
}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """One collection of one STAC API.

    `assets`: what a user calls a band -> the asset's key; a name that is not in it is an asset's key itself.
    `default_assets` are read where none are chosen. `cloud_query`: items have eo:cloud_cover, so the server can filter
    by it. `permits`: an address that signs the files' URLs. `attribution` may hold {year}. `metres` is the usual size
    of a pixel, for the estimate.
    """

    name: str
    url: str
    collection: str
    assets: Mapping[str, str] = field(default_factory=dict)
    default_assets: tuple[str, ...] = ()
    cloud_query: bool = False
    permits: str = ""
    attribution: str = ""
    licence: str = ""
    licence_url: str = ""
    metres: float = 30.0
    bytes_per_pixel: int = 2

    @property
    def host(self) -> str:
        """For messages."""
        return urlsplit(self.url).hostname or self.url


SENTINEL_2 = Source(
    name="sentinel-2-l2a",
    url=EARTH_SEARCH,
    collection="sentinel-2-c1-l2a",
    assets={**{band: asset for band, (asset, _) in SENTINEL_2_BANDS.items()}, "visual": "visual"},
    default_assets=("B02", "B03", "B04", "B08"),
    cloud_query=True,
    # The wording that the Copernicus Sentinel data legal notice asks for where data were changed (clipped).
    attribution="Contains modified Copernicus Sentinel data {year}",
    licence="Copernicus Sentinel data: free, full and open access",
    licence_url="https://sentinel.esa.int/documents/247904/690755/Sentinel_Data_Legal_Notice",
    metres=10.0,
)

PRESETS: Mapping[str, Source] = {
    source.name: source
    for source in (
        SENTINEL_2,
        Source(
            name="landsat-c2-l2",
            url=PLANETARY_COMPUTER,
            collection="landsat-c2-l2",
            assets={"nir": "nir08"},
            default_assets=("blue", "green", "red", "nir08"),
            cloud_query=True,
            permits=PLANETARY_COMPUTER_PERMITS,
            attribution="Landsat {year}, courtesy of the U.S. Geological Survey",
            licence="Public domain",
            licence_url="https://www.usgs.gov/emergency-operations-portal/data-policy",
        ),
        Source(
            name="sentinel-1-rtc",
            url=PLANETARY_COMPUTER,
            collection="sentinel-1-rtc",
            default_assets=("vv", "vh"),
            permits=PLANETARY_COMPUTER_PERMITS,
            attribution="Contains modified Copernicus Sentinel data {year}, processed by Catalyst",
            licence="CC-BY-4.0",
            licence_url="https://creativecommons.org/licenses/by/4.0/",
            metres=10.0,
            bytes_per_pixel=4,
        ),
        Source(
            name="cop-dem-glo-30",
            url=EARTH_SEARCH,
            collection="cop-dem-glo-30",
            default_assets=("data",),
            # The notice of the Copernicus DEM licence for adapted data.
            attribution="Produced using Copernicus WorldDEM-30 © DLR e.V. 2010-2014 and © Airbus Defence and Space "
            "GmbH 2014-2018 provided under COPERNICUS by the European Union and ESA; all rights reserved",
            licence="Copernicus DEM licence",
            licence_url="https://spacedata.copernicus.eu/collections/copernicus-digital-elevation-model",
            bytes_per_pixel=4,
        ),
    )
}


def sentinel_2() -> Source:
    """The source of the Sentinel-2 blocks, as configured. Raises BlockFailure."""
    return preset(SENTINEL_2.name)


def preset(name: str) -> Source:
    """A preset with what the environment changes of it. Raises BlockFailure for a configuration that can't be used."""
    source = PRESETS[name]
    if name == SENTINEL_2.name and os.environ.get(URL_VARIABLE):
        source = replace(source, url=os.environ[URL_VARIABLE])
    return checked(_changed(source, _config().get(name)))


def checked(source: Source) -> Source:
    """The source with its address tidied. Raises BlockFailure where that is no web address."""
    parts = urlsplit(source.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BlockFailure(
            "WRONG_INPUT_ERROR", "The address of the STAC API must be a URL such as https://example.org/stac/v1."
        )
    return replace(source, url=source.url.rstrip("/").removesuffix("/search"))


def _config() -> Mapping[str, Any]:
    path = os.environ.get(CONFIG_VARIABLE)
    if not path:
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            data = json.loads(file.read(MAX_CONFIG_BYTES))
    except (OSError, ValueError) as e:
        raise BlockFailure(
            "WRONG_INPUT_ERROR",
            f"The STAC configuration {path} can't be read ({e}): mend it, or unset {CONFIG_VARIABLE}",
        ) from e
    if not isinstance(data, dict):
        raise BlockFailure("WRONG_INPUT_ERROR", f"The STAC configuration {path} must be one JSON object.")
    return data


def _changed(source: Source, given: Optional[Mapping[str, Any]]) -> Source:
    if given is None:
        return source
    known = {item.name for item in fields(Source)} - {"name"}
    if not isinstance(given, dict) or not set(given) <= known:
        raise BlockFailure(
            "WRONG_INPUT_ERROR",
            f"The STAC configuration of {source.name} has keys other than {', '.join(sorted(known))}.",
        )
    changes = dict(given)
    if "assets" in changes:
        changes["assets"] = {**source.assets, **changes["assets"]}
    if "default_assets" in changes:
        changes["default_assets"] = tuple(changes["default_assets"])
    return replace(source, **changes)
