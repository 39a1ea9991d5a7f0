"""What can go wrong on the way, as sentences for a person: what, where, what to do.

No error holds more of a URL than its host, and none holds a secret. Rooms without Qt don't translate: an error has a
`key` of TEMPLATES and `values`; `host.words` translates the template and formats the values into it.
"""

from __future__ import annotations

import http
import json
from typing import Mapping, Optional

from ..jobs.problem import QT_TRANSLATE_NOOP
from .redaction import redact

ERROR_BODY_LIMIT = 64 * 1024  # bytes of an error's body that are kept
MESSAGE_LIMIT = 300  # characters of a server's own words that are shown

TEMPLATES: Mapping[str, str] = {
    "host_unknown": QT_TRANSLATE_NOOP(
        "NetError", "The address {host} is not known: check how it is written, and your network."
    ),
    "refused": QT_TRANSLATE_NOOP(
        "NetError", "{host} refused the connection: check the address, and that the server is running."
    ),
    "no_way": QT_TRANSLATE_NOOP("NetError", "{host} can’t be reached ({reason}): check your network."),
    "dropped": QT_TRANSLATE_NOOP("NetError", "{host} dropped the connection without an answer: try again."),
    "not_http": QT_TRANSLATE_NOOP(
        "NetError", "{host} did not answer as a web server does: check the address and its port."
    ),
    "tls_failed": QT_TRANSLATE_NOOP(
        "NetError", "No secure connection with {host} ({reason}): check that the address begins rightly with https://."
    ),
    "proxy_no_way": QT_TRANSLATE_NOOP(
        "NetError",
        "The proxy {proxy} can’t be reached ({reason}): check Settings → Options → Network, or ask your network’s "
        "administrator.",
    ),
    "proxy_blocked": QT_TRANSLATE_NOOP(
        "NetError",
        "The proxy {proxy} could not connect to {host} ({reason}): ask your network’s administrator to allow it.",
    ),
    "proxy_login": QT_TRANSLATE_NOOP(
        "NetError",
        "The proxy {proxy} wants a user name and password: store the right ones in Settings → Options → Network.",
    ),
    "connect_timed_out": QT_TRANSLATE_NOOP(
        "NetError", "No connection with {host} within {seconds} s: check your network, or try again later."
    ),
    "proxy_timed_out": QT_TRANSLATE_NOOP(
        "NetError", "The proxy {proxy} gave no answer within {seconds} s: check Settings → Options → Network."
    ),
    "read_timed_out": QT_TRANSLATE_NOOP("NetError", "{host} sent nothing for {seconds} s: try again later."),
    "truncated": QT_TRANSLATE_NOOP(
        "NetError", "The answer of {host} was cut off after {received} of {expected} bytes: try again."
    ),
    "cut_off": QT_TRANSLATE_NOOP("NetError", "The answer of {host} was cut off after {received} bytes: try again."),
    "certificate": QT_TRANSLATE_NOOP(
        "NetError",
        "The certificate of {host} is not trusted ({reason}): check the address, or add the certificate’s authority in "
        "Settings → Options → Authentication → Manage Certificates.",
    ),
    "certificate_changed": QT_TRANSLATE_NOOP(
        "NetError",
        "The certificate of {host} is not the one that you accepted: ask who runs the server whether it has a new one, "
        "then renew the exception in Settings → Options → Authentication → Manage Certificates → Servers.",
    ),
    "too_many_redirects": QT_TRANSLATE_NOOP(
        "NetError", "{host} sends from one address to the next without end: check the address."
    ),
    "redirect_insecure": QT_TRANSLATE_NOOP(
        "NetError", "{host} sends to {other} without encryption, which is not followed: ask who runs the server."
    ),
    "redirect_moved": QT_TRANSLATE_NOOP(
        "NetError", "{host} sends to {other}: nothing was changed there. Put the new address into the connection."
    ),
    "redirect_result": QT_TRANSLATE_NOOP(
        "NetError", "{host} answers with the address of a page instead of the result: what came of it is not known."
    ),
    "http_401": QT_TRANSLATE_NOOP("NetError", "{host} did not accept the key or login (401: {message}): check it."),
    "http_403": QT_TRANSLATE_NOOP(
        "NetError", "{host} does not allow this (403: {message}): check the connection’s key, login and project."
    ),
    "http_404": QT_TRANSLATE_NOOP(
        "NetError", "{host} does not have what was asked for (404: {message}): check the address and refresh."
    ),
    "http_429": QT_TRANSLATE_NOOP(
        "NetError", "{host} has too much to do for you (429: {message}): wait a little and try again."
    ),
    "http_4xx": QT_TRANSLATE_NOOP("NetError", "{host} did not take the request ({status}: {message}): correct it."),
    "http_5xx": QT_TRANSLATE_NOOP("NetError", "{host} is in trouble ({status}: {message}): try again later."),
    "not_json": QT_TRANSLATE_NOOP(
        "NetError", "{host} did not answer in JSON: check the address. The answer begins with “{beginning}”."
    ),
    "encoding": QT_TRANSLATE_NOOP(
        "NetError", "The answer of {host} can’t be unpacked ({reason}): try again, or tell who runs the server."
    ),
    "too_large": QT_TRANSLATE_NOOP(
        "NetError", "The answer of {host} is larger than {limit} bytes, which is not taken: check the address."
    ),
    "address": QT_TRANSLATE_NOOP(
        "NetError", "This is not a web address: it must begin with https:// or http:// and name a server."
    ),
    "header": QT_TRANSLATE_NOOP(
        "NetError",
        "The key, login or another header for {host} holds a character that can’t be sent, such as a line break: "
        "enter it again.",
    ),
}


class NetError(Exception):
    """Base of all errors of the network room; `str` is the sentence in English."""

    def __init__(self, url_host: str, key: str, **values: object) -> None:
        self.url_host = url_host
        self.key = key
        self.values: Mapping[str, object] = {"host": url_host, **values}
        super().__init__(self.template.format(**self.values))

    @property
    def template(self) -> str:
        return TEMPLATES[self.key]


class Unreachable(NetError):
    """No answer: DNS, refused, no route, dropped, no TLS, or the proxy says so. What was sent may have arrived.

    `key`: host_unknown, refused, no_way, dropped, not_http, tls_failed, proxy_no_way, proxy_blocked.
    """


class TimedOut(NetError):
    """Nothing happened for as long as the settings allow (inactivity, never total).

    `key`: connect_timed_out, proxy_timed_out, read_timed_out.
    """

    def __init__(self, url_host: str, key: str, seconds: Optional[float], **values: object) -> None:
        whole = seconds is not None and seconds == int(seconds)
        super().__init__(url_host, key, seconds=int(seconds) if seconds and whole else seconds, **values)


class Truncated(NetError):
    """Fewer bytes than announced. `received` and `expected` in bytes; `expected` is None where none was announced."""

    def __init__(self, url_host: str, received: int, expected: Optional[int] = None) -> None:
        super().__init__(url_host, "cut_off" if expected is None else "truncated", received=received, expected=expected)
        self.received = received
        self.expected = expected


class ProxyRefused(NetError):
    """The proxy wants credentials that QGIS's settings don't have, or have wrongly."""

    def __init__(self, url_host: str, proxy: str) -> None:
        super().__init__(url_host, "proxy_login", proxy=proxy)


class CertificateRejected(NetError):
    """The server's certificate is neither trusted nor the accepted exception; nothing was sent."""


class TooManyRedirects(NetError):
    """More than five in a row."""

    def __init__(self, url_host: str) -> None:
        super().__init__(url_host, "too_many_redirects")


class RedirectRefused(NetError):
    """A redirect that would give up encryption, or carry a write elsewhere; it was not followed."""


class TooLarge(NetError):
    """A body beyond what the caller can hold in memory."""


class BadBody(NetError):
    """A body that can't be unpacked or parsed."""


class BadJson(BadBody):
    """A body that is not JSON."""

    def __init__(self, url_host: str, text: str) -> None:
        super().__init__(url_host, "not_json", beginning=redact(text[:4096])[:80])


class NotSendable(NetError):
    """The request itself is impossible; nothing was sent."""


class HttpError(NetError):
    """An answer of 400 or above.

    `body`: at most 64 KiB. `code` and `message`: the server's own, from `{"error": {"code", "message"}}`, RFC 7807
    (`type`/`title`/`detail`), OAuth (`error`/`error_description`) or `code`/`message`/`description`; None where there
    are none. `document`: the whole parsed error body, if it is a JSON object.
    """

    def __init__(self, url_host: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body[:ERROR_BODY_LIMIT]
        self.document = _document(self.body)
        self.code, self.message = _code_and_message(self.document or {})
        super().__init__(url_host, _key_of(status), status=status, message=self.message or _phrase(status))


def _key_of(status: int) -> str:
    if status in (401, 403, 404, 429):
        return f"http_{status}"
    return "http_5xx" if status >= 500 else "http_4xx"


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "?"


def _document(body: bytes) -> Optional[dict]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _code_and_message(document: dict) -> tuple[Optional[str], Optional[str]]:
    error = document.get("error")
    if isinstance(error, dict):
        code, message = error.get("code"), error.get("message")
    elif isinstance(error, str):
        code, message = error, document.get("error_description") or document.get("message")
    else:
        code = document.get("code") or document.get("type")
        message = (
            document.get("message") or document.get("detail") or document.get("description") or document.get("title")
        )
    told = redact(message)[:MESSAGE_LIMIT] if isinstance(message, str) and message else None
    return (str(code) if isinstance(code, (str, int)) and code else None), told
