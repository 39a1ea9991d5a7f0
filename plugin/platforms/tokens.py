"""Bearer tokens: asked for once, shared by all work on a connection, renewed before they end."""

from __future__ import annotations

import base64
import binascii
import json
import threading
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Mapping, Optional

from ..net.session import Session
from .credentials import Credentials
from .wire import WireError, json_of, number_of, text_of

LIFETIME_SECONDS = 299.0  # where the token does not tell (contract 1.5: the SDK renews at this age)
RENEW_BEFORE_SECONDS = 30.0

Key = tuple[str, Credentials]


@dataclass
class _Slot:
    """One connection's token. `lock` is held by the one thread that renews it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    bearer: Optional[str] = field(default=None, repr=False)
    renew_at: float = 0.0  # by the monotonic clock


class TokenStore:
    """The tokens of all connections, in memory only. Every method may be called on any thread."""

    def __init__(self) -> None:
        self._slots: dict[Key, _Slot] = {}
        self._lock = threading.Lock()

    def bearer(
        self, session: Session, base_url: str, credentials: Credentials, refused: Optional[str] = None
    ) -> str:
        """A token with some life left, and not the one that was `refused`. Raises NetError, Cancelled, WireError.

        Of several threads that need a new one, one asks for it and the others wait for its answer.
        """
        with self._lock:
            slot = self._slots.setdefault((base_url, credentials), _Slot())
        with slot.lock:
            if slot.bearer is None or slot.bearer == refused or monotonic() >= slot.renew_at:
                slot.bearer = None
                asked_at = monotonic()
                bearer, lifetime = _ask(session, base_url, credentials)
                slot.renew_at = asked_at + lifetime - min(RENEW_BEFORE_SECONDS, lifetime / 2)
                slot.bearer = bearer
            return slot.bearer


def _ask(session: Session, base_url: str, credentials: Credentials) -> tuple[str, float]:
    """A new token and its lifetime in seconds (contract 1.2, 1.3). Asking twice does no harm, so it is retried."""
    url = f"{base_url}/oauth/token"
    if credentials.is_account:
        form = {"grant_type": "password", "username": credentials.user, "password": credentials.secret}
        answer = session.request("POST", url, data=form, retry=True)
    else:
        form = {"grant_type": "client_credentials"}
        answer = session.request("POST", url, data=form, basic=(credentials.user, credentials.secret), retry=True)
    body = json_of(answer.body)
    if not isinstance(body, dict):
        raise WireError("it is no JSON object")
    data = body.get("data")
    bearer = text_of(body.get("access_token")) or text_of(data.get("accessToken") if isinstance(data, dict) else None)
    if not bearer:
        raise WireError("there is none in it")
    return bearer, lifetime_of(bearer, body)


def lifetime_of(bearer: str, body: Mapping[str, Any]) -> float:
    """Seconds that a token lives: by its own claims, else by `expires_in` beside it, else `LIFETIME_SECONDS`.

    Issue and expiry are compared with each other, not with this computer's clock, which may be wrong.
    """
    claims = _claims(bearer)
    issued, expires = number_of(claims.get("iat")), number_of(claims.get("exp"))
    lifetime = number_of(body.get("expires_in"))
    if issued is not None and expires is not None:
        lifetime = expires - issued
    return lifetime if lifetime is not None and lifetime > 0 else LIFETIME_SECONDS


def _claims(bearer: str) -> dict[str, Any]:
    """The claims of a JWT, unchecked: only its receiver can check them. Empty where it is no JWT."""
    parts = bearer.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
