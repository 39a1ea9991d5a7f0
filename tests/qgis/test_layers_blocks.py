"""The outputs of the processing blocks as layers: clusters in colours of classes, polygons, a table."""

from __future__ import annotations

import numpy as np
from qgis.core import QgsProviderRegistry

from up42_jobs.plugin.layers.look import CLASSES, GREY, INDEX, measure
from up42_jobs.plugin.layers.scan import scan
from up42_jobs.tests.unit.blocks_support import parent_of, run_block, write_raster


def found_in(done):
    files = [path for path in done.output.rglob("*") if path.is_file() and path.name != "data.json"]
    return scan(done.output, files, done.features)


def test_outputs_are_layers_with_a_look_of_their_kind(tmp_path, qgis_app):
    assert QgsProviderRegistry.instance().providerMetadata("gdal")
    field = np.random.default_rng(3).integers(0, 3, (12, 12)).repeat(20, 0).repeat(20, 1)
    bands = np.stack([300 + 900 * field, 3000 - 400 * field]).astype(np.uint16)
    folder = tmp_path / "p"
    source = parent_of(folder, {"S1": write_raster(folder / "S1.tif", bands, nodata=0, descriptions=("Red", "NIR"))})
    clusters = run_block("kmeans-clustering", {"n_clusters": 3}, tmp_path / "c", source)
    found = found_in(clusters).found
    (look,) = measure(found).rasters.values()
    assert look.style == CLASSES and [one.value for one in look.classes] == [1, 2, 3]
    assert len({one.colour for one in look.classes}) == 3
    polygons = found_in(run_block("vectorising", {}, tmp_path / "v", clusters.output)).found
    assert [(one.kind, one.scene_id) for one in polygons] == [("vector", "S1")]
    (look,) = measure(found_in(run_block("index", {}, tmp_path / "ndvi", source)).found).rasters.values()
    assert (look.style, look.palette) == (INDEX, "ndvi")
    own = {"index": "expression", "expression": "nir / red"}
    (look,) = measure(found_in(run_block("index", own, tmp_path / "own", source)).found).rasters.values()
    assert look.style == GREY
    table = found_in(run_block("zonal-statistics", {}, tmp_path / "z", source))
    assert not table.skipped and sorted(one.path.suffix for one in table.found) == [".csv", ".geojson"]
    assert {one.scene_id for one in table.found} == {"S1_statistics"}
