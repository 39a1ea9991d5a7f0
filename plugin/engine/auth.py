"""Who is asking: project keys, the account, and the five-minute tokens that both are exchanged for (contract 1.2)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
import uuid
from typing import Any, Mapping, Optional

LIFETIME_SECONDS = 300  # contract 1.2: exp - iat
ISSUER = "up42-jobs-engine"
_HEADER = '{"typ":"JWT","kid":"1","token_type":"ACCESS","alg":"HS256"}'  # contract 1.2, but for the algorithm


ACCOUNT = "*"  # who holds a token for all projects; no project's id


class Doorkeeper:
    """Knows the project keys (project id -> key) and the account (user, password); signs and reads tokens."""

    def __init__(self, project_keys: Mapping[str, str], signing_key: str, account: tuple[str, str] = ("", "")):
        self._project_keys = dict(project_keys)
        self._account = account
        self._signing_key = signing_key.encode()

    def project_of_basic(self, header: str) -> Optional[str]:
        """The project of an `Authorization: Basic …` header; None if it is not exactly one of ours."""
        try:
            pair = base64.b64decode(header.partition(" ")[2].strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            return None
        project_id, _, key = pair.partition(":")
        found = None
        for known_id, known_key in self._project_keys.items():
            if _equal(project_id, known_id) & _equal(key, known_key):
                found = known_id
        return found

    def is_account(self, user: str, password: str) -> bool:
        """True for the account's own user name and password."""
        return all(self._account) and _equal(user, self._account[0]) & _equal(password, self._account[1])

    def issue(self, holder: str, now: Optional[float] = None) -> str:
        """A token for this project id, or for `ACCOUNT`, good for 300 seconds from `now` (seconds since 1970)."""
        issued = int(time.time() if now is None else now)
        claims = {
            "iss": ISSUER,
            "jti": str(uuid.uuid4()),
            "iat": issued,
            "exp": issued + LIFETIME_SECONDS,
            "sub": self._account[0] if holder == ACCOUNT else holder,
            "aud": holder,
            "authorities": ["VIEW_PROJECT", "RUN_JOB"],
            "client_id": holder,
            "client_type": "USER" if holder == ACCOUNT else "API_KEY",
        }
        signed = f"{_base64(_HEADER.encode())}.{_base64(json.dumps(claims).encode())}"
        return f"{signed}.{self._signature(signed)}"

    def holder_of_bearer(self, header: str, now: Optional[float] = None) -> Optional[str]:
        """The project id, or `ACCOUNT`, of an `Authorization: Bearer …` header; None if it is not ours or is over."""
        signed, _, signature = header.partition(" ")[2].strip().rpartition(".")
        if not _equal(signature, self._signature(signed)):
            return None
        claims = _unpack(signed.partition(".")[2])
        if claims.get("exp", 0) <= (time.time() if now is None else now):
            return None
        holder = claims.get("aud")
        return holder if holder == ACCOUNT or holder in self._project_keys else None

    def _signature(self, text: str) -> str:
        return _base64(hmac.new(self._signing_key, text.encode(), hashlib.sha256).digest())


def _equal(given: str, known: str) -> bool:
    """Compare in constant time."""
    return secrets.compare_digest(given.encode(), known.encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unpack(text: str) -> dict[str, Any]:
    """The claims of a token whose signature was found good."""
    try:
        value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
