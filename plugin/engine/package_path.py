"""How to start another Python process of this package."""

from __future__ import annotations

import os
import sys
from typing import Mapping

PACKAGE = __package__ or ""


def package_parent() -> str:
    """The folder that the root package is in, by the name it was imported by: links are kept as they are."""
    root = sys.modules[PACKAGE.partition(".")[0]]
    return os.path.dirname(os.path.abspath(next(iter(root.__path__))))


def environment_with_package(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` in which the root package can be imported by the name that it has here."""
    known = environment.get("PYTHONPATH")
    path = package_parent() if not known else os.pathsep.join((package_parent(), known))
    return {**environment, "PYTHONPATH": path}
