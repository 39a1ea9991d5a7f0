"""What tests of this tier share: a project that starts empty, small real rasters, a server that must stay silent."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Callable, Iterator, Optional, Sequence

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pytest
from osgeo import gdal, osr
from qgis.core import QgsProject

from up42_jobs.plugin.host.engine_process import LocalEngine
from up42_jobs.tests.contract.engine_process import Engine
from up42_jobs.tests.qgis.vault_in_tests import keep_login, vault  # noqa: F401  (fixtures of this tier)

UTM_21S_ORIGIN = (740000.0, 7200000.0)  # EPSG:32721, near 54.6° W 25.3° S


@pytest.fixture
def project(qgis_app: object) -> Iterator[QgsProject]:
    """The project instance, empty before and after."""
    instance = QgsProject.instance()
    instance.clear()
    yield instance
    instance.clear()


@pytest.fixture(scope="module")
def engine(qgis_app: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEngine]:
    """A real engine of this module's own, started when it is first asked."""
    engine = LocalEngine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.release()


@pytest.fixture(scope="module")
def engine_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A real engine as a server that nobody of ours started; with prices and sizes as they are shipped."""
    engine = Engine(tmp_path_factory.mktemp("engine"), "--stay", tiny=False)
    engine.read_line()
    yield engine
    engine.stop()


@pytest.fixture
def make_raster() -> Callable[..., Path]:
    """Write a GeoTIFF (or another GDAL format) of an array of bands × rows × columns, placed in EPSG:32721."""

    def make(
        path: Path,
        values: np.ndarray,
        *,
        descriptions: Sequence[str] = (),
        nodata: Optional[float] = None,
        pixel: float = 30.0,
        options: Sequence[str] = (),
        driver: str = "GTiff",
        placed: bool = True,
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        bands, rows, columns = values.shape
        gdal_type = {
            "uint8": gdal.GDT_Byte,
            "uint16": gdal.GDT_UInt16,
            "int16": gdal.GDT_Int16,
            "float32": gdal.GDT_Float32,
        }[values.dtype.name]
        dataset = gdal.GetDriverByName(driver).Create(str(path), columns, rows, bands, gdal_type, list(options))
        if placed:
            srs = osr.SpatialReference()
            srs.ImportFromEPSG(32721)
            dataset.SetProjection(srs.ExportToWkt())
            dataset.SetGeoTransform((UTM_21S_ORIGIN[0], pixel, 0, UTM_21S_ORIGIN[1], 0, -pixel))
        for number in range(bands):
            band = dataset.GetRasterBand(number + 1)
            if nodata is not None:
                band.SetNoDataValue(nodata)
            if number < len(descriptions):
                band.SetDescription(descriptions[number])
            band.WriteArray(values[number])
        del dataset
        return path

    return make


@pytest.fixture
def silent_server() -> Iterator[tuple[str, list[str]]]:
    """A web server's address and the paths that were asked of it: nothing may ask."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            """Keep stderr clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()
