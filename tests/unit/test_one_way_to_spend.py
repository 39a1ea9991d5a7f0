"""Only one place of the plugin sends what can cost something: whoever wants a Live Job goes through its checks."""

from __future__ import annotations

import ast
from pathlib import Path

PLUGIN = Path(__file__).resolve().parents[2] / "plugin"
ROOMS = ("main.py", "host", "desktop", "algorithms", "layers", "delivery")
THE_WAY = "host/submit.py"
FREE = "host/free_search.py"  # Test Queries that look for scenes; they cost nothing
PLATFORM_NAMES = {"platform", "self._platform", "place.platform"}


def files():
    for room in ROOMS:
        path = PLUGIN / room
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def calls(path):
    """`platform.submit` and anything's `rerun`, wherever they are called or handed on."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and (
            node.attr == "rerun" or (node.attr == "submit" and ast.unparse(node.value) in PLATFORM_NAMES)
        ):
            yield node.attr


def test_jobs_are_created_in_one_place_and_none_is_rerun_by_the_platform():
    found = {path.relative_to(PLUGIN).as_posix(): sorted(calls(path)) for path in files()}
    assert {name: called for name, called in found.items() if called} == {THE_WAY: ["submit"], FREE: ["submit"]}


def test_the_free_one_sends_test_queries_only():
    text = (PLUGIN / FREE).read_text(encoding="utf-8")
    assert "request = request.of_type(JobType.TEST_QUERY)" in text  # whatever it is given
    assert "LIVE_JOB" not in text
