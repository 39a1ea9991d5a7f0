"""*Watches*: the searches that are made again, what is new of each, and what to do with it."""

from __future__ import annotations

from typing import Callable, Optional

from qgis.PyQt.QtCore import QDateTime, QSignalBlocker, Qt, pyqtSignal, pyqtSlot
from qgis.PyQt.QtWidgets import QDialog, QHeaderView, QTreeWidgetItem, QWidget

from ..host.watch_store import Watch
from ..host.watches import Watches, day, fresh_count, new_in_words
from ..host.words import number
from ..jobs.job import Scene
from .ui_files import set_up, theme_icon

WATCH_ROLE = Qt.ItemDataRole.UserRole
NAME, NEW, LOOKED = range(3)


class WatchesDialog(QDialog):
    """Not modal; deleted when closed. Shows what `Watches` has, and goes along with it."""

    form_wanted = pyqtSignal(object)  # Watch: a Live Job of its new scenes

    def __init__(self, watches: Watches, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "watches_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._watches = watches
        self._wanted: Optional[int] = None  # id of the watch to choose as soon as it is there
        intervals = ((self.tr("When Asked"), None), (self.tr("Every Hour"), 1.0), (self.tr("Every Day"), 24.0),
                     (self.tr("Every Week"), 168.0))  # fmt: skip
        for words, hours in intervals:
            self.intervalCombo.addItem(words, hours)
        header = self.watchesTree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column in (NEW, LOOKED):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.watchesTree.headerItem().setTextAlignment(NEW, Qt.AlignmentFlag.AlignHCenter)
        self.lookButton.setIcon(theme_icon("mActionRefresh"))
        self._connect()
        self._show()

    def _connect(self) -> None:
        self.watchesTree.currentItemChanged.connect(lambda _now, _before: self._show_chosen())
        self.intervalCombo.activated.connect(self._set_interval)
        self.lookButton.clicked.connect(lambda: self._with(lambda watch: self._watches.look([watch])))
        self.seenButton.clicked.connect(lambda: self._with(self._watches.mark_seen))
        self.removeWatchButton.clicked.connect(lambda: self._with(self._watches.remove))
        self.formButton.clicked.connect(lambda: self._with(self.form_wanted.emit))
        self._watches.changed.connect(self._show)  # a slot of Qt's: it ends with the dialog

    def choose(self, watch_id: int) -> None:
        """Choose that watch's row, now or when it comes."""
        self._wanted = watch_id
        self._show()

    @property
    def chosen(self) -> Optional[Watch]:
        """The watch of the chosen row, or of the scene's that is chosen."""
        item = self.watchesTree.currentItem()
        if item is None:
            return None
        return (item.parent() or item).data(NAME, WATCH_ROLE)

    def _with(self, do: Callable[[Watch], object]) -> None:
        watch = self.chosen
        if watch is not None:
            do(watch)

    def _set_interval(self, index: int) -> None:
        self._with(lambda watch: self._watches.set_hours(watch, self.intervalCombo.itemData(index)))

    @pyqtSlot()
    def _show(self) -> None:
        before, tree = self.chosen, self.watchesTree
        wanted = self._wanted if self._wanted is not None else before.id if before is not None else None
        with QSignalBlocker(tree):
            tree.clear()
            for watch in self._watches.all:
                item = self._item(watch)
                if watch.id == wanted:
                    tree.setCurrentItem(item)
                    self._wanted = None
            if tree.currentItem() is None and tree.topLevelItemCount():
                tree.setCurrentItem(tree.topLevelItem(0))
        self._show_chosen()

    def _item(self, watch: Watch) -> QTreeWidgetItem:
        item = QTreeWidgetItem([watch.name, fresh_count(watch) if watch.fresh else "", self._looked_text(watch)])
        item.setData(NAME, WATCH_ROLE, watch)
        item.setToolTip(NAME, watch.name)
        item.setTextAlignment(NEW, Qt.AlignmentFlag.AlignHCenter)
        if watch.fresh:
            font = item.font(NAME)
            font.setBold(True)
            item.setFont(NAME, font)
        self.watchesTree.addTopLevelItem(item)
        for scene in watch.fresh:
            child = QTreeWidgetItem([_scene_text(scene)])
            child.setToolTip(NAME, scene.id)
            item.addChild(child)
            child.setFirstColumnSpanned(True)
        item.setExpanded(bool(watch.fresh))
        return item

    def _looked_text(self, watch: Watch) -> str:
        if self._watches.looks(watch):
            return self.tr("looking…")
        if watch.id in self._watches.errors:
            return self.tr("failed")
        if not watch.looked:
            return self.tr("never")
        return QDateTime.fromSecsSinceEpoch(int(watch.looked)).toString("yyyy-MM-dd hh:mm")

    def _show_chosen(self) -> None:
        watch = self.chosen
        connection = self._watches.connection_of(watch) if watch is not None else None
        looking = watch is not None and self._watches.looks(watch)
        self.watchLabel.setText(self._text(watch))
        for widget in (self.intervalLabel, self.intervalCombo):
            widget.setEnabled(connection is not None)
        hours = watch.hours if watch is not None else None
        self.intervalCombo.setCurrentIndex(max(0, self.intervalCombo.findData(hours)))
        self.lookButton.setEnabled(connection is not None and not looking)
        self.formButton.setEnabled(connection is not None and bool(watch and watch.fresh))
        self.seenButton.setEnabled(bool(watch and watch.fresh) and not looking)
        self.removeWatchButton.setEnabled(watch is not None and not looking)

    def _text(self, watch: Optional[Watch]) -> str:
        """What it is, and what came of it."""
        if watch is None:
            return self.tr(
                "Nothing is watched yet. Fill in the form of a new job, then choose Watch This Search… in the menu “…”"
                " of its parameters. Or choose it for a Test Query in Scenes."
            )
        connection = self._watches.connection_of(watch)
        if connection is None:
            return self.tr("{name}\nIts connection was removed: it can look no more.").format(name=watch.name)
        first = self.tr("{name}, on {connection}").format(name=watch.name, connection=connection.title)
        error = self._watches.errors.get(watch.id)
        if error:
            return f"{first}\n" + self.tr("The last look failed. {why}").format(why=error)
        if not watch.looked:
            return first
        if watch.fresh:
            return f"{first}\n{new_in_words(watch)}"
        return f"{first}\n" + self.tr("Nothing new since {day}.").format(day=day(watch.since))


def _scene_text(scene: Scene) -> str:
    date = f"{scene.acquired_at:%Y-%m-%d}" if scene.acquired_at else ""
    cloud = f"{number(scene.cloud_cover)} %" if scene.cloud_cover is not None else ""
    return " · ".join(text for text in (date, cloud, scene.id) if text)
