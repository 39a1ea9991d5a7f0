"""Which block may follow which: only what works is offered, and what a block hands on still counts."""

from __future__ import annotations

import pytest

from up42_jobs.plugin.engine.blocks import BLOCKS, block_by_name
from up42_jobs.plugin.engine.chains import given_capabilities, missing_capabilities, read_chain
from up42_jobs.plugin.engine.refusal import Refusal


def line(*names):
    tasks = []
    for place, name in enumerate(names):
        block_id = block_by_name(name).description.id
        tasks.append(
            {"name": f"{name}:{place}", "parentName": tasks[-1]["name"] if tasks else None, "blockId": block_id}
        )
    return tasks


@pytest.mark.parametrize(
    "names",
    [
        ("esa-s2-l2a-gtiff-analytic", "cloud-mask", "composite", "ndvi", "zonal-statistics"),
        ("esa-s2-l2a-gtiff-analytic", "crs-conversion", "cloud-mask", "index"),
        ("esa-s2-l2a-gtiff-analytic", "ndvi", "kmeans-clustering", "crs-conversion", "vectorising"),
        ("esa-s2-l2a-gtiff-visual", "kmeans-clustering", "tiling", "vectorising"),
        ("demo-s2-l2a", "composite", "tiling", "ndvi"),
        ("up42-processing-from-storage", "pansharpen", "ndvi"),
        ("local-scenes", "vectorising"),
    ],
)
def test_lines_that_work(names):
    assert [task.block.description.name for task in read_chain(line(*names), BLOCKS)] == list(names)


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (("esa-s2-l2a-gtiff-visual", "ndvi"), ["nir"]),
        (("esa-s2-l2a-gtiff-visual", "crs-conversion", "ndvi"), ["nir"]),
        (("demo-s2-l2a", "cloud-mask"), ["scl"]),
        (("demo-s2-l2a", "pansharpen"), ["pan"]),
        (("esa-s2-l2a-gtiff-analytic", "cloud-mask", "cloud-mask"), ["scl"]),
        (("esa-s2-l2a-gtiff-analytic", "ndvi", "vectorising"), ["classes"]),
        (("esa-s2-l2a-gtiff-analytic", "kmeans-clustering", "index"), ["nir"]),
        (("demo-s2-l2a", "ndvi", "zonal-statistics", "ndvi"), ["nir", "raster"]),
        (("local-scenes", "vectorising", "kmeans-clustering"), ["raster"]),
    ],
)
def test_lines_that_do_not(names, missing):
    with pytest.raises(Refusal) as caught:
        read_chain(line(*names), BLOCKS)
    assert caught.value.status == 422
    descriptions = [block_by_name(name).description for name in names]
    assert missing_capabilities(given_capabilities(descriptions[:-1]), descriptions[-1]) == missing
