"""`up42jobs:listworkflows`: the workflows of a connection as a table."""

from __future__ import annotations

from typing import Any

from ..host.words import tr
from .base import JobAlgorithm, Run
from .tables import table_output, write_table

COLUMNS = (("id", str), ("name", str), ("blocks", str))


class ListWorkflows(JobAlgorithm):
    """Lists id, name and blocks of each workflow, and prints them too."""

    def name(self) -> str:
        return "listworkflows"

    def displayName(self) -> str:
        return tr("List Workflows")

    def shortHelpString(self) -> str:
        return tr("The workflows of a connection with their blocks, as a table and printed.")

    def initAlgorithm(self, configuration: Any = None) -> None:
        self.add_connection()
        self.add(table_output("OUTPUT", tr("Workflows")))

    def work(self, run: Run) -> dict[str, Any]:
        place = self.place(run)
        rows = [
            (workflow.id, workflow.name, " → ".join(one.block.name for one in workflow.tasks))
            for workflow in place.platform.workflows(place.project)
        ]
        for workflow_id, name, blocks in rows:
            run.feedback.pushInfo(f"{workflow_id}  {name}  ({blocks})")
        return write_table(self, run, "OUTPUT", COLUMNS, rows)
