"""What was delivered goes onto the map of its project, or it is said where it lies."""

from __future__ import annotations

from pathlib import Path

from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..jobs.job import Job, JobState, JobType
from ..layers.load import JobLayers
from . import followups
from .arrival_news import ArrivalNews
from .collect import Prepared, prepare
from .connections import Connection, Connections
from .endings import Ending, EndKind
from .errors import explain
from .later_overviews import LaterOverviews
from .ledger import Ledger
from .mend import mend_layers
from .order import Order
from .origin import CurrentProject
from .put_layers import PutLayers
from .records import Delivery, DeliveryState
from .words import tr
from .work import Works


class Placing(QObject):
    """Layers go only into the project that the job was started from, or that is open as the user asks for them."""

    arrived = pyqtSignal(str, object)  # job id, the QgsLayerTreeGroup

    def __init__(
        self,
        works: Works,
        connections: Connections,
        ledger: Ledger,
        project: CurrentProject,
        news: ArrivalNews,
        overviews: LaterOverviews,
    ) -> None:
        super().__init__()
        self._works, self._connections, self._ledger = works, connections, ledger
        self._project, self._news, self._overviews = project, news, overviews

    def take(self, order: Order, prepared: Prepared) -> None:
        """What was delivered just now."""
        self._news.show(order, Delivery(DeliveryState.DELIVERED, 1.0, prepared.folder))
        if not self._mended(order, prepared.folder):
            self._place(order, prepared)

    def _mended(self, order: Order, folder: Path) -> bool:
        """Where layers in the open project had lost these files, they show them again; then no others are added."""
        if not order.asked or order.task is not None or not mend_layers(order.job.id, folder):
            return False
        self._news.show(order, Delivery(DeliveryState.LOADED, 1.0, folder))
        text = tr("The layers of “{job}” have their files again.").format(job=order.name)
        ending = Ending(EndKind.LOADED, *order.key, "success", text)
        self._news.note(
            lambda: self._ledger.note_loaded(*order.key), lambda _none: self._news.tell_asked(order, ending)
        )
        return True

    def _place(self, order: Order, prepared: Prepared) -> None:
        """Put what was delivered on the map of its project, or say where it is."""
        if not order.load:
            text = tr("The outputs of “{job}” are in {folder}.").format(job=order.name, folder=prepared.folder)
            self._news.tell_asked(order, Ending(EndKind.LOADED, *order.key, "success", text))
        elif order.asked:
            self._put(order, prepared)
        elif self._project.is_origin(order.origin):
            self._news.note(
                lambda: followups.claim_loading(self._ledger, *order.key),
                lambda claimed: self._put(order, prepared) if claimed else None,
            )
        else:
            self._tell_ready(order, prepared.folder)

    def _tell_ready(self, order: Order, folder: Path) -> None:
        text = tr("“{job}” is ready in {folder}. It was started from another project.")
        text = text.format(job=order.name, folder=folder)
        self._news.tell_once(order, Ending(EndKind.READY, *order.key, "info", text))

    def load(self, connection: Connection, job: Job, folder: Path) -> None:
        """Put a delivered folder on the map of the project that is open now, as the user asked."""
        self.bring(Order(connection, job, self._project.origin, asked=True), folder)

    def load_what_belongs_here(self) -> None:
        """Put on the map what was delivered for the open project while it was closed. No network."""
        origin = self._project.origin
        self._overviews.build_for_project()

        def found(unloaded: list[followups.Unloaded]) -> None:
            for one in unloaded:
                connection = self._connections.by_id(one.connection)
                if connection is not None and not self._news.is_downloading((one.connection, one.job)):
                    job = Job(one.job, "", one.folder.name, JobState.SUCCEEDED, "", JobType.LIVE_JOB, "", "")
                    self.bring(Order(connection, job, origin), one.folder)

        self._news.note(
            lambda: [u for u in followups.unloaded(self._ledger, origin.project_file) if u.folder.is_dir()], found
        )

    def bring(self, order: Order, folder: Path) -> None:
        """Make a delivered folder ready, then put it where it belongs."""
        self._news.show(order, Delivery(DeliveryState.DELIVERED, 1.0, folder))
        here = self._project.origin

        def prepared_is(prepared: Prepared) -> None:
            if not order.asked or self._project.is_origin(here):
                self._place(order, prepared)

        self._works.start(
            tr("Prepare layers"),
            lambda _cancel, _progress: prepare(folder),
            shown=False,
            succeeded=prepared_is,
            failed=lambda error: self._not_loaded(order, folder, explain(error)),
        )

    def _not_loaded(self, order: Order, folder: Path, message: str) -> None:
        self._news.show(order, Delivery(DeliveryState.FAILED, 1.0, folder, message))
        text = tr("The outputs in {folder} were not loaded. {why}").format(folder=folder, why=message)
        self._news.endings.add(Ending(EndKind.NOT_DELIVERED, *order.key, "warning", text))

    def _put(self, order: Order, prepared: Prepared) -> None:
        PutLayers(prepared, lambda layers: self._loaded(order, prepared, layers), self)

    def _loaded(self, order: Order, prepared: Prepared, layers: JobLayers) -> None:
        if sip.isdeleted(layers.group):  # the project was closed, or the group removed, meanwhile
            self._news.note(lambda: followups.give_up_loading(self._ledger, *order.key))
            self._tell_ready(order, prepared.folder)
            return
        ending = Ending(EndKind.LOADED, *order.key, *prepared.sentence(layers.failed))
        if order.task is not None:
            self._news.endings.add(ending)
        else:
            self._news.show(order, Delivery(DeliveryState.LOADED, 1.0, prepared.folder))
            self._news.note(
                lambda: self._ledger.note_loaded(*order.key), lambda _none: self._news.tell_asked(order, ending)
            )
        self.arrived.emit(order.job.id, layers.group)
        self._overviews.build([found.path for found in prepared.scan.found])

    def close(self) -> None:
        """Add no more layers; for unload."""
        for coming in self.findChildren(PutLayers):
            coming.stop()
