"""Tokens and signed URLs of the local engine: what is let in, and for how long."""

from __future__ import annotations

import base64
import json
from urllib.parse import parse_qsl

import pytest

from up42_jobs.plugin.engine.auth import Doorkeeper
from up42_jobs.plugin.engine.signed import Signer

KEYS = {"practice": "key-1", "free": "key:2"}
NOW = 1_700_000_000.0


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.fixture
def doorkeeper():
    return Doorkeeper(KEYS, "signing")


@pytest.mark.parametrize(
    ("pair", "project"),
    [
        ("practice:key-1", "practice"),
        ("free:key:2", "free"),
        ("free:key-1", None),
        ("practice:", None),
        (":", None),
        ("practice:key-1 ", None),
        ("prâctice:këy", None),
    ],
)
def test_basic(doorkeeper, pair, project):
    assert doorkeeper.project_of_basic(basic(pair)) == project


@pytest.mark.parametrize("header", ["Basic", "Basic !", "Basic " + base64.b64encode(b"\xff\xfe").decode()])
def test_basic_that_is_none(doorkeeper, header):
    assert doorkeeper.project_of_basic(header) is None


def test_a_token_lasts_five_minutes(doorkeeper):
    header = f"Bearer {doorkeeper.issue('free', NOW)}"
    assert doorkeeper.holder_of_bearer(header, NOW + 299) == "free"
    assert doorkeeper.holder_of_bearer(header, NOW + 300) is None


def test_a_token_of_others_is_none(doorkeeper):
    other = Doorkeeper(KEYS, "another signing key")
    assert doorkeeper.holder_of_bearer(f"Bearer {other.issue('free')}") is None
    gone = Doorkeeper({"gone": "x"}, "signing")
    assert doorkeeper.holder_of_bearer(f"Bearer {gone.issue('gone')}") is None


def test_claims_cannot_be_changed(doorkeeper):
    head, claims, signature = doorkeeper.issue("free", NOW).split(".")
    changed = json.loads(base64.urlsafe_b64decode(claims + "=="))
    changed["aud"] = "practice"
    packed = base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b"=").decode()
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    for token in (f"{head}.{packed}.{signature}", f"{unsigned}.{claims}.", f"{head}.{claims}", "", "é.é.é"):
        assert doorkeeper.holder_of_bearer(f"Bearer {token}", NOW) is None


def test_a_signed_path_lasts_five_minutes_and_is_for_itself_only():
    signer = Signer("signing")
    query = dict(parse_qsl(signer.query("/signed/a/b/output.tgz", NOW)))
    assert signer.allows("/signed/a/b/output.tgz", query, NOW + 299)
    assert not signer.allows("/signed/a/b/output.tgz", query, NOW + 300)
    assert not signer.allows("/signed/a/c/output.tgz", query, NOW)
    assert not signer.allows("/signed/a/b/output.tgz", {**query, "Expires": "9999999999"}, NOW)
    assert not signer.allows("/signed/a/b/output.tgz", {}, NOW)
    assert not Signer("another").allows("/signed/a/b/output.tgz", query, NOW)
