"""The one `JobRequest` that the form edits. Widgets show it and change it here; they keep no second copy of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Mapping, Optional

from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..host.records import Catalogue
from ..jobs.aoi import Aoi, GeometricFilter
from ..jobs.job import JobType
from ..jobs.parameter_views import ParameterViews
from ..jobs.parameters import defaults
from ..jobs.problem import Problem
from ..jobs.request import JobRequest
from ..jobs.workflow import Workflow, WorkflowTask

DEMO_BLOCK = "demo-s2-l2a"  # the local engine's block of made-up scenes


class RequestModel(QObject):
    """The request, the text of its parameters, and everything that is wrong with them.

    The text is the user's own: while it can't be read as parameters, the request keeps the last ones that could, and
    `problems` says what is wrong with the text, so that nothing can be sent.
    """

    changed = pyqtSignal()  # the request, its text or its problems
    catalogue_changed = pyqtSignal()  # another connection or project, or its workflows anew; `changed` follows

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self.catalogue: Optional[Catalogue] = None
        self.request: Optional[JobRequest] = None
        self.views = ParameterViews()
        self.problems: list[Problem] = []
        self._aoi_refused: Optional[Problem] = None
        self._begun_with = ""  # the workflow's name

    @property
    def workflow(self) -> Optional[Workflow]:
        """The chosen workflow."""
        return self.request.workflow if self.request else None

    @property
    def data_task(self) -> Optional[WorkflowTask]:
        """The data block's task of the chosen workflow."""
        return self.workflow.data_task if self.workflow else None

    @property
    def ready(self) -> bool:
        """True where nothing keeps the request from being sent."""
        return self.request is not None and not self.problems

    @property
    def has_price(self) -> bool:
        """True where running the request can cost credits."""
        if self.request is None or self.catalogue is None:
            return False
        return self.catalogue.capabilities.credits and self.request.job_type is JobType.LIVE_JOB

    @property
    def price_unknown(self) -> bool:
        """True where it has a price that nobody can tell before: workflows on stored data have no estimate."""
        if not self.has_price or self.catalogue is None or self.workflow is None:
            return False
        return not (self.catalogue.capabilities.estimate and self.workflow.needs_aoi)

    @property
    def text(self) -> str:
        """The parameters as JSON, as the user wrote them."""
        return self.views.text

    @property
    def parameters_readable(self) -> bool:
        """False while the text is not a set of parameters; then no other widget may write them."""
        return self.views.readable

    def set_catalogue(self, catalogue: Catalogue, workflow_id: Optional[str] = None) -> None:
        """Edit a request of this connection and project. The AOI is kept, and so is what fits the same workflow there.

        A workflow that nobody has chosen or changed is not kept: another project begins with its own first.
        `workflow_id`: the workflow to begin with where the present one is not to be had.
        """
        before = self.request
        self.catalogue = catalogue
        unchosen = before is not None and before.project != catalogue.project and self._as_it_began
        self.request = JobRequest(project=catalogue.project, aoi=before.aoi if before else None)
        if before is not None:
            self.request = replace(self.request, geometric_filter=before.geometric_filter)
        same = None if unchosen or before is None else _same_workflow(before.workflow, catalogue.workflows)
        if before is not None and same is not None:
            self.request = replace(
                self.request,
                workflow=same,
                parameters=before.parameters,
                job_type=before.job_type if before.project == catalogue.project else self._usual_job_type(same),
            )
            self.views.workflow = same
        self.catalogue_changed.emit()
        if same is None:
            by_id = {workflow.id: workflow for workflow in catalogue.workflows}
            first = catalogue.workflows[0] if catalogue.workflows else None
            begin = by_id.get(workflow_id or "", first)
            self._begun_with = begin.name if begin else ""
            self.set_workflow(begin)
        else:
            self._tell()

    def forget_workflow(self) -> None:
        """Begin with the workflow that the next `set_catalogue` names, not with the present one."""
        if self.request is not None:
            self.request = replace(self.request, workflow=None)

    def set_balance(self, balance: Optional[int]) -> None:
        """The credits that are left now; changes nothing of the request."""
        if self.catalogue is not None and self.catalogue.balance != balance:
            self.catalogue = replace(self.catalogue, balance=balance)
            self.changed.emit()

    def set_workflow(self, workflow: Optional[Workflow]) -> None:
        """Choose a workflow; its blocks' defaults become the parameters."""
        self.views.begin(workflow)
        self._change(
            workflow=workflow,
            parameters=self.views.values,
            job_type=self._usual_job_type(workflow),
            geometric_filter=self._usual_filter(workflow),
        )

    def begin_with_demo(self) -> None:
        """For an example: the demo workflow, which shows the whole way without a network, unless another was chosen."""
        if self._as_it_began:
            self.choose_demo()

    def choose_demo(self) -> bool:
        """Take the demo workflow, which needs no network; AOI and job type stay. False where there is none."""
        workflows = self.catalogue.workflows if self.catalogue else []
        demo = next((w for w in workflows if w.data_task is not None and w.data_task.block.name == DEMO_BLOCK), None)
        if demo is not None:
            self.set_workflow(demo)
        return demo is not None

    @property
    def _as_it_began(self) -> bool:
        """Whether the workflow that the form began with is in it still, with its default parameters."""
        workflow = self.workflow
        if self.request is None or workflow is None or workflow.name != self._begun_with:
            return False
        return self.request.parameters == defaults(workflow)

    def _usual_job_type(self, workflow: Optional[Workflow]) -> JobType:
        """Test Query where it has a price to save; where nothing has a price, the user's choice stays."""
        if workflow is None or not workflow.has_test_query or self.request is None or self.catalogue is None:
            return JobType.LIVE_JOB
        return JobType.TEST_QUERY if self.catalogue.capabilities.credits else self.request.job_type

    def _usual_filter(self, workflow: Optional[Workflow]) -> GeometricFilter:
        """The present filter where the data block has it, else its first."""
        present = self.request.geometric_filter if self.request else GeometricFilter.INTERSECTS
        filters = workflow.filters if workflow else ()
        return present if present in filters or not filters else filters[0]

    def set_job_type(self, job_type: JobType) -> None:
        """Choose Test Query or Live Job."""
        self._change(job_type=job_type)

    def set_aoi(self, aoi: Optional[Aoi]) -> None:
        """Take another AOI, or none."""
        self._aoi_refused = None
        self._change(aoi=aoi)

    def refuse_aoi(self, problem: Problem) -> None:
        """What was drawn or chosen can't be an AOI: there is none now, and `problems` says why."""
        self._aoi_refused = problem
        self._change(aoi=None)

    def set_filter(self, geometric_filter: GeometricFilter) -> None:
        """Choose how scenes are found by the AOI."""
        self._change(geometric_filter=geometric_filter)

    def set_parameter(self, task: str, name: str, value: Any) -> None:
        """Set one parameter; its place in the text follows. Not while the text can't be read: it is the user's."""
        self.set_parameters(task, {name: value})

    def set_parameters(self, task: str, values: Mapping[str, Any]) -> None:
        """Set several parameters of a task in one change."""
        self._edit(lambda: [self.views.set(task, name, value) for name, value in values.items()])

    def draft_parameter(self, task: str, name: str, text: str) -> None:
        """Take the JSON text of one parameter from a form's field; while it can't be read, nothing can be sent."""
        self._edit(lambda: self.views.draft(task, name, text))

    def reset_parameter(self, task: str, name: str) -> None:
        """One parameter back to its block's default."""
        self._edit(lambda: self.views.reset(task, name))

    def set_text(self, text: str) -> None:
        """Take the editor's text; the parameters follow where it can be read."""
        if self.workflow is not None:
            self._edit(lambda: self.views.type(text))

    def reset_parameters(self) -> None:
        """Back to the defaults of the workflow's blocks."""
        if self.workflow is not None:
            self._edit(lambda: self.views.begin(self.workflow))

    def _edit(self, change: Callable[[], object]) -> None:
        """Change the parameters; `changed` comes only where something did."""
        before = self.text, dict(self.views.drafts)
        change()
        if before != (self.text, self.views.drafts):
            self._change(**({"parameters": self.views.values} if self.views.readable else {}))

    def _change(self, **changes: Any) -> None:
        if self.request is None:
            return
        self.request = replace(self.request, **changes)
        self._tell()

    def _tell(self) -> None:
        self.problems = self._find_problems()
        self.changed.emit()

    def _find_problems(self) -> list[Problem]:
        if self.request is None:
            return []
        found = self.request.problems()
        if self._aoi_refused is not None:
            found = [self._aoi_refused if problem.code == "aoi_missing" else problem for problem in found]
        elsewhere = [problem for problem in found if problem.where != "parameters"]
        return elsewhere + self.views.place([problem for problem in found if problem.where == "parameters"])


def _same_workflow(wanted: Optional[Workflow], among: list[Workflow]) -> Optional[Workflow]:
    """The workflow of the same id, else of the same name (another project has ids of its own), with the same tasks."""
    if wanted is None:
        return None

    def tasks(workflow: Workflow) -> list[tuple[str, str]]:
        return [(task.name, task.block.name) for task in workflow.tasks]

    by_id = [workflow for workflow in among if workflow.id == wanted.id and tasks(workflow) == tasks(wanted)]
    alike = [each for each in among if (each.name, tasks(each)) == (wanted.name, tasks(wanted))]
    return next(iter(by_id + alike), None)
