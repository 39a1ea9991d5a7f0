"""The plugin object: builds the parts, joins them, takes them apart."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any, Callable, Optional

from qgis.core import QgsApplication, QgsProcessingProvider
from qgis.gui import QgisInterface, QgsDockWidget
from qgis.PyQt.QtCore import QCoreApplication, QObject, Qt, QTimer
from qgis.PyQt.QtWidgets import QAction, QLabel, QMenu, QWidget

from .desktop.late_imports import LateImports
from .desktop.missing_packages import MissingPackages
from .desktop.options_factory import OptionsFactory
from .desktop.ui_files import own_icon, with_badge

if TYPE_CHECKING:
    from .desktop.desktop_notice import DesktopNotice
    from .desktop.dock import DockContent
    from .host.journey import Journey
    from .host.parts import Parts
    from .host.records import Notice
    from .host.work import Works

NAME = "UP42 Jobs"
PACKAGE = __name__.rpartition(".")[0]
FIRST_WIDTH = 380  # pixels
SHOW_AGAIN_MS, SHOW_TRIES = 200, 150  # until the dock is filled and its connection open
LARGE = tuple(  # requests comes with them
    f"{PACKAGE}.{module}" for module in ("desktop.dock", "algorithms.run_job", "desktop.options_page")
)
FOR_AOIS = ("shapely.geometry", "shapely.validation", "shapely.ops", "shapely.wkb")  # without it there are no AOIs


class Up42JobsPlugin:
    """At start an empty dock and an action; the rest when the dock is first shown. Nothing blocks, nothing is sent."""

    def __init__(self, iface: Optional[QgisInterface]) -> None:
        self._iface = iface
        self._provider: Optional[QgsProcessingProvider] = None
        self._dock: Optional[QgsDockWidget] = None
        self._action: Optional[QAction] = None
        self._imports: Optional[LateImports] = None
        self._steps = QTimer()
        self._steps.setSingleShot(True)
        self._steps.timeout.connect(lambda: self._next_step())
        self._next_step: Callable[[], None] = self._fill
        self._large_is_there = False
        self._works: Optional[Works] = None
        self._parts: Optional[Parts] = None
        self._journey: Optional[Journey] = None
        self._content: Optional[DockContent] = None
        self._desktop_notice: Optional[DesktopNotice] = None
        self._options: Optional[OptionsFactory] = None

    def initProcessing(self) -> None:
        """Register the algorithms; `qgis_process` calls nothing but this."""
        if self._provider is None:
            from .algorithms.provider import Up42JobsProvider

            self._provider = Up42JobsProvider()
            QgsApplication.processingRegistry().addProvider(self._provider)

    def initGui(self) -> None:
        """Add the dock, empty, and its action; begin to import what is large beside QGIS's own start."""
        self._imports = LateImports(LARGE, FOR_AOIS)
        self._imports.done.connect(self._imported)
        self._add_dock()
        self._options = OptionsFactory(self._options_accepted)
        self._iface.registerOptionsWidgetFactory(self._options)
        self._imports.start()

    def _add_dock(self) -> None:
        window = self._iface.mainWindow()
        self._dock = QgsDockWidget(NAME, window)
        self._dock.setObjectName("Up42JobsDock")
        self._dock.setAllowedAreas(Qt.DockWidgetArea.LeftDockWidgetArea | Qt.DockWidgetArea.RightDockWidgetArea)
        self._show_in_dock(_note(tr("Loading…")))
        self._action = QAction(own_icon("up42_jobs"), NAME, window)
        self._action.setObjectName("Up42JobsAction")
        self._action.setCheckable(True)
        self._action.setToolTip(tr("Run jobs on an area of interest and get their outputs as layers"))
        self._iface.addWebToolBarIcon(self._action)
        self._iface.addPluginToWebMenu(NAME, self._action)
        if not window.restoreDockWidget(self._dock):  # where it was in the last session; else closed at first
            window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self._dock)
            self._dock.hide()
        self._dock.setToggleVisibilityAction(self._action)
        self._dock.visibilityChanged.connect(lambda _visible: self._soon(self._fill))
        self._dock.closedStateChanged.connect(self._show_map_marks)

    def _imported(self, problem: Optional[Exception]) -> None:
        first = self._provider is None
        self.initProcessing()
        if problem is not None:
            missing = MissingPackages(problem)
            missing.look_again.connect(self._imports.start)
            self._show_in_dock(missing)
            return
        if not first:
            self._provider.refreshAlgorithms()
        self._large_is_there = True
        self._begin()
        if not self._iface.mainWindow().isVisible():
            # The many objects that came would let Python search all of QGIS's for garbage once more, for some 60 ms
            # and while jobs are listed. QGIS is still starting: now is better.
            gc.collect()
        self._fill()

    def _begin(self) -> None:
        """Go on with the jobs of the session before: what needs no password and no network of others."""
        from .desktop.desktop_notice import DesktopNotice
        from .desktop.messages import Messages
        from .host.journey import Journey
        from .host.parts import make_parts
        from .host.records import Offer
        from .host.work import Works

        if self._journey is not None:
            return
        self._parts = make_parts()
        self._works = Works()
        self._journey = Journey(self._works, self._parts.connections, self._parts.ledger, self._parts.settings)
        self._journey.overviews.is_drawing = self._iface.mapCanvas().isDrawing
        self._messages = Messages(self._iface.messageBar())
        for offer in (Offer.SHOW, Offer.WATCHES):
            self._messages.can(offer, self._show_jobs)
        self._messages.can(Offer.DEMO, lambda _notice: self._in_dock(lambda content: content.use_demo()))
        for offer in (Offer.LOAD, Offer.COLLECT, Offer.FETCH):
            self._messages.can(offer, self._journey.job_actions.bring)
        self._journey.told.connect(self._messages.tell)
        self._journey.noticed.connect(self._messages.show)
        self._desktop_notice = DesktopNotice(self._iface.mainWindow(), own_icon("up42_jobs"), NAME)
        self._journey.noticed.connect(self._desktop_notice.show)
        self._journey.resume.waiting_changed.connect(self._show_waiting)
        self._journey.resume.begin()
        self._journey.watches.begin()

    def _show_waiting(self, jobs: int) -> None:
        """A badge on the plugin's button: so many jobs wait where we don't ask before the user acts."""
        self._action.setIcon(with_badge(own_icon("up42_jobs"), jobs))
        if not jobs:
            self._action.setText(NAME)
        elif jobs == 1:
            self._action.setText(tr("{name} (1 job waiting)").format(name=NAME))
        else:
            self._action.setText(tr("{name} ({n} jobs waiting)").format(name=NAME, n=jobs))
        self._dock.setWindowTitle(self._action.text())

    def _show_jobs(self, notice: Notice) -> None:
        """Show a notice's jobs or watches."""
        self._in_dock(lambda content: content.show_jobs(notice))

    def _in_dock(self, do: Callable[[Any], None], tries: int = SHOW_TRIES) -> None:
        """Do something with the dock's content; the dock is opened, and filled first where it has to be."""
        if self._dock is None:
            return
        self._dock.setUserVisible(True)
        if self._content is not None and self._content.model.catalogue is not None:
            do(self._content)
        elif tries:
            QTimer.singleShot(SHOW_AGAIN_MS, lambda: self._in_dock(do, tries - 1))

    def _fill(self) -> None:
        """Build the dock's content when it is first shown and all that it needs is imported."""
        if not self._large_is_there or not self._dock.isVisible():
            return
        if self._content is not None:
            if self._dock.widget() is not self._content:
                self._soon(self._show_content)  # hidden and shown again before its turn came
            return
        from .desktop.dock import DockContent

        self._content = DockContent(self._iface, self._journey, self._parts.settings)
        self._soon(self._show_content)  # building and laying out in one go would be felt as a jerk

    def _show_content(self) -> None:
        self._show_in_dock(self._content)
        self._content.build()

    def _soon(self, step: Callable[[], None]) -> None:
        """Do `step` when QGIS has drawn what it has to draw."""
        self._next_step = step
        self._steps.start()

    def _show_map_marks(self, closed: bool) -> None:
        if self._content is not None:
            self._content.set_map_marks_visible(not closed)

    def _options_accepted(self) -> None:
        if self._journey is not None:
            self._journey.resume.look_again()
        if self._content is not None:
            self._content.connections_changed()

    def _show_in_dock(self, widget: QWidget) -> None:
        before = self._dock.widget()
        self._dock.setWidget(widget)
        if before is not None:
            before.deleteLater()

    def unload(self) -> None:
        """Take apart: timers, tasks and sockets, the engine, then what is seen. Reloading leaves nothing behind."""
        self._steps.stop()
        self._stop_work()
        if self._imports is not None:
            self._imports.done.disconnect()
            self._imports = None
        if self._provider is not None:
            QgsApplication.processingRegistry().removeProvider(self._provider)
            self._provider = None
        if self._options is not None:
            self._iface.unregisterOptionsWidgetFactory(self._options)
            self._options = None
        if self._dock is not None:
            self._remove_from_window()

    def _stop_work(self) -> None:
        if self._content is not None:
            self._content.stop()
            self._content = None
        if self._desktop_notice is not None:
            self._desktop_notice.close()
            self._desktop_notice = None
        if self._journey is not None:
            self._journey.close()
            self._journey = None
        if self._works is not None:
            self._works.stop()
            self._works = None
        if self._parts is not None:
            self._parts.close()
            self._parts = None

    def _remove_from_window(self) -> None:
        self._dock.visibilityChanged.disconnect()
        self._dock.closedStateChanged.disconnect()
        self._iface.removeWebToolBarIcon(self._action)
        menus = [widget for widget in associated(self._action) if isinstance(widget, QMenu)]
        self._iface.removePluginWebMenu(NAME, self._action)
        for menu in menus:
            if not menu.actions():  # QGIS takes an empty menu away and leaves it lying
                menu.deleteLater()
        self._iface.removeDockWidget(self._dock)
        self._action.deleteLater()
        self._dock.deleteLater()
        self._action = self._dock = None


def tr(text: str) -> str:
    """`text` in the user's language."""
    return QCoreApplication.translate("UP42Jobs", text)


def associated(action: QAction) -> list[QObject]:
    """The widgets that show an action; Qt 6 has another name for them."""
    ask = getattr(action, "associatedObjects", None) or action.associatedWidgets
    return list(ask())


def _note(text: str) -> QLabel:
    label = QLabel(text)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setMinimumWidth(FIRST_WIDTH)  # of what follows: the window is not laid out twice
    return label
