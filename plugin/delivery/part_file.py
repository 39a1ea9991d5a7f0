"""A download that may be unfinished: bytes in `<name>.part`, and in `<name>.part.json` what they are a part of."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Optional

from .disk import disk_errors
from .follow import Growth

_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e]{1,200}"')  # weak ones don't promise equal bytes (RFC 9110, 8.8.1)


class PartFile:
    """`etag` is the strong ETag of the whole body or None, `length` its bytes or None; neither is ever a guess.

    Never holds the URL: a signed one is a secret. `growth` is told when what is there is given up.
    """

    def __init__(self, path: Path, growth: Optional[Growth] = None):
        self.path = path
        self.growth = growth or Growth()
        self.etag: Optional[str] = None
        self.length: Optional[int] = None
        self._read_sidecar()

    @property
    def sidecar(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def received(self) -> int:
        """Bytes that are there."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    @property
    def is_complete(self) -> bool:
        return self.length is not None and self.received == self.length

    @property
    def resume_from(self) -> int:
        """Where to go on; 0 where it can't be known that what is there belongs to what would come."""
        return self.received if self.etag is not None else 0

    @property
    def is_usable(self) -> bool:
        """False where what is there will be fetched anew in any case."""
        return self.is_complete or (self.resume_from > 0 and (self.length is None or self.received < self.length))

    def begin(self, etag: Optional[str], length: Optional[int]) -> None:
        """Forget what is there and start on another body, with the ETag and length that its headers give."""
        self.etag = etag if etag and _STRONG_ETAG.fullmatch(etag) else None
        self.length = length
        self.growth.begins()
        with disk_errors(self.path.parent):
            self.path.write_bytes(b"")  # first: a stale sidecar beside an empty file does no harm
            self._write_sidecar()

    def finish(self) -> None:
        """All is there, of a body whose length was not known before."""
        self.length = self.received
        with disk_errors(self.path.parent):
            self._write_sidecar()

    def appending(self) -> BinaryIO:
        with disk_errors(self.path.parent):
            return self.path.open("ab", buffering=0)

    def discard(self) -> None:
        """Remove both files."""
        self.etag = self.length = None
        self.growth.begins()
        for path in (self.path, self.sidecar):  # in this order: a part without its sidecar is never used
            with suppress(OSError):
                path.unlink()

    def _read_sidecar(self) -> None:
        try:
            stored = json.loads(self.sidecar.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return
        if not isinstance(stored, dict):
            return
        etag, length = stored.get("etag"), stored.get("length")
        self.etag = etag if isinstance(etag, str) and _STRONG_ETAG.fullmatch(etag) else None
        self.length = length if isinstance(length, int) else None

    def _write_sidecar(self) -> None:
        new = self.sidecar.with_name(f"{self.sidecar.name}.new")
        new.write_text(json.dumps({"etag": self.etag, "length": self.length}), "utf-8")
        os.replace(new, self.sidecar)
