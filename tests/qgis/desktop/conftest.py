"""What tests of the dock share: a window as QGIS gives one, the real engine behind a journey, and made-up workflows."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Iterator

import pytest
from qgis.core import QgsCoordinateReferenceSystem, QgsProject, QgsRectangle, QgsSettings
from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtWidgets import QDockWidget
from shapely.geometry import box

from up42_jobs.plugin.desktop.dock import DockContent
from up42_jobs.plugin.host.connections import Connection, Kind
from up42_jobs.plugin.host.journey import Journey
from up42_jobs.plugin.host.ledger import Ledger
from up42_jobs.plugin.host.parts import Parts, make_parts
from up42_jobs.plugin.host.records import Catalogue
from up42_jobs.plugin.host.work import Works
from up42_jobs.plugin.jobs.aoi import Aoi, AoiLimits
from up42_jobs.plugin.jobs.workflow import Block, Parameter, Project, Workflow, WorkflowTask
from up42_jobs.plugin.platforms.contract import Capabilities

from .window import Window

SQUARE = Aoi(box(13.30, 52.45, 13.36, 52.49), "Square")
DATA_PARAMETERS = (
    Parameter("ids", "array", None, True),
    Parameter("bbox", "array", None, True),
    Parameter("intersects", "geometry"),
    Parameter("contains", "geometry"),
    Parameter("time", "dateRange", "2024-01-01T00:00:00Z/2024-12-31T23:59:59Z", True),
    Parameter("limit", "integer", 1, True, minimum=1, maximum=500),
    Parameter("max_cloud_cover", "integer", 100, True, minimum=0, maximum=100),
)


@pytest.fixture
def window(qgis_app, qtbot) -> Iterator[Window]:
    """A shown window with a map of Berlin's surroundings in EPSG:4326."""
    QgsProject.instance().clear()
    window = Window()
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    canvas = window.canvas
    canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    qtbot.waitUntil(lambda: canvas.mapSettings().outputSize() == canvas.viewport().size() != QSize(0, 0))
    canvas.setExtent(QgsRectangle(13.2, 52.4, 13.6, 52.6))
    yield window
    QgsProject.instance().clear()


@pytest.fixture(scope="module")
def parts(qgis_app, tmp_path_factory) -> Iterator[Parts]:
    """The real parts on an engine of this module's own."""
    patch = pytest.MonkeyPatch()
    patch.setenv("UP42_JOBS_ENGINE_DATA", str(tmp_path_factory.mktemp("engine")))
    QgsSettings().remove("up42_jobs")
    parts = replace(make_parts(), ledger=Ledger(tmp_path_factory.mktemp("ledger") / "ledger.sqlite"))
    parts.settings.output_folder = str(tmp_path_factory.mktemp("outputs"))
    yield parts
    parts.close()
    QgsSettings().remove("up42_jobs")
    patch.undo()


@pytest.fixture
def journey(parts: Parts, qtbot) -> Iterator[Journey]:
    """A journey that is stopped as unload stops it."""
    works = Works()
    journey = Journey(works, parts.connections, parts.ledger, parts.settings)
    yield journey
    journey.close()
    works.stop()


@pytest.fixture
def open_dock(window: Window, journey: Journey, parts: Parts, qtbot) -> Iterator[Callable[[], DockContent]]:
    """Show the dock's content in the window and wait for its first connection; stopped at the end."""
    opened: list[DockContent] = []

    def open_it() -> DockContent:
        content = DockContent(window, journey, parts.settings)
        opened.append(content)
        holder = QDockWidget(window)
        holder.setWidget(content)
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, holder)
        content.build()
        qtbot.waitUntil(lambda: content.model.catalogue is not None, timeout=30_000)
        return content

    yield open_it
    for content in opened:
        content.stop()


@pytest.fixture
def open_catalogue(journey: Journey, qtbot) -> Callable[[Kind], Catalogue]:
    """Open a connection of the real engine, by its kind."""

    def open_it(kind: Kind) -> Catalogue:
        connection = next(c for c in journey.connections.all() if c.kind is kind)
        got: list[Catalogue] = []
        refused: list[str] = []
        journey.open(connection, got.append, refused.append)
        qtbot.waitUntil(lambda: bool(got or refused), timeout=30_000)
        assert not refused, refused
        return got[0]

    return open_it


def block(name: str, *parameters: Parameter, is_data: bool = False, dry_run: bool = True) -> Block:
    """A block of that name."""
    return Block(f"id-{name}", name, name.title(), is_data, {p.name: p for p in parameters}, dry_run)


def workflow(name: str, *blocks: Block, project_id: str = "p") -> Workflow:
    """A workflow whose tasks are called by the contract's convention."""
    tasks: list[WorkflowTask] = []
    for one in blocks:
        tasks.append(WorkflowTask(f"{one.name}:1", one, tasks[-1].name if tasks else None))
    return Workflow(f"id-{name}-{project_id}", name, project_id, tuple(tasks))


@pytest.fixture
def free_catalogue() -> Catalogue:
    """A connection without credits and three workflows; the last one's data block has no dry run."""
    scenes = block("scenes", *DATA_PARAMETERS, is_data=True)
    strength = Parameter("strength", "string", "medium", True, choices=("light", "medium", "strong"))
    project = Project("p", "Free", aoi_limits=AoiLimits(0.1, 1000), max_scenes=20)
    return Catalogue(
        Connection("free", "Free", "", Kind.FREE, has_credits=False),
        [project],
        project,
        [
            workflow("Sharpened", scenes, block("sharpening", strength)),
            workflow("Plain", scenes),
            workflow("No Test", replace(scenes, name="other", dry_run=False)),
        ],
        None,
        Capabilities(credits=False),
    )


@pytest.fixture
def paid_catalogue(free_catalogue: Catalogue) -> Catalogue:
    """The same workflows in another project, where jobs have a price."""
    project = replace(free_catalogue.project, id="q", name="Paid")
    return replace(
        free_catalogue,
        connection=Connection("paid", "Paid", "", Kind.PRACTICE, has_credits=True),
        projects=[project],
        project=project,
        workflows=[replace(w, id=f"{w.id}-q", project_id="q") for w in free_catalogue.workflows],
        balance=1000,
        capabilities=Capabilities(credits=True),
    )
