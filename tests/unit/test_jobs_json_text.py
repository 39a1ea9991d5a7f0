"""The JSON reader: takes what Python's takes (and no NaN, no infinity), and knows where everything stands."""

from __future__ import annotations

import json
import math
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from up42_jobs.plugin.jobs import json_text

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)


def by_python(text: str):
    """What Python's own reader says, without its leave to read what is no JSON; (False, None) for a refusal."""

    def refuse(name):
        raise ValueError(name)

    def finite(number):
        return float(number) if math.isfinite(float(number)) else refuse(number)

    try:
        return True, json.loads(text, parse_constant=refuse, parse_float=finite)
    except (ValueError, RecursionError):
        return False, None


@given(VALUES, st.sampled_from([None, 0, 1, 2, 4]), st.booleans())
@settings(max_examples=1500, deadline=None)
def test_reads_what_python_writes(value, indent, ascii_only):
    parsed = json_text.parse(json.dumps(value, indent=indent, ensure_ascii=ascii_only))
    assert not parsed.problems
    assert json_text.same(parsed.value, value)


@given(st.text(alphabet="{}[]\",:\\/ \n\t0123.eE+-truefalsnNaIity'“#é", max_size=24))
@settings(max_examples=3000, deadline=None)
def test_takes_no_other_texts_than_python(text):
    good, value = by_python(text)
    parsed = json_text.parse(text)
    broken = [p for p in parsed.problems if p.code == "json_broken"]
    assert bool(broken) is not good
    if good:
        assert json_text.same(parsed.value, value)
    for problem in parsed.problems:
        assert 1 <= problem.line <= text.count("\n") + 1
        assert 1 <= problem.column <= len(text.split("\n")[problem.line - 1]) + 1
        assert problem.text


@given(VALUES, st.data())
@settings(max_examples=1000, deadline=None)
def test_a_cut_or_spoilt_text_is_read_as_python_reads_it(value, data):
    text = json.dumps(value, indent=data.draw(st.sampled_from([None, 1])))
    at = data.draw(st.integers(0, len(text)))
    spoilt = text[:at] + data.draw(st.sampled_from(["", "}", '"', ",", "\\", "\n"])) + text[at + 1 :]
    good, read = by_python(spoilt)
    parsed = json_text.parse(spoilt)
    assert any(p.code == "json_broken" for p in parsed.problems) is not good
    if good:
        assert json_text.same(parsed.value, read)


@given(st.dictionaries(st.text(max_size=5), st.dictionaries(st.text(max_size=5), VALUES, max_size=3), max_size=3))
@settings(max_examples=500, deadline=None)
def test_places_are_where_keys_and_values_stand(values):
    text = json_text.dumps(values, indent=2)
    places = json_text.parse(text).places
    for task, given_values in values.items():
        for name, value in given_values.items():
            place = places[(task, name)]
            assert json.loads(text[place.start : place.end]) == value
            assert text[place.key :].startswith(json_text.dumps(name))


def test_a_name_given_again_counts_and_is_told_wherever_it_is():
    text = '{"a": {"b": 1}, "a": {"c": {"d": {"e": 1, "e": 2}}}}'
    parsed = json_text.parse(text)
    assert parsed.value == {"a": {"c": {"d": {"e": 2}}}}
    assert [(p.code, p.values["name"]) for p in parsed.problems] == [("json_duplicate", "a"), ("json_duplicate", "e")]
    assert ("a", "b") not in parsed.places


def test_halves_of_characters_are_escaped_so_that_any_editor_holds_them():
    text = json_text.dumps({"a": "\ud83d", "b": "😀"})
    assert text.encode()
    assert json.loads(text) == {"a": "\ud83d", "b": "😀"}


def test_a_text_beyond_all_measure_is_refused_at_once_and_a_long_one_read_soon():
    assert [p.code for p in json_text.parse("[" * 10_000_000).problems] == ["json_long"]
    text = json_text.dumps({"a": {"ids": [f"S2A_MSIL2A_2024_{n:05d}" for n in range(8_000)]}}, indent=2)
    begin = time.monotonic()
    assert not json_text.parse(text).problems
    assert time.monotonic() - begin < 3  # 0.04 s on a machine that does nothing else
