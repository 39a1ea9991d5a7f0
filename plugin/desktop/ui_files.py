"""Qt Designer files, loaded at run time, and the plugin's own icons."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from qgis.core import QgsApplication
from qgis.PyQt import uic
from qgis.PyQt.QtCore import QRectF, Qt
from qgis.PyQt.QtGui import QFont, QIcon, QPainter, QPalette
from qgis.PyQt.QtWidgets import QApplication, QGraphicsOpacityEffect, QLabel, QWidget

ROOT = Path(__file__).parents[2]
STATE_ICON_SIZE = 64  # pixels; drawn smaller, sharp on fine screens too
HINT_OPACITY = 0.8  # at least 4.5:1 against the window, in light and dark themes


def set_up(widget: QWidget, name: str) -> None:
    """Build `widget` from `ui/<name>.ui`; every named object of the file becomes an attribute of it."""
    uic.loadUi(str(ROOT / "ui" / f"{name}.ui"), widget)


def as_int(flag: Any) -> int:
    """The number of a Qt flag or enum, which is an int in PyQt5 and an enum in PyQt6."""
    return int(getattr(flag, "value", flag))


def soften(*labels: QLabel) -> None:
    """Make hints stand back behind what they explain, in whatever colour the theme gives them."""
    for label in labels:
        effect = QGraphicsOpacityEffect(label)
        effect.setOpacity(HINT_OPACITY)
        label.setGraphicsEffect(effect)


def tooltip(text: str) -> str:
    """`text` from elsewhere as a tooltip: Qt would take what looks like HTML in it for HTML."""
    return html.escape(text, quote=False)


def own_icon(name: str) -> QIcon:
    """An icon of the plugin's: `resources/icons/<name>.svg`."""
    return QIcon(str(ROOT / "resources" / "icons" / f"{name}.svg"))


def with_badge(icon: QIcon, count: int) -> QIcon:
    """The icon with a number in its corner, in the theme's own colours; 0: without."""
    if not count:
        return icon
    size = STATE_ICON_SIZE
    pixmap = icon.pixmap(size, size)
    palette = QApplication.palette()
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    place = QRectF(size * 0.36, size * 0.36, size * 0.64, size * 0.64)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(palette.color(QPalette.ColorRole.Highlight))
    painter.drawEllipse(place)
    font = QFont(QApplication.font())
    font.setPixelSize(int(size * 0.44))
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(palette.color(QPalette.ColorRole.HighlightedText))
    painter.drawText(place, as_int(Qt.AlignmentFlag.AlignCenter), str(min(count, 99)))
    painter.end()
    return QIcon(pixmap)


def state_icon(state: str) -> QIcon:
    """The icon of a job's state, the same in a chosen row: Qt would tint it with the row's colour."""
    pixmap = own_icon(f"state_{state}").pixmap(STATE_ICON_SIZE, STATE_ICON_SIZE)
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)
    return icon


def theme_icon(name: str) -> QIcon:
    """An icon of QGIS's theme, for example `mActionRefresh`."""
    return QgsApplication.getThemeIcon(f"/{name}.svg")
