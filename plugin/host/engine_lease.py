"""The lease: an open connection that keeps the local engine alive, and that tells when the engine is gone.

Before the key goes out, the engine proves over the same connection that it knows it: its port may be a stranger's by
now (the engine's side is plugin/engine/proof.py).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import secrets
import socket
import threading
from urllib.parse import urlsplit

OPEN_SECONDS = 10.0
LEASE_PATH = "/engine/lease"
PROOF_PATH = "/engine/proof"


class LeaseRefused(Exception):
    """Nobody there, a stranger, or an engine that is ending."""


class Lease:
    """Held from its making to `close`, or until the engine ends. The system closes it when QGIS is killed."""

    def __init__(self, url: str, user: str, secret: str):
        """Open it. Raises LeaseRefused."""
        place = urlsplit(url)
        pair = base64.b64encode(f"{user}:{secret}".encode()).decode("ascii")
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=OPEN_SECONDS)
        try:
            if not _knows_key(connection, url, secret):
                raise LeaseRefused("someone else is there")
            connection.request("GET", LEASE_PATH, headers={"Authorization": f"Basic {pair}"})
            self._socket: socket.socket = connection.sock
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as e:
            connection.close()
            raise LeaseRefused(type(e).__name__) from e
        except LeaseRefused:
            connection.close()
            raise
        if status != http.HTTPStatus.OK:
            connection.close()
            raise LeaseRefused(f"status {status}")
        self._socket.settimeout(None)
        self._ended = threading.Event()
        threading.Thread(target=self._hold, name="up42_jobs: lease", args=(connection,), daemon=True).start()

    @property
    def is_alive(self) -> bool:
        """False once the engine is gone or the lease is closed."""
        return not self._ended.is_set()

    def close(self) -> None:
        """Let the engine go; returns at once."""
        self._ended.set()
        with contextlib.suppress(OSError):  # the engine was faster
            self._socket.shutdown(socket.SHUT_RDWR)

    def _hold(self, connection: http.client.HTTPConnection) -> None:
        """Read the engine's signs of life for as long as there are any."""
        try:
            while self._socket.recv(1024):
                continue
        except OSError:
            return  # the same as its end
        finally:
            self._ended.set()
            self._socket.close()
            connection.close()


def _knows_key(connection: http.client.HTTPConnection, url: str, secret: str) -> bool:
    """Whether the other end shows an HMAC that takes the key. Raises OSError, HTTPException."""
    connection.connect()
    connection.auto_open = 0  # what follows goes over this connection or nowhere
    nonce = secrets.token_hex(32)
    connection.request("GET", f"{PROOF_PATH}?nonce={nonce}")
    answer = connection.getresponse()
    body = answer.read(65_536)
    try:
        shown = json.loads(body)["data"]["proof"] if answer.status == http.HTTPStatus.OK else ""
    except (ValueError, KeyError, TypeError):
        return False
    expected = hmac.new(secret.encode(), f"engine-proof\n{url}\n{nonce}".encode(), hashlib.sha256).hexdigest()
    return isinstance(shown, str) and secrets.compare_digest(shown.encode(), expected.encode())
