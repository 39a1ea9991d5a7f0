"""From a failed call to the contract's few errors, in sentences: what is wrong, where, and what to do."""

from __future__ import annotations

import re
from typing import Any, Optional
from urllib.parse import urlsplit

from ..net import errors as net
from ..net.redaction import redact
from . import contract
from .closed import CLOSED, is_closed
from .wire import WireError, dict_of, dicts_of, json_of, text_of

LONGEST_MESSAGE = 300  # characters of the platform's own words that a person is asked to read
_HTML = re.compile(rb"\s*(<!doctype html|<html|<head|<body)", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_CREDITS = re.compile(r"(insufficient|not enough).{0,20}credits", re.IGNORECASE)
_TOO_MANY_JOBS = re.compile(r"too many .{0,20}jobs", re.IGNORECASE)
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_NOT_DONE = (  # keys of net errors: there was no connection yet, or the server only named another address
    *("host_unknown", "refused", "no_way", "tls_failed", "certificate", "certificate_changed", "connect_timed_out"),
    *("proxy_no_way", "proxy_blocked", "proxy_timed_out", "proxy_login", "address", "header", "redirect_moved"),
)


def is_web_page(body: bytes) -> bool:
    """True for HTML: a proxy's, a portal's or a web site's answer, but no platform's."""
    return _HTML.match(body) is not None


def message_of(body: bytes) -> str:
    """The platform's own words in any of the shapes of contract 1.5, on one line and without secrets; or ""."""
    if is_web_page(body):
        return ""
    try:
        told = _told(json_of(body))
    except WireError:
        told = body.decode("utf-8", "replace")
    told = redact(_SPACE.sub(" ", told).strip())
    return told if len(told) <= LONGEST_MESSAGE else told[: LONGEST_MESSAGE - 1].rstrip() + "…"


def _told(body: Any) -> str:
    if not isinstance(body, dict):
        return text_of(body)
    error = body.get("error")
    inner = dict_of(error)
    candidates = (
        inner.get("message"),
        inner.get("detail"),
        body.get("message"),
        body.get("detail"),
        body.get("error_description"),
        body.get("title"),
        error,
        inner.get("code"),
        body.get("code"),
    )
    told = next((text_of(c) for c in candidates if text_of(c)), "")
    return " ".join(part for part in (told, *_workflow_faults(inner), *_listed(body, inner)) if part)


def _workflow_faults(error: Any) -> list[str]:
    """What a 422 says of a workflow whose blocks do not fit (contract 1.5)."""
    found = []
    names = error.get("invalidTaskNames")
    if isinstance(names, list) and names:
        found.append(f"(tasks: {', '.join(text_of(name) for name in names)})")
    for mismatch in dicts_of(error.get("capabilityMismatches")):
        missing = mismatch.get("missingInputCapabilities")
        listed = ", ".join(text_of(m) for m in missing) if isinstance(missing, list) else ""
        found.append(f"({text_of(mismatch.get('workflowTaskName'))} lacks {listed or 'a fitting input'})")
    return found


def _listed(body: Any, error: Any) -> list[str]:
    """Lists of errors or details beside the message."""
    lists = (error.get("details"), dict_of(body.get("data")).get("errors"), body.get("errors"))
    items = [item for items in lists if isinstance(items, list) for item in items]
    return [text_of(item) or text_of(dict_of(item).get("message")) for item in items]


class Refusals:
    """Makes the errors of one connection."""

    def __init__(self, base_url: str, is_account: bool):
        host = (urlsplit(base_url).hostname or base_url).lower()
        self._host = host
        self._where = "The local engine" if host in _LOOPBACK else host
        self._is_closed = is_closed(base_url)
        self._login = "user name and password" if is_account else "project ID and project key"

    def of(self, error: net.NetError, what: str, changes: bool) -> contract.PlatformError:
        """The error for a call that asked for `what`, such as "the job"; `changes`: it was to change something.

        A change that was certainly not made is Refused, not Unreachable: it may be sent again without a doubt.
        """
        if isinstance(error, net.HttpError):
            return self._of_status(error.status, error.body, what)
        # Another host: the change was made here, and it is its outcome that can't be read there.
        if changes and error.key in _NOT_DONE and error.url_host == self._host:
            return self.not_even_sent(self._closed(str(error)))
        if isinstance(error, (net.BadBody, net.TooLarge, net.TooManyRedirects, net.RedirectRefused)):
            return contract.BadAnswer(self._closed(str(error)))
        return contract.Unreachable(self._closed(str(error)))

    @staticmethod
    def not_even_sent(reason: str) -> contract.Refused:
        """The error for a change that has not left this computer, or was turned away unread."""
        return contract.Refused(f"{reason} Nothing was changed.")

    def not_the_contract(self, body: bytes, what: str, reason: str) -> contract.BadAnswer:
        """The error for an answer that came, but is not what the contract promises."""
        if is_web_page(body):
            reason = "it is a web page. Check the connection's address, or sign in to your network first"
        return contract.BadAnswer(self._closed(f"{self._where} gave no usable answer about {what}: {reason}."))

    def not_done(self, message: str, what: str) -> contract.Refused:
        """The error for an answer of status 200 that carries an error (contract 1.5)."""
        return contract.Refused(f"{self._where} refused {what}: {_sentence(message)}")

    def not_accepted(self) -> contract.LoginRefused:
        """The error for a login that is not good (any more)."""
        return contract.LoginRefused(
            self._closed(f"{self._where} did not accept the {self._login}: check them in the connection's settings.")
        )

    def _of_status(self, status: int, body: bytes, what: str) -> contract.PlatformError:
        message = message_of(body)
        found = self._by_rule(status, message, what)
        if found is not None:
            return found
        if is_web_page(body):
            message = "it answered with a web page: check the connection's address, or sign in to your network first"
        told = _sentence(message or f"it gives no reason (status {status})")
        if status in (404, 410):
            return contract.NotFound(self._closed(f"{self._where} does not have {what}: {told}"))
        if status == 403:
            return contract.NotAuthorised(self._closed(f"{self._where} does not allow {what} with this login: {told}"))
        if 400 <= status < 500:
            text = f"{self._where} refused {what}: {told}"
            return contract.Refused(self._closed(text) if is_web_page(body) else text)
        return contract.Unreachable(
            self._closed(f"{self._where} is out of order (status {status}), so {what} is not to be had: {told}")
            + " Try again later."
        )

    def _by_rule(self, status: int, message: str, what: str) -> Optional[contract.PlatformError]:
        """The refusals that the contract names (1.2, 1.6, 2.5)."""
        if status == 401:
            return self.not_accepted()
        if status == 402 or (status == 403 and _CREDITS.search(message)):
            return contract.InsufficientCredits(
                f"{self._where} refused {what}: the credits are not enough. Make the AOI smaller, ask for fewer"
                " scenes, or add credits to the account."
            )
        if status == 429 and _TOO_MANY_JOBS.search(message):
            return contract.TooManyJobs(
                f"{self._where} refused {what}: the project has as many unfinished jobs as it may have. Wait for one"
                " to end or cancel one, then run this again."
            )
        if status == 429:
            return contract.Refused(
                f"{self._where} refused {what}: it was asked too often. Wait a minute, then try again."
            )
        return None

    def _closed(self, text: str) -> str:
        return f"{text} {CLOSED}" if self._is_closed else text


def _sentence(text: str) -> str:
    """`text` with a full stop."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
