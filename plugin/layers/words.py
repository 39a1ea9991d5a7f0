"""Words for people that are made in this room; `host.words` does the same for the rooms above."""

from __future__ import annotations

from qgis.PyQt.QtCore import QCoreApplication


def tr(text: str) -> str:
    """`text` in the user's language."""
    return QCoreApplication.translate("UP42Jobs", text)
