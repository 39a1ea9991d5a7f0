"""The “…” menu of the parameters: favourites, templates, recent requests, files, and what the editor can do."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Optional

from qgis.PyQt.QtCore import QDateTime, QLocale, QObject, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QFileDialog, QInputDialog, QMenu, QWidget

from ..host.aoi_recent import from_plain
from ..host.parameter_files import ParameterFiles
from ..host.parameter_shelf import Kept, ParameterShelf
from ..host.words import tr
from ..jobs import parameters
from ..jobs.aoi import Aoi, GeometricFilter
from ..jobs.job import JobType
from .parameters_templates import TemplatesDialog
from .request_model import RequestModel

Tell = Callable[[str, str], None]  # level, text
STAR = "★ "


class ParametersMenu(QObject):
    """Filled when it opens. What it takes from the shelf or a file is one step of undo in the editor."""

    watch_wanted = pyqtSignal()  # watch the search of the form
    watches_wanted = pyqtSignal()  # show what is watched

    def __init__(
        self,
        model: RequestModel,
        shelf: ParameterShelf,
        files: ParameterFiles,
        find: Callable[[], None],
        parent: QWidget,
    ) -> None:
        """`find` opens the editor's search."""
        super().__init__(parent)
        self._model, self._shelf, self._files, self._find, self._parent = model, shelf, files, find, parent
        self.tell: Tell = lambda _level, _text: None
        self.menu = QMenu(parent)
        self.menu.setObjectName("parametersMenu")
        self.menu.setToolTipsVisible(True)
        self.menu.aboutToShow.connect(self.fill)
        self.dialog: Optional[QWidget] = None

    def fill(self) -> None:
        """What there is now."""
        menu = self.menu
        menu.clear()
        templates = self._shelf.templates(self._tasks)
        for kept in templates:
            if kept.favourite:
                menu.addAction(STAR + _plain(kept.name), lambda kept=kept: self._use(kept))
        if menu.actions():
            menu.addSeparator()
        self._add_templates(menu.addMenu(tr("Templates")), templates)
        self._add_recent(menu.addMenu(tr("Recent Requests")))
        menu.addSeparator()
        self._add_watches(menu)
        menu.addSeparator()
        menu.addAction(tr("Load from File…"), self._ask_load)
        menu.addAction(tr("Save to File…"), self._ask_save)
        menu.addSeparator()
        menu.addAction(tr("Find…") + "\tCtrl+F", self._find)
        tidy = menu.addAction(tr("Tidy Up JSON"), self._tidy)
        tidy.setToolTip(tr("One parameter a line, two spaces deep"))
        tidy.setEnabled(self._model.parameters_readable)

    def _add_watches(self, menu: QMenu) -> None:
        watch = menu.addAction(tr("Watch This Search…"), self.watch_wanted.emit)
        watch.setToolTip(tr("Be told of new scenes of this search, on request or at an interval"))
        watch.setEnabled(self._model.workflow is not None and self._model.workflow.has_test_query)
        menu.addAction(tr("Watches…"), self.watches_wanted.emit)

    @property
    def _tasks(self) -> tuple[str, ...]:
        return tuple(task.name for task in self._model.workflow.tasks) if self._model.workflow else ()

    def _add_templates(self, menu: QMenu, templates: list[Kept]) -> None:
        for kept in templates:
            menu.addAction((STAR if kept.favourite else "") + _plain(kept.name), lambda kept=kept: self._use(kept))
        menu.addSeparator()
        save = menu.addAction(tr("Save as Template…"), self._ask_name)
        save.setEnabled(self._model.parameters_readable and self._model.workflow is not None)
        menu.addAction(tr("Manage Templates…"), self._manage).setEnabled(bool(templates))

    def _add_recent(self, menu: QMenu) -> None:
        menu.setToolTipsVisible(True)
        for kept in self._shelf.recent():
            when = QDateTime.fromString(kept.when, Qt.DateFormat.ISODate).toLocalTime()
            words = f"{kept.name or kept.workflow} ({QLocale().toString(when, QLocale.FormatType.ShortFormat)})"
            action = menu.addAction(_plain(words), lambda kept=kept: self._use_request(kept))
            with_aoi = tr("Workflow, job type, AOI, geometric filter and parameters")
            without = tr("Workflow, job type, geometric filter and parameters; the AOI stays")
            action.setToolTip(with_aoi if kept.aoi else without)
            action.setEnabled(self._workflow_of(kept) is not None)
        menu.setEnabled(bool(menu.actions()))

    def _use(self, kept: Kept) -> None:
        self._model.set_text(kept.text)

    def _workflow_of(self, kept: Kept):
        """The workflow of that name and tasks, else one of the same tasks."""
        catalogue = self._model.catalogue
        workflows = [
            w for w in (catalogue.workflows if catalogue else []) if tuple(t.name for t in w.tasks) == kept.tasks
        ]
        return next((w for w in workflows if w.name == kept.workflow), next(iter(workflows), None))

    def _use_request(self, kept: Kept) -> None:
        """The whole request as it was sent, and say what came back; nothing is sent by that."""
        model, workflow = self._model, self._workflow_of(kept)
        if workflow is None:
            return
        if workflow != model.workflow:
            model.set_workflow(workflow)
        job_types = {one.value: one for one in JobType}
        if kept.job_type in job_types:
            model.set_job_type(job_types[kept.job_type])
        filters = {f.value: f for f in GeometricFilter}
        if filters.get(kept.geometric_filter) in workflow.filters:
            model.set_filter(filters[kept.geometric_filter])
        aoi = from_plain(kept.aoi)
        if aoi is not None and aoi != model.request.aoi:
            model.set_aoi(aoi)
        model.set_text(kept.text)
        self.tell("info", self._restored(kept, aoi))

    @staticmethod
    def _restored(kept: Kept, aoi: Optional[Aoi]) -> str:
        text = tr("“{name}” is in the form again as it was sent, but the AOI is still the present one.")
        if aoi is not None:
            text = tr("“{name}” is in the form again as it was sent, with its AOI “{aoi}”.")
        return text.format(name=kept.name or kept.workflow, aoi=aoi.name if aoi is not None else "")

    def _ask_name(self) -> None:
        dialog = QInputDialog(self._parent)
        dialog.setObjectName("templateNameDialog")
        dialog.setWindowTitle(tr("Save as Template"))
        dialog.setLabelText(tr("Name"))
        dialog.setTextValue(self._model.workflow.name if self._model.workflow else "")
        dialog.textValueSelected.connect(self.save_as)
        self._open(dialog)

    def save_as(self, name: str) -> None:
        """Keep the parameters by that name, in place of an older template of the same name."""
        workflow = self._model.workflow
        if workflow is None or not name.strip():
            return
        kept = Kept(name.strip(), workflow.name, self._tasks, self._model.text)
        if self._shelf.save(kept):
            self.tell("success", tr("The parameters are kept as “{name}”.").format(name=kept.name))
        else:
            words = tr("“{name}” was not kept: it is too large, or there are too many templates. Save it to a file.")
            self.tell("warning", words.format(name=kept.name))

    def _manage(self) -> None:
        self._open(TemplatesDialog(self._shelf, self._tasks, self._parent))

    def _ask_load(self) -> None:
        dialog = self._file_dialog(tr("Load Parameters"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: self.load(Path(path)))
        self._open(dialog)

    def _ask_save(self) -> None:
        dialog = self._file_dialog(tr("Save Parameters"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("json")
        dialog.fileSelected.connect(lambda path: self.save(Path(path)))
        self._open(dialog)

    def load(self, path: Path) -> None:
        """Put a file's text into the editor, be it right or wrong."""
        self._files.load(path, self._model.set_text, lambda text: self.tell("warning", text))

    def save(self, path: Path) -> None:
        """Write the text as it is."""
        said = tr("The parameters are saved as {path}.")
        self._files.save(
            path,
            self._model.text,
            lambda written: self.tell("success", said.format(path=written)),
            lambda text: self.tell("warning", text),
        )

    def _file_dialog(self, title: str) -> QFileDialog:
        dialog = QFileDialog(self._parent, title)
        dialog.setObjectName("parametersFileDialog")
        dialog.setNameFilters([tr("JSON files") + " (*.json *.geojson *.txt)", tr("All files") + " (*)"])
        return dialog

    def _open(self, dialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog = dialog
        dialog.destroyed.connect(lambda: setattr(self, "dialog", None))
        dialog.open()

    def _tidy(self) -> None:
        if self._model.parameters_readable:
            self._model.set_text(parameters.to_text(self._model.views.values))


def _plain(text: str) -> str:
    return text.replace("&", "&&")
