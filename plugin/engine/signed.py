"""Signed URLs: a file that may be fetched without credentials, for five minutes (contract 5.1)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from typing import Mapping, Optional
from urllib.parse import urlencode

LIFETIME_SECONDS = 300  # ours: the contract knows of no lifetime for jobs


class Signer:
    """Signs paths and checks the signature of a path that comes back."""

    def __init__(self, signing_key: str):
        # A key of its own, so that no token can ever be taken for a signature.
        self._key = hashlib.sha256(b"signed-url:" + signing_key.encode()).digest()

    def query(self, path: str, now: Optional[float] = None) -> str:
        """The query that makes `path` a signed URL."""
        expires = int(time.time() if now is None else now) + LIFETIME_SECONDS
        return urlencode({"Expires": expires, "Signature": self._signature(path, str(expires))})

    def allows(self, path: str, query: Mapping[str, str], now: Optional[float] = None) -> bool:
        """True if the query was made by `query` for this path and is not over."""
        expires = query.get("Expires", "")
        if not secrets.compare_digest(query.get("Signature", "").encode(), self._signature(path, expires).encode()):
            return False
        return int(expires) > (time.time() if now is None else now)

    def _signature(self, path: str, expires: str) -> str:
        return hmac.new(self._key, f"GET\n{path}\n{expires}".encode(), hashlib.sha256).hexdigest()
