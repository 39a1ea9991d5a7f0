"""Connections to servers: what is kept of them, and what is refused before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from qgis.core import QgsSettings

from up42_jobs.plugin.host.servers import (
    KEY,
    Login,
    Server,
    faults,
    is_uuid,
    new_id,
    project_ids_of,
    read_servers,
    tidy_url,
    url_faults,
    write_servers,
)

GOOD = Server("Company", "https://jobs.example.org", Login.PROJECT_KEY, "a1b2c3d", (), "server-1")


@pytest.fixture()
def kept(qgis_app: object) -> Iterator[QgsSettings]:
    """QGIS's settings without servers, before and after."""
    QgsSettings().remove(KEY)
    yield QgsSettings()
    QgsSettings().remove(KEY)


def test_servers_are_kept_in_their_order_with_what_they_are(kept: QgsSettings) -> None:
    second = Server("Ünivers", "http://127.0.0.1:8042/api", Login.ACCOUNT, "x9y8z7w", ("p-1", "p-2"), new_id())
    write_servers([second, GOOD])
    assert read_servers() == [second, GOOD]
    write_servers([])
    assert read_servers() == []


@pytest.mark.parametrize(
    "broken",
    ["", "null", "{", "[1]", '{"id": 1}', '[{"id": "a", "name": "b"}]', '[{"id": "", "login": "project_key"}]'],
)
def test_what_can_not_be_read_is_no_server(kept: QgsSettings, broken: str) -> None:
    kept.setValue(KEY, broken)
    assert read_servers() == []


def test_a_broken_one_does_not_take_the_others_with_it(kept: QgsSettings) -> None:
    write_servers([GOOD])
    items = [*json.loads(kept.value(KEY)), {"id": "x", "name": "Later", "login": "fingerprint"}]
    kept.setValue(KEY, json.dumps(items))
    assert read_servers() == [GOOD]


def test_a_copy_is_another_connection_to_the_same_place(qgis_app: object) -> None:
    copy = GOOD.copy("Company (copy)")
    assert copy.id != GOOD.id
    assert (copy.url, copy.authcfg) == (GOOD.url, GOOD.authcfg)


@pytest.mark.parametrize(
    ("typed", "kept_as"),
    [
        (" https://jobs.example.org/ ", "https://jobs.example.org"),
        ("jobs.example.org", "https://jobs.example.org"),
        ("http://127.0.0.1:8042//", "http://127.0.0.1:8042"),
        ("https://example.org/api/v1/", "https://example.org/api/v1"),
        ("", ""),
    ],
)
def test_an_address_is_kept_tidily(typed: str, kept_as: str) -> None:
    assert tidy_url(typed) == kept_as


@pytest.mark.parametrize(
    "url",
    ["https://jobs.example.org", "https://jobs.example.org:8443/api", "http://127.0.0.1:8042", "http://localhost:1",
     "http://[::1]:8042", "https://[2001:db8::1]/jobs"],
)  # fmt: skip
def test_good_addresses(url: str) -> None:
    assert url_faults(url) == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "https://"),
        ("ftp://example.org", "https://"),
        ("https://", "https://"),
        ("https://exa mple.org", "https://"),
        ("https://example.org:port", "https://"),
        ("https://[::1", "https://"),
        ("https://user:secret@example.org", "user name and password"),
        ("https://example.org?key=secret", "“?”"),
        ("https://example.org#top", "“?”"),
        ("http://jobs.example.org", "not encrypted"),
        ("http://192.168.1.20:8042", "not encrypted"),
        ("http://127.0.0.1.example.org", "not encrypted"),
    ],
)
def test_addresses_that_are_refused(qgis_app: object, url: str, told: str) -> None:
    (fault,) = url_faults(url)
    assert told in fault.text
    assert "secret" not in fault.text


@pytest.mark.parametrize("name", ["", "  ", "Practice", "this-computer", "company", "ENVIRONMENT"])
def test_names_that_scripts_could_not_tell_apart(qgis_app: object, name: str) -> None:
    server = Server(name, GOOD.url, authcfg="a1b2c3d")
    assert [fault.field for fault in faults(server, ["Company"])] == ["name"]


@pytest.mark.parametrize(
    ("login", "ids", "authcfg", "fields"),
    [
        (Login.PROJECT_KEY, (), "a", []),
        (Login.PROJECT_KEY, ("one",), "a", []),
        (Login.PROJECT_KEY, ("one", "two"), "a", ["project_ids"]),
        (Login.ACCOUNT, (), "a", ["project_ids"]),
        (Login.ACCOUNT, ("one", "two"), "a", []),
        (Login.ACCOUNT, ("one", "../two"), "a", ["project_ids"]),
        (Login.ACCOUNT, ("one",), "", ["authcfg"]),
    ],
)
def test_logins(qgis_app: object, login: Login, ids: tuple[str, ...], authcfg: str, fields: list[str]) -> None:
    server = Server("Other", GOOD.url, login, authcfg, ids)
    assert [fault.field for fault in faults(server)] == fields


def test_project_ids_one_on_each_line_or_otherwise() -> None:
    assert project_ids_of("a\nb\n\n  c, d;a\n") == ("a", "b", "c", "d")
    assert project_ids_of("  \n ") == ()


def test_the_form_of_project_ids() -> None:
    assert is_uuid("11111111-2222-4333-8444-55555555555A")
    assert not is_uuid("11111111-2222-4333-8444-5555555555")
    assert not is_uuid("my-project")
