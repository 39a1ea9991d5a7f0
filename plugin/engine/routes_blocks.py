"""Blocks, their versions and their coverage (contract 2.4)."""

from __future__ import annotations

from .answers import Answer, bare_json, enveloped
from .blocks.base import Block
from .chains import DATA
from .refusal import not_found
from .routing import Access, Call, Route
from .shapes import block_shape, short_block_shape

_WORLD = [[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]


def _block(call: Call) -> Block:
    """The block {id}, in the one version that there is. Raises Refusal (404)."""
    block = call.engine.blocks.get(call.name("id"))
    if block is None:
        raise not_found(f"Block not found with id {call.name('id')}")
    tag = call.request.names.get("tag")
    if tag is not None and tag != block.description.version:
        raise not_found(f"Block {block.description.name} has no version {tag}")
    return block


def list_blocks(call: Call) -> Answer:
    """`GET /blocks`, `GET /marketplace/blocks`."""
    return enveloped([short_block_shape(block.description, call.caller) for block in call.engine.blocks.values()])


def get_block(call: Call) -> Answer:
    """`GET /blocks/{id}`, `GET /blocks/{id}/versions/{tag}`."""
    return enveloped(block_shape(_block(call).description, call.project))


def list_versions(call: Call) -> Answer:
    """`GET /blocks/{id}/versions`: an engine has one version of each block."""
    return enveloped([block_shape(_block(call).description, call.project)])


def get_metadata(call: Call) -> Answer:
    """`GET /blocks/{id}/versions/{tag}/metadata`."""
    return enveloped(short_block_shape(_block(call).description, call.project)["metadata"])


def get_coverage(call: Call) -> Answer:
    """`GET /blocks/{id}/coverage`: where to read the coverage of a data block, without credentials."""
    block = _block(call)
    if block.description.type != DATA:
        raise not_found(f"Block {block.description.name} has no coverage: it works on what comes before it.")
    return enveloped({"url": f"{call.request.origin}/coverage/{block.description.id}.geojson"})


def get_coverage_file(call: Call) -> Answer:
    """`GET /coverage/{id}.geojson`: the whole world. Whether there are scenes is for a Test Query to tell."""
    block = _block(call)
    feature = {
        "type": "Feature",
        "properties": {"name": block.description.display_name},
        "geometry": {"type": "Polygon", "coordinates": [_WORLD]},
    }
    return bare_json({"type": "FeatureCollection", "features": [feature]})


ROUTES = [
    Route("GET", "/blocks", list_blocks),
    Route("GET", "/blocks/{id}", get_block),
    Route("GET", "/blocks/{id}/versions", list_versions),
    Route("GET", "/blocks/{id}/versions/{tag}", get_block),
    Route("GET", "/blocks/{id}/versions/{tag}/metadata", get_metadata),
    Route("GET", "/blocks/{id}/coverage", get_coverage),
    Route("GET", r"/coverage/{id}\.geojson", get_coverage_file, Access.ANYONE),
    Route("GET", "/marketplace/blocks", list_blocks, Access.ANYONE),
]
