"""A notification of the desktop for those who are elsewhere while their jobs end.

QGIS's own (`QgsNativeInterface.showDesktopNotification`) is not offered to Python; Qt's system tray reaches the same
notification service. Where there is none, the taskbar asks for attention.
"""

from __future__ import annotations

from typing import Callable, Optional

from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from ..host.records import Notice

SHOWN_MS = 10_000


class DesktopNotice:
    """Tells notices about jobs while no window of QGIS is active."""

    def __init__(
        self, window: QWidget, icon: QIcon, title: str, notify: Optional[Callable[[str], None]] = None
    ) -> None:
        """`notify`: another way to tell a text to those who are elsewhere."""
        self._window, self._icon, self._title = window, icon, title
        self._notify = notify or self._notify_by_tray
        self._tray: Optional[QSystemTrayIcon] = None
        self._timer = QTimer(window)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SHOWN_MS)
        self._timer.timeout.connect(self._hide)

    def show(self, notice: Notice) -> None:
        """Notify, if the notice is about jobs and nobody looks at QGIS."""
        if not notice.jobs or QApplication.activeWindow() is not None:
            return
        QApplication.alert(self._window)
        self._notify(notice.text)

    def _notify_by_tray(self, text: str) -> None:
        if not (QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()):
            return
        if self._tray is None:
            self._tray = QSystemTrayIcon(self._icon, self._window)
            self._tray.messageClicked.connect(self._to_front)
        self._tray.show()
        self._tray.showMessage(self._title, text, self._icon, SHOWN_MS)
        self._timer.start()

    def _to_front(self) -> None:
        self._window.activateWindow()
        self._window.raise_()

    def _hide(self) -> None:
        if self._tray is not None:
            self._tray.hide()

    def close(self) -> None:
        """For unload."""
        self._timer.stop()
        self._timer.deleteLater()
        if self._tray is not None:
            self._tray.hide()
            self._tray.deleteLater()
            self._tray = None
