"""The plugin's lease sends its key to the engine only."""

from __future__ import annotations

import json

import pytest

from up42_jobs.plugin.host.engine_lease import Lease, LeaseRefused
from up42_jobs.tests.servers.web import Reply, WebServer


@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, json.dumps({"error": None, "data": {"proof": "0" * 64}}).encode()),
        Reply(200, json.dumps({"error": None, "data": {"proof": "0" * 64}}).encode(), close=True),
        Reply(200, b"[]"),
        Reply(200, b"<html>"),
        Reply(200, json.dumps({"data": {"proof": "é"}}).encode()),
        Reply(302, b"", {"Location": "/engine/lease"}),
        Reply(500, b""),
    ],
)
def test_a_stranger_gets_no_key(answer):
    with WebServer({"/engine/proof": answer, "/engine/lease": Reply(200, b"x")}) as stranger:
        with pytest.raises(LeaseRefused):
            Lease(stranger.url, "user", "the-secret-key")
        assert [request.path for request in stranger.requests] == ["/engine/proof"]
        assert "authorization" not in stranger.requests[0].headers
