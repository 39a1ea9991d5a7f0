"""An authority that nobody trusts until told to, and certificates signed by it."""

from __future__ import annotations

import hashlib
import ssl

import trustme


class Authority:
    """`pem`: its own certificate. `context(name, …)`: a server's TLS for these names or addresses."""

    def __init__(self) -> None:
        self._ca = trustme.CA()
        self.pem = self._ca.cert_pem.bytes().decode()

    def context(self, *names: str) -> ssl.SSLContext:
        return self.leaf(*names)[0]

    def leaf(self, *names: str) -> tuple[ssl.SSLContext, str]:
        """A server's TLS and the SHA-256 fingerprint (hex) of its certificate."""
        certificate = self._ca.issue_cert(*(names or ("127.0.0.1", "localhost")))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        der = ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
        return context, hashlib.sha256(der).hexdigest()
