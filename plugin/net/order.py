"""What is asked of a server: one request, checked before it leaves, and what a redirect makes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from json import dumps
from typing import Any, Mapping, Optional, Union
from urllib.parse import SplitResult, unquote, urlencode, urljoin, urlsplit, urlunsplit

from requests.exceptions import RequestException
from requests.models import PreparedRequest

from .errors import NotSendable, RedirectRefused
from .proxy import basic as basic_authorization

READS = ("GET", "HEAD")
_FOR_ONE_ORIGIN = ("cookie", "x-api-key")  # like Authorization, never carried to another server
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")  # what a header can carry; no line break

Origin = tuple[str, str, int]
Data = Union[Mapping[str, Any], str, bytes]


@dataclass(frozen=True)
class Order:
    """One request. `authorization` stays with the origin it was given for."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    authorization: Optional[str] = field(repr=False)
    body: Optional[bytes] = field(repr=False)

    @property
    def origin(self) -> Origin:
        return origin_of(self.url)

    @property
    def host(self) -> str:
        return self.origin[1]

    def prepared(self) -> PreparedRequest:
        request = PreparedRequest()
        headers = dict(self.headers)
        if self.authorization:
            headers["Authorization"] = self.authorization
        request.prepare(method=self.method, url=self.url, headers=headers, data=self.body)
        return request

    def redirected(self, status: int, location: str) -> Order:
        """The request that a redirect asks for. Raises RedirectRefused, NotSendable.

        A read is followed anywhere but out of https. A write is followed where the server says that it was done
        (303: now read) or that it is to be repeated at another address of its own (307, 308): anything else would
        lose it, or carry its content to a stranger.
        """
        try:
            parts = urlsplit(urljoin(self.url, location.encode("latin-1", "replace").decode("utf-8", "replace")))
        except ValueError:
            raise NotSendable(self.host, "address") from None
        there = _bare(parts)
        origin = origin_of(there)
        if self.origin[0] == "https" and origin[0] == "http":
            raise RedirectRefused(self.host, "redirect_insecure", other=origin[1])
        order = replace(self, url=there)
        if origin != self.origin:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _FOR_ONE_ORIGIN}
            order = replace(order, authorization=None, headers=headers)
        if self.method in READS:
            return order
        if status == 303:  # done, says the server; but what would be read there is not the answer to this
            raise RedirectRefused(self.host, "redirect_result")
        if status in (307, 308) and origin == self.origin:
            return order
        raise RedirectRefused(self.host, "redirect_moved", other=origin[1])


def make_order(
    method: str,
    url: str,
    *,
    bearer: Optional[str] = None,
    basic: Optional[tuple[str, str]] = None,
    headers: Optional[Mapping[str, str]] = None,
    params: Optional[Mapping[str, Any]] = None,
    json: Any = None,
    data: Optional[Data] = None,
) -> Order:
    """An Order of what a caller gives. A user name and password in the URL become Basic. Raises NotSendable."""
    host = origin_of(url)[1]
    parts = urlsplit(url)
    userinfo = parts.netloc.rpartition("@")[0]
    whole = PreparedRequest()
    try:
        whole.prepare_url(_bare(parts), params)
    except (RequestException, ValueError, UnicodeError):
        whole.url = None
    if whole.url is None:
        raise NotSendable(host, "address")
    given = {name: value for name, value in (headers or {}).items() if name.lower() != "authorization"}
    authorization = next((value for name, value in (headers or {}).items() if name.lower() == "authorization"), None)
    if bearer is not None:
        authorization = f"Bearer {bearer}"
    elif basic is not None:
        authorization = basic_authorization(*basic)
    elif authorization is None and userinfo:
        authorization = basic_authorization(*_login(userinfo))
    body, content_type = _body(json, data)
    if content_type and not any(name.lower() == "content-type" for name in given):
        given["Content-Type"] = content_type
    for name, value in {**given, "Authorization": authorization or ""}.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise NotSendable(host, "header")  # requests would say so too, but would quote the value
    return Order(method.upper(), whole.url, given, authorization, body)


def origin_of(url: str) -> Origin:
    """(scheme, host, port) of an http or https URL. Raises NotSendable."""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        raise NotSendable("?", "address") from None
    if scheme not in ("http", "https") or not host:
        raise NotSendable(host or "?", "address")
    return scheme, host, port or (443 if scheme == "https" else 80)


def _bare(parts: SplitResult) -> str:
    """The URL without a login and without a fragment."""
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))


def _login(userinfo: str) -> tuple[str, str]:
    user, _, password = userinfo.partition(":")
    return unquote(user), unquote(password)


def _body(json: Any, data: Optional[Data]) -> tuple[Optional[bytes], Optional[str]]:
    if json is not None:
        return dumps(json, allow_nan=False).encode(), "application/json"
    if data is None:
        return None, None
    if isinstance(data, bytes):
        return data, None
    if isinstance(data, str):
        return data.encode(), None
    return urlencode(data, doseq=True).encode("ascii"), "application/x-www-form-urlencoded"
