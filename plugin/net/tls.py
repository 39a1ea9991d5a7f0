"""Who is trusted: the system's and QGIS's authorities, or one certificate that the user accepted for one host."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
import socket
import ssl
import sys
import threading
from typing import Callable, Optional

from requests.certs import where as requests_authorities

from .errors import CertificateRejected, TimedOut, Unreachable

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")


class Trust:
    """Makes sockets secure. `trusted_ca` gives PEM text and is asked at every new connection. Thread-safe."""

    def __init__(self, trusted_ca: Callable[[], str]) -> None:
        self._trusted_ca = trusted_ca
        self._lock = threading.Lock()
        self._pem: Optional[str] = None
        self._context: Optional[ssl.SSLContext] = None

    def secure(self, sock: socket.socket, host: str, pinned: Optional[str]) -> ssl.SSLSocket:
        """Do the TLS handshake with `host` and check who is there, before any byte of a request is sent.

        With `pinned` (SHA-256 of the certificate in hex; colons and case don't matter) that certificate and no other
        is accepted; without, one that a trusted authority signed for `host`. Closes `sock` when it fails.
        Raises CertificateRejected, TimedOut, Unreachable.
        """
        context = _unchained() if pinned else self._chained()
        try:
            secured = context.wrap_socket(sock, server_hostname=host, suppress_ragged_eofs=False)
        except ssl.SSLCertVerificationError as error:
            raise CertificateRejected(host, "certificate", reason=error.verify_message) from None
        except socket.timeout:
            raise TimedOut(host, "connect_timed_out", sock.gettimeout()) from None
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError):
            raise Unreachable(host, "dropped") from None
        except ssl.SSLError as error:
            reason = (error.reason or "TLS").replace("_", " ").lower()
            raise Unreachable(host, "tls_failed", reason=reason) from None
        except (OSError, ValueError):
            raise Unreachable(host, "dropped") from None
        if pinned and not _is(pinned, secured.getpeercert(binary_form=True)):
            secured.close()
            raise CertificateRejected(host, "certificate_changed")
        return secured

    def _chained(self) -> ssl.SSLContext:
        pem = self._trusted_ca()
        with self._lock:
            if self._context is None or pem != self._pem:
                self._context, self._pem = _context_trusting(pem), pem
            return self._context


def _context_trusting(pem: str) -> ssl.SSLContext:
    context = _usual(ssl.create_default_context())
    # Many company authorities break its rules, and Python sets it from 3.13 on.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    # Python finds no list of its own on some systems, and on Windows only what the system has needed before.
    if sys.platform == "win32" or not context.cert_store_stats()["x509_ca"]:
        with contextlib.suppress(OSError):
            context.load_verify_locations(cafile=requests_authorities())
    for certificate in _CERTIFICATE.findall(pem):
        with contextlib.suppress(ssl.SSLError):  # one broken certificate must not cost the others
            context.load_verify_locations(cadata=certificate)
    return context


def _unchained() -> ssl.SSLContext:
    """For a pinned certificate only: its fingerprint is checked instead of its chain."""
    context = _usual(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _usual(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # A connection that ends without TLS's closing words was cut (RFC 8446, 6.1): never take that as a body's end.
    # Python sets this option itself since 3.10; `suppress_ragged_eofs` of wrap_socket is the other half.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    return context


def _is(pinned: str, certificate: Optional[bytes]) -> bool:
    wanted = re.sub(r"[^0-9a-f]", "", pinned.lower())
    return certificate is not None and hmac.compare_digest(wanted, hashlib.sha256(certificate).hexdigest())
