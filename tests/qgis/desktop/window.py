"""A window as QGIS gives one to its plugins."""

from __future__ import annotations

from qgis.core import QgsPrintLayout
from qgis.gui import QgsLayerTreeView, QgsMapCanvas, QgsMessageBar, QgsOptionsWidgetFactory, QgsStatusBar
from qgis.PyQt.QtWidgets import QAction, QDockWidget, QMainWindow, QWidget


class Window(QMainWindow):
    """The part of QGIS's interface that the plugin uses; what it does not have fails, unlike in a mock."""

    def __init__(self) -> None:
        super().__init__()
        self.canvas = QgsMapCanvas(self)
        self.bar, self.status = QgsMessageBar(self), QgsStatusBar(self)
        self.tree = QgsLayerTreeView(self)
        self.tree.hide()
        self.layouts: list[QgsPrintLayout] = []
        self.icons: list[QAction] = []
        self.menu: list[QAction] = []
        self.options: list[QgsOptionsWidgetFactory] = []
        self.options_opened: list[str] = []
        self.setCentralWidget(self.canvas)
        self.resize(1400, 900)

    def mainWindow(self) -> QMainWindow:
        return self

    def mapCanvas(self) -> QgsMapCanvas:
        return self.canvas

    def layerTreeView(self) -> QgsLayerTreeView:
        return self.tree

    def openLayoutDesigner(self, layout: QgsPrintLayout) -> None:
        self.layouts.append(layout)

    def messageBar(self) -> QgsMessageBar:
        return self.bar

    def statusBarIface(self) -> QgsStatusBar:
        return self.status

    def removeDockWidget(self, dock: QDockWidget) -> None:
        super().removeDockWidget(dock)

    def addWebToolBarIcon(self, action: QAction) -> int:
        self.icons.append(action)
        return 0

    def removeWebToolBarIcon(self, action: QAction) -> None:
        self.icons.remove(action)

    def addPluginToWebMenu(self, _name: str, action: QAction) -> None:
        self.menu.append(action)

    def registerOptionsWidgetFactory(self, factory: QgsOptionsWidgetFactory) -> None:
        self.options.append(factory)

    def unregisterOptionsWidgetFactory(self, factory: QgsOptionsWidgetFactory) -> None:
        self.options.remove(factory)

    def showOptionsDialog(self, _parent: QWidget, page: str) -> None:
        self.options_opened.append(page)

    def removePluginWebMenu(self, _name: str, action: QAction) -> None:
        self.menu.remove(action)
