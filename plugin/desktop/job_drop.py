"""A job's output folder, or the job.json in it, dropped on the dock: its layers come back, and its request if asked."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Optional

from qgis.core import QgsLayerTreeGroup
from qgis.PyQt.QtCore import QEvent, QFileInfo, QMimeData, QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QWidget

from ..delivery.manifest import FILE_NAME
from ..host.handed_over import HandedOver, HandOver, request_from, without_workflow
from ..host.words import tr
from ..jobs import parameters
from ..jobs.request import JobRequest
from .messages import Messages
from .request_model import RequestModel

DRAGS = (QEvent.Type.DragEnter, QEvent.Type.DragMove)


def dropped_folder(mime: QMimeData) -> Optional[Path]:
    """The one job.json, or folder with one, in `mime`; None where there is something else."""
    urls = [url for url in mime.urls() if url.isLocalFile()] if mime.hasUrls() else []
    path = Path(urls[0].toLocalFile()) if len(urls) == 1 else None
    if path is None or not (path.name == FILE_NAME or QFileInfo(str(path / FILE_NAME)).isFile()):
        return None
    return path


class JobDrop(QObject):
    """Watches over widgets for such drops, before they see them themselves."""

    restored = pyqtSignal()  # the form has the request of what was dropped

    def __init__(
        self,
        model: RequestModel,
        hand_over: HandOver,
        messages: Messages,
        arrived: Callable[[QgsLayerTreeGroup], None],
        parent: Optional[QObject] = None,
    ) -> None:
        """`arrived` gets the group that is on the map now."""
        super().__init__(parent)
        self._model, self._hand_over, self._messages, self._arrived = model, hand_over, messages, arrived

    def watch(self, *widgets: QWidget) -> None:
        """Take drops on these widgets and on what lies in them and takes no drops itself."""
        for widget in widgets:
            widget.setAcceptDrops(True)
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """True for what is ours."""
        if event.type() not in (*DRAGS, QEvent.Type.Drop):
            return super().eventFilter(watched, event)
        path = dropped_folder(event.mimeData())
        if path is None:
            return super().eventFilter(watched, event)
        event.acceptProposedAction()
        if event.type() == QEvent.Type.Drop:
            self.load(path)
        return True

    def load(self, path: Path) -> None:
        """Put the job of that folder or job.json on the map; the form gets its request when the user says so."""
        self._hand_over.load(path, self._loaded, lambda text: self._messages.tell("warning", text))

    def _loaded(self, job: HandedOver) -> None:
        self._arrived(job.group)
        request, problem = self._request_of(job)
        if request is None:
            level = "warning" if job.level == "success" else job.level
            self._messages.tell(level, f"{job.text} {problem}")
            return
        text = tr("{text} Its request can take the place of what the form has now.").format(text=job.text)
        self._messages.ask(
            job.level, text, tr("Restore Request"), "restoreRequestButton", lambda: self._restore(request, job.name)
        )

    def _request_of(self, job: HandedOver) -> tuple[Optional[JobRequest], str]:
        """The request as one of the project that is open, or why it is none."""
        catalogue = self._model.catalogue
        if catalogue is None:
            return None, without_workflow(None)
        try:
            return request_from(job.request, job.name, catalogue.project, catalogue.workflows), ""
        except LookupError as e:
            return None, without_workflow(e.args[0])
        except ValueError as e:
            return None, tr("Its request can't be read: {why}").format(why=e)

    def _restore(self, request: JobRequest, name: str) -> None:
        model = self._model
        if model.catalogue is None or request.workflow not in model.catalogue.workflows:
            self._messages.tell("warning", without_workflow(request.workflow.name))  # another project since
            return
        model.set_workflow(request.workflow)
        model.set_job_type(request.job_type)
        model.set_filter(request.geometric_filter)
        model.set_aoi(request.aoi)
        model.set_text(parameters.to_text(request.parameters))
        self._messages.tell("success", tr("The form has the request of “{job}”.").format(job=name))
        self.restored.emit()
