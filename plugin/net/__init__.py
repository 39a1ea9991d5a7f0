"""How bytes travel: session, cancel, proxy, retry, redaction. requests; no Qt, no QGIS."""
