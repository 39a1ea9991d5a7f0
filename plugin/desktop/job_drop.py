"""A job's output folder, or the job.json in it, dropped on the dock: its layers come back, and its request."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Optional

from qgis.core import QgsLayerTreeGroup
from qgis.PyQt.QtCore import QEvent, QFileInfo, QMimeData, QObject
from qgis.PyQt.QtWidgets import QWidget

from ..delivery.manifest import FILE_NAME
from ..host.handed_over import HandedOver, HandOver, request_from, without_workflow
from ..host.words import tr
from ..jobs import parameters
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

    def __init__(
        self,
        model: RequestModel,
        hand_over: HandOver,
        tell: Callable[[str, str], None],
        arrived: Callable[[QgsLayerTreeGroup], None],
        parent: Optional[QObject] = None,
    ) -> None:
        """`tell(level, text)` shows a sentence; `arrived` gets the group that is on the map now."""
        super().__init__(parent)
        self._model, self._hand_over, self._tell, self._arrived = model, hand_over, tell, arrived

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
        """Put the job of that folder or job.json on the map, and its request into the form."""
        self._hand_over.load(path, self._loaded, lambda text: self._tell("warning", text))

    def _loaded(self, job: HandedOver) -> None:
        self._arrived(job.group)
        note = self._fill_form(job)
        self._tell(
            "warning" if note and job.level == "success" else job.level, " ".join(filter(None, (job.text, note)))
        )

    def _fill_form(self, job: HandedOver) -> str:
        """Put the request into the form; what to tell where it can't be."""
        model = self._model
        if model.catalogue is None:
            return without_workflow(None)
        try:
            request = request_from(job.request, job.name, model.catalogue.project, model.catalogue.workflows)
        except LookupError as e:
            return without_workflow(e.args[0])
        except ValueError as e:
            return tr("Its request can't be read: {why}").format(why=e)
        model.set_workflow(request.workflow)
        model.set_job_type(request.job_type)
        model.set_filter(request.geometric_filter)
        model.set_aoi(request.aoi)
        model.set_text(parameters.to_text(request.parameters))
        return ""
