"""How an engine shows that it knows a key, so that nobody sends one to a stranger who listens on its old port.

The asker draws a nonce; the engine answers with an HMAC of its own address and the nonce. The address is part of it, so
a stranger can't pass the question on to the engine, which runs on another port.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import re
import secrets
from typing import Optional

PATH = "/engine/proof"
_NONCE = re.compile(r"[0-9a-f]{32,128}")


def is_nonce(text: Optional[str]) -> bool:
    """True for what `knows_key` draws."""
    return text is not None and _NONCE.fullmatch(text) is not None


def proof(key: str, url: str, nonce: str) -> str:
    """HMAC-SHA256 in hex. `url` is the engine's origin; `key` must be one of the engine's random ones."""
    return hmac.new(key.encode(), f"engine-proof\n{url}\n{nonce}".encode(), hashlib.sha256).hexdigest()


def knows_key(connection: http.client.HTTPConnection, url: str, key: str) -> bool:
    """Ask whoever is at the other end. What is sent next over this connection goes to the same process.

    Raises OSError, http.client.HTTPException.
    """
    connection.connect()
    connection.auto_open = 0  # never another connection, to who knows whom
    nonce = secrets.token_hex(32)
    connection.request("GET", f"{PATH}?nonce={nonce}")
    answer = connection.getresponse()
    body = answer.read(65536)
    try:
        shown = json.loads(body)["data"]["proof"] if answer.status == http.HTTPStatus.OK else None
    except (ValueError, KeyError, TypeError):
        return False
    return isinstance(shown, str) and secrets.compare_digest(shown.encode(), proof(key, url, nonce).encode())
