"""Take secrets out of text before it is logged or shown."""

from __future__ import annotations

import re

HIDDEN = "***"

# Names of headers, JSON keys and query parameters whose values are never shown: our own, OAuth's, and those of signed
# URLs (Google X-Goog-*, Amazon X-Amz-*, Azure sig).
_GUARDED = (
    r"(?:[\w.-]*(?:token|secret|passw(?:or)?d|passphrase|signature|credentials?|authorization)"
    r"|[\w.-]*(?:api|project|access|private|account|subscription)[_-]?key"
    r"|(?:[\w.-]*[_.-])?key|pwd|sig|jwt|cookie|set-cookie|googleaccessid|awsaccesskeyid)"
)

_RULES = (
    # Authorization: Bearer abc; 'Authorization': 'Basic abc'; Cookie: a=b
    (
        re.compile(r"""(?i)((?:proxy-)?authorization|(?:set-)?cookie)(["']?\s*[:=]\s*["']?)[^"'\r\n]+"""),
        rf"\1\2{HIDDEN}",
    ),
    # a bearer token outside a header
    (re.compile(r"(?i)\b(bearer)\s+(?=\S*[\d._-])[\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    # "access_token": "abc", also cut off before the closing quote
    (
        re.compile(rf"""(?i)(["']{_GUARDED}["']\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)"""),
        rf'\1"{HIDDEN}"',
    ),
    # ?X-Goog-Signature=abc&…, a form body's password=abc
    (re.compile(rf"(?i)(?<![\w.-])({_GUARDED}=)(?!\*\*\*)[^&\s\"'<>]+"), rf"\1{HIDDEN}"),
    # any other query parameter with a value as long as a key
    (re.compile(r"([?&][\w.%~-]+=)(?=[^&\s\"'<>]{40,})[^&\s\"'<>]+"), rf"\1{HIDDEN}"),
    # the user name and password of a URL
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,20}://)[^/\s@\"'<>?#]*@"), rf"\1{HIDDEN}@"),
    # a JSON Web Token, wherever it stands
    (re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]*){0,2}"), HIDDEN),
)


def redact(text: str) -> str:
    """Return `text` with tokens, passwords, cookies, URL user names and signatures of signed URLs replaced by ***."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
