"""Check that numpy, shapely, requests and urllib3 are those of the system, as in QGIS itself; exit 1 if one is not.

A copy that pip put into the virtual environment, the user's home or /usr/local would be tested instead of the one
the plugin gets, and a numpy of pip's breaks osgeo.gdal_array.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

NAMES = ("numpy", "shapely", "requests", "urllib3")


def strangers() -> list[str]:
    """Return one line for each package that is missing or lies outside the system's own library folders."""
    lines = []
    for name in NAMES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            lines.append(f"{name}: not found")
        elif not str(Path(spec.origin).resolve()).startswith(f"{Path(sys.base_prefix).resolve()}/lib"):
            lines.append(f"{name}: {spec.origin} is not the system's")
    return lines


if __name__ == "__main__":
    found = strangers()
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    sys.exit(1 if found else 0)
