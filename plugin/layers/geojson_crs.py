"""GeoJSON that names its CRS by a link: GDAL would ask that address, so such a file is not opened.

GeoJSON of 2008 allows `"crs": {"type": "link", "properties": {"href": …}}` (its section 3.2); RFC 7946 dropped it.
"""

from __future__ import annotations

import re
from pathlib import Path

CHUNK = 4 * 1024 * 1024  # bytes; searching holds Python's lock, and so must be short
LONGEST = 64 * 1024  # bytes of a CRS object; a WKT has about 1 kB
_CRS = re.compile(rb"""["']crs["']""", re.I)
_LINK = re.compile(rb"link|url|href", re.I)
_HIDDEN_LETTER = re.compile(rb"\\u00(4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])", re.I)  # nobody writes letters so


def has_linked_crs(path: Path) -> bool:
    """True where the file may name a CRS by an address; also where it hides letters of its names. Raises OSError."""
    with path.open("rb") as file:
        carried = b""
        while True:
            chunk = file.read(CHUNK)
            text = carried + chunk
            if _HIDDEN_LETTER.search(text):
                return True
            for found in _CRS.finditer(text):
                if len(text) - found.start() < LONGEST and chunk:
                    break  # met again with the next chunk
                if _LINK.search(_object_after(text, found.end())):
                    return True
            if not chunk:
                return False
            carried = text[-LONGEST:]


def _object_after(text: bytes, start: int) -> bytes:
    """The JSON object that begins after `start`; all that may belong to it where its end is not clear."""
    depth, quote, i = 0, 0, start
    end = min(len(text), start + LONGEST)
    while i < end:
        sign = text[i]
        if quote:
            if sign == ord("\\"):
                i += 1
            elif sign == quote:
                quote = 0
        elif sign in b"\"'":
            quote = sign
        elif sign == ord("/"):  # a comment, which GDAL's parser takes: where it ends is not clear
            return text[start:end]
        elif sign == ord("{"):
            depth += 1
        elif sign == ord("}"):
            depth -= 1
        if depth <= 0 and not quote and sign in b"},":
            return text[start:i]
        i += 1
    return text[start:end]
