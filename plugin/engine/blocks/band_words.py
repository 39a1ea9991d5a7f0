"""By which words a band is found in an expression, and which bands hold classes rather than measurements."""

from __future__ import annotations

import re
from typing import Sequence

from .bands import role

_CODE = re.compile(r"(?:sr_)?b0*(\d{1,2}a?)\b", re.IGNORECASE)
_CLASS_WORDS = frozenset({"scl", "class", "classes", "classification", "cluster", "clusters", "labels", "landcover"})
_PAN_WORDS = frozenset({"pan", "panchromatic"})
# Sentinel-2's shortwave infrared, where only the code is given (two digits; ESA).
_CODES = {"b11": "swir1", "b12": "swir2"}


def band_numbers(descriptions: Sequence[str]) -> dict[str, int]:
    """Word in lower case -> band number from 1: "B04 Red" is b04, b4, red and band<n>; "SWIR 1" is swir1.

    Where a word fits several bands it means the first.
    """
    found: dict[str, int] = {}
    for number, description in enumerate(descriptions, start=1):
        for word in _words_of(description):
            found.setdefault(word, number)
    for number in range(1, len(descriptions) + 1):
        found[f"band{number}"] = number
    return found


def _words_of(description: str) -> list[str]:
    text = description.strip().lower()
    code = _CODE.match(text)
    meaning = re.sub(r"[^a-z0-9]+", "", text[code.end() :] if code else text)
    words = [meaning] if re.fullmatch(r"[a-z][a-z0-9]*", meaning) else []
    if code:
        words += [f"b{code[1]}", f"b{code[1]:0>2}"]
    if meaning in ("", "nirnarrow") or code is None:
        words += [_CODES[word] for word in words if word in _CODES]
    shown = role(description)
    return [*words, shown] if shown else words


def say_bands(descriptions: Sequence[str]) -> str:
    """The bands for a message: “B04 Red”, “band 2”."""
    return ", ".join(f"“{text}”" if text else f"“band {n}”" for n, text in enumerate(descriptions, start=1))


def is_class_band(description: str) -> bool:
    """Whether a band holds numbers of classes, which must never be interpolated or averaged."""
    return bool(_tokens(description) & _CLASS_WORDS)


def is_pan_name(text: str) -> bool:
    """Whether a band's description or a file's stem says panchromatic."""
    return bool(_tokens(text) & _PAN_WORDS)


def scl_band(descriptions: Sequence[str]) -> int:
    """The number of the band with Sentinel-2's scene classification; 0 where there is none."""
    return next((n for n, text in enumerate(descriptions, start=1) if "scl" in _tokens(text)), 0)


def _tokens(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))
