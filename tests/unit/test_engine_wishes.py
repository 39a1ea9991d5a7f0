"""A workflow works as it is: its data block takes the defaults that the blocks after it need."""

from __future__ import annotations

import pytest

from up42_jobs.plugin.engine.blocks import block_by_name
from up42_jobs.plugin.engine.inputs import Rules, check_inputs
from up42_jobs.plugin.engine.refusal import Refusal
from up42_jobs.plugin.engine.wishes import as_wished
from up42_jobs.plugin.jobs.aoi import AoiLimits

BBOX = [13.37, 52.50, 13.40, 52.52]
RULES = Rules(AoiLimits(), 500)


def checked(*names, data=None):
    tasks = [(f"{name}:1", block_by_name(name)) for name in names]
    inputs = {name: {} for name, _ in tasks}
    inputs[tasks[0][0]] = {"bbox": BBOX, **(data or {})}
    return check_inputs(tasks, inputs, RULES).tasks[0].parameters


def test_a_cloud_mask_brings_its_band_and_a_composite_its_scenes():
    plain = checked("esa-s2-l2a-gtiff-analytic", "ndvi")
    assert plain["bands"] == ["B02", "B03", "B04", "B08"] and plain["limit"] == 1
    found = checked("esa-s2-l2a-gtiff-analytic", "cloud-mask", "composite")
    assert found["bands"] == ["B02", "B03", "B04", "B08", "SCL"]
    assert (found["limit"], found["max_cloud_cover"]) == (6, 60)
    assert checked("esa-s2-l2a-gtiff-analytic", "ndvi") == plain, "the block itself stays as it is"


def test_what_is_given_counts_and_what_a_block_does_not_know_is_left():
    data = {"limit": 2, "bands": ["SCL", "B04", "B08"]}
    found = checked("esa-s2-l2a-gtiff-analytic", "cloud-mask", "composite", data=data)
    assert found["limit"] == 2 and found["bands"] == ["SCL", "B04", "B08"]
    assert "bands" not in checked("local-scenes", "cloud-mask")
    assert as_wished([]) == []


def test_a_list_without_what_is_needed_is_refused_before_anything_is_fetched():
    with pytest.raises(Refusal, match='bands lacks SCL, which task "cloud-mask:1" needs'):
        checked("esa-s2-l2a-gtiff-analytic", "cloud-mask", data={"bands": ["B04", "B08"]})
