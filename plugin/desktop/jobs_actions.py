"""The actions on the chosen job, and which of them its state allows."""

from __future__ import annotations

from typing import Any, Callable, Optional

from qgis.PyQt.QtCore import QObject, QUrl
from qgis.PyQt.QtGui import QDesktopServices, QIcon
from qgis.PyQt.QtWidgets import QAction, QApplication, QFileDialog, QInputDialog, QMenu, QMessageBox, QWidget

from ..host.job_actions import JobActions
from ..host.journey import Journey
from ..host.records import DeliveryState, JobRecord
from ..host.save_archive import archive_name, with_suffix
from ..host.words import number
from ..jobs.job import JobState, JobType, Task
from ..platforms.contract import Capabilities
from .job_words import job_title, task_title
from .ui_files import theme_icon


class JobsActions(QObject):
    """`show` says which job and task are chosen; what needs the form or the map is asked of the tab by callbacks."""

    def __init__(self, journey: Journey, window: QWidget) -> None:
        super().__init__(window)
        self._journey, self._do, self._window = journey, journey.job_actions, window
        self._record: Optional[JobRecord] = None
        self._task: Optional[Task] = None
        self._can = Capabilities()
        self.dialog: Optional[QWidget] = None  # the one that is open, kept so that it is not collected
        self._make_main()
        self._make_more()

    @property
    def do(self) -> JobActions:
        """What is done in the end."""
        return self._do

    def _make_main(self) -> None:
        self.load = self._action("loadAction", self.tr("Load"), "mActionAddLayer", self._load)
        self.collect = self._action(
            "collectAction", self.tr("Download Again"), "downloading_svg", lambda r: self._do.download(r)
        )
        self.folder = self._action("folderAction", self.tr("Open Folder"), "mIconFolderOpen", _open_folder)
        self.log = self._action("logAction", self.tr("Show Log…"), "mActionOpenTable")
        self.copy_id = self._action(
            "copyIdAction", self.tr("Copy Job ID"), "mActionEditCopy", lambda r: _copy(r.job.id)
        )
        self.refresh = self._plain("refreshJobsAction", self.tr("Refresh"), "mActionRefresh", self._journey.refresh)
        self.cancel = self._action("cancelJobAction", self.tr("Cancel Job"), "mTaskCancel", self._cancel)

    def _make_more(self) -> None:
        self.download = self._action(
            "downloadOnlyAction",
            self.tr("Download Only"),
            "downloading_svg",
            lambda r: self._do.download(r, load=False),
        )
        self.load_task = self._action("loadTaskAction", self.tr("Load Task Output"), "mActionAddLayer", self._load_task)
        self.save_archive = self._action(
            "saveArchiveAction", self.tr("Save Archive As…"), "mActionFileSaveAs", self._ask_where_to_save
        )
        self.remove_files = self._action(
            "removeFilesAction", self.tr("Remove Local Files…"), "mActionDeleteSelected", self._ask_to_remove
        )
        self.again_test = self._action("runAgainTestAction", self.tr("Run Again as Test Query…"), "mActionStart")
        self.again_live = self._action("runAgainLiveAction", self.tr("Run Again as Live Job…"), "mActionStart")
        self.duplicate = self._action("duplicateAction", self.tr("Edit as New Job"), "mActionDuplicateLayer")
        self.rename = self._action("renameJobAction", self.tr("Rename…"), "mActionRename", self._ask_for_name)
        self.show_aoi = self._action("showAoiAction", self.tr("Show AOI on Map"), "mActionZoomToArea")
        self.parameters = self._action("parametersAction", self.tr("Show Parameters…"), "mActionOptions")
        self.support = self._action(
            "supportAction",
            self.tr("Copy Support Information"),
            "mActionHelpContents",
            lambda r: self._do.support(r, _copy),
        )
        self.export = self._plain("exportTableAction", self.tr("Export Table…"), "mActionFileSaveAs")
        self.webhooks = self._plain("webhooksAction", self.tr("Webhooks…"), "mActionPropertiesWidget")

    def _plain(self, name: str, text: str, icon: str, do: Optional[Callable[[], Any]] = None) -> QAction:
        action = QAction(theme_icon(icon) if icon else QIcon(), text, self._window)
        action.setObjectName(name)
        if do is not None:
            action.triggered.connect(lambda: do())
        return action

    def _action(
        self, name: str, text: str, icon: str, do: Optional[Callable[[JobRecord], Any]] = None
    ) -> QAction:
        action = self._plain(name, text, icon)
        if do is not None:
            action.triggered.connect(lambda: do(self._record) if self._record is not None else None)
        return action

    def fill(self, menu: QMenu) -> None:
        """Put everything that can be done with a job into a menu."""
        menu.addActions([self.load, self.load_task, self.collect, self.download, self.save_archive])
        menu.addSeparator()
        menu.addActions([self.folder, self.remove_files])
        menu.addSeparator()
        menu.addActions([self.duplicate, self.again_test, self.again_live, self.rename])
        menu.addSeparator()
        menu.addActions([self.show_aoi, self.parameters, self.log, self.copy_id, self.support])
        menu.addSeparator()
        menu.addAction(self.cancel)

    def show(self, record: Optional[JobRecord], task: Optional[Task], can: Optional[Capabilities]) -> None:
        """Allow what the chosen job, or its chosen task, allows."""
        self._record, self._task, self._can = record, task, can or Capabilities()
        real = record is not None and not record.unconfirmed
        delivery = record.delivery.state if record else DeliveryState.NONE
        idle = delivery is not DeliveryState.DOWNLOADING
        ended_well = record is not None and record.job.state is JobState.SUCCEEDED
        on_disk = record is not None and record.delivery.folder is not None
        task_done = task is not None and task.state is JobState.SUCCEEDED
        self.load.setEnabled(ended_well and idle)
        self.collect.setEnabled(ended_well and idle)
        self.collect.setText(self.tr("Download Again") if on_disk else self.tr("Fetch Again") if _had_files(record)
                             else self.tr("Download and Load"))  # fmt: skip
        self.download.setEnabled(ended_well and idle and not on_disk)
        self.load_task.setEnabled(task_done)
        self.folder.setEnabled(on_disk)
        self.remove_files.setEnabled(on_disk and idle)
        self.save_archive.setEnabled(ended_well or task_done)
        self.log.setEnabled(real and self._can.logs)
        self.again_test.setEnabled(real and self._can.test_query)
        for action in (self.again_live, self.duplicate, self.rename, self.show_aoi, self.parameters, self.support):
            action.setEnabled(real)
        self.copy_id.setEnabled(real)
        self._show_cancel(record)

    def _show_cancel(self, record: Optional[JobRecord]) -> None:
        if record is not None and record.unconfirmed:
            self.cancel.setText(self.tr("Forget"))
            self.cancel.setEnabled(True)
            return
        self.cancel.setText(self.tr("Cancel Job"))
        over = record is None or record.job.state.ended or record.job.state is JobState.CANCELLING
        self.cancel.setEnabled(self._can.cancel and not over)

    def _load(self, record: JobRecord) -> None:
        if record.delivery.folder is None:
            self._do.download(record)
        else:
            self._journey.load(record)

    def _load_task(self, record: JobRecord) -> None:
        if self._task is not None:
            self._do.load_task(record, self._task)

    def _cancel(self, record: JobRecord) -> None:
        """A job that may have cost something is cancelled only after what that is was said."""
        if record.unconfirmed:
            self._journey.forget(record)
        elif not self._can.credits or record.job.job_type is JobType.TEST_QUERY:
            self._do.cancel(record)
        else:
            self._do.spent(record, lambda spent: self._ask_to_cancel(record, spent))

    def _ask_to_cancel(self, record: JobRecord, spent: Optional[int]) -> None:
        if spent is None:
            text = self.tr("What it has cost so far is not told. Tasks that are finished stay charged.")
        elif spent:
            text = self.tr(
                "{credits} credits are spent on finished tasks and stay charged; what they made can be fetched."
            ).format(credits=number(spent))
        else:
            text = self.tr("It has cost nothing so far.")
        title = self.tr("Cancel “{job}”?").format(job=job_title(record))
        self._confirm("cancelJobDialog", title, text, self.tr("Cancel Job"), lambda: self._do.cancel(record))

    def _ask_to_remove(self, record: JobRecord) -> None:
        text = self.tr(
            "{folder} goes to the wastebasket. Layers that show its files become unavailable until they are fetched"
            " again."
        ).format(folder=record.delivery.folder)
        title = self.tr("Remove the files of “{job}”?").format(job=job_title(record))
        self._confirm("removeFilesDialog", title, text, self.tr("Remove"), lambda: self._do.remove_files(record))

    def _confirm(self, name: str, title: str, text: str, word: str, do: Callable[[], None]) -> None:
        box = QMessageBox(QMessageBox.Icon.Question, title, f"{title}\n\n{text}", parent=self._window)
        box.setObjectName(name)
        go = box.addButton(word, QMessageBox.ButtonRole.AcceptRole)
        go.setObjectName(f"{name}Button")
        box.setDefaultButton(box.addButton(self.tr("Keep"), QMessageBox.ButtonRole.RejectRole))
        box.finished.connect(lambda _result: do() if box.clickedButton() is go else None)
        self._open(box)

    def _ask_for_name(self, record: JobRecord) -> None:
        dialog = QInputDialog(self._window)
        dialog.setObjectName("renameJobDialog")
        dialog.setWindowTitle(self.tr("Rename Job"))
        dialog.setLabelText(self.tr("Name"))
        dialog.setTextValue(record.job.name)
        dialog.textValueSelected.connect(
            lambda name: self._do.rename(record, name.strip()) if name.strip() not in ("", record.job.name) else None
        )
        self._open(dialog)

    def _ask_where_to_save(self, record: JobRecord) -> None:
        task = self._task
        name = archive_name(record.job)
        if task is not None:
            name = f"{task_title(task)} {name}"
        self.ask_for_file(
            "saveArchiveDialog",
            self.tr("Save Archive As"),
            self.tr("Archives (*.tar.gz)"),
            name,
            lambda path: self._do.save_archive(record, with_suffix(path), task),
        )

    def ask_for_file(self, name: str, title: str, kinds: str, suggested: str, then: Callable[[str], None]) -> None:
        """Ask for a file to write, without holding up QGIS."""
        dialog = QFileDialog(self._window, title)
        dialog.setObjectName(name)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(kinds.split(";;"))
        dialog.selectFile(suggested)
        dialog.fileSelected.connect(then)
        self._open(dialog)

    def _open(self, dialog: Any) -> None:
        self.close()
        self.dialog = dialog
        dialog.finished.connect(lambda _result: self._closed(dialog))
        dialog.open()

    def _closed(self, dialog: Any) -> None:
        dialog.deleteLater()
        if self.dialog is dialog:
            self.dialog = None

    def close(self) -> None:
        """Close what is open; for unload too."""
        if self.dialog is not None:
            self.dialog.close()


def _had_files(record: Optional[JobRecord]) -> bool:
    return record is not None and record.entry is not None and record.entry.told is not None


def _open_folder(record: JobRecord) -> None:
    if record.delivery.folder is not None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(record.delivery.folder)))


def _copy(text: str) -> None:
    QApplication.clipboard().setText(text)


