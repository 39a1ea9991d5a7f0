"""*Workflows…*: make, copy, change and delete the workflows of a project, and hand them on as files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Optional, Sequence

from qgis.PyQt.QtCore import Qt, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import QDialog, QListWidgetItem, QMenu, QWidget

from ..host.records import Catalogue
from ..host.work import Work
from ..host.workflow_edits import WorkflowEdits, Workshop
from ..jobs.workflow import MAX_PROCESSING_BLOCKS, Block, Workflow
from .ui_files import set_up, tooltip
from .workflow_box import blocks_line
from .workflows_questions import ask_for_export, ask_for_import, ask_to_delete

ITEM = Qt.ItemDataRole.UserRole


class WorkflowsDialog(QDialog):
    """Not modal; deleted when closed, after a change that is under way. Each act is one change at the platform, after
    which everything is read anew; to choose another workflow asks only for what can follow it.
    """

    left = pyqtSignal(str)  # at the end, where something was changed: the id of the workflow chosen last, or ""

    def __init__(
        self, edits: WorkflowEdits, catalogue: Catalogue, chosen: str, parent: Optional[QWidget] = None
    ) -> None:
        super().__init__(parent)
        set_up(self, "workflows_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Workflows of {project}").format(project=catalogue.project.name))
        self._edits, self._connection, self._project = edits, catalogue.connection, catalogue.project
        self._shop = Workshop(catalogue.workflows, [], chosen, ())
        self._changed = False
        self._filling = False
        self._work: Optional[Work] = None
        self._changing = False  # that work changes something
        self._leaving: Optional[int] = None  # it is to be closed with this result, once the change has ended
        self._asked: Optional[QWidget] = None  # a file dialog or a question, while it is open
        self._connect()
        self._tell("")
        self._read(chosen)

    def _connect(self) -> None:
        self.finished.connect(self._closed)
        self.workflowList.currentItemChanged.connect(self._choose)
        self.blockList.currentRowChanged.connect(lambda _row: self._show_buttons())
        self.addBlockCombo.currentIndexChanged.connect(lambda _index: self._show_hint())
        self.newWorkflowButton.setMenu(QMenu(self.newWorkflowButton))
        self.copyWorkflowButton.clicked.connect(self._copy)
        self.deleteWorkflowButton.clicked.connect(self._ask_to_delete)
        self.importWorkflowButton.clicked.connect(self._ask_for_import)
        self.exportWorkflowButton.clicked.connect(self._ask_for_export)
        self.workflowNameEdit.editingFinished.connect(self._rename)
        self.workflowTextEdit.editingFinished.connect(self._rename)
        self.addBlockButton.clicked.connect(self._add)
        self.removeBlockButton.clicked.connect(self._remove)

    @property
    def workflow(self) -> Optional[Workflow]:
        """The workflow that is shown."""
        return self.workflow_of(self._shop.chosen)

    def workflow_of(self, workflow_id: str) -> Optional[Workflow]:
        """The workflow of that id, as it was read last."""
        return next((each for each in self._shop.workflows if each.id == workflow_id), None)

    # -- what is shown

    def _show(self, shop: Workshop) -> None:
        self._shop, self._filling = shop, True
        self.workflowList.clear()
        for workflow in shop.workflows:
            item = QListWidgetItem(workflow.name)
            item.setData(ITEM, workflow.id)
            item.setToolTip(tooltip(blocks_line(workflow)))
            self.workflowList.addItem(item)
            if workflow.id == shop.chosen:
                self.workflowList.setCurrentItem(item)
        self._show_new_menu()
        self._show_workflow()
        self._filling = False
        self._show_buttons()
        self._show_hint()

    def _show_new_menu(self) -> None:
        menu = self.newWorkflowButton.menu()
        menu.clear()
        for block in sorted((b for b in self._shop.blocks if b.is_data), key=lambda b: b.display_name.lower()):
            menu.addAction(block.display_name, lambda block=block: self._create(block.display_name, [block]))

    def _show_workflow(self) -> None:
        workflow = self.workflow
        self.workflowEditBox.setEnabled(workflow is not None)
        self.workflowNameEdit.setText(workflow.name if workflow else "")
        self.workflowTextEdit.setText(workflow.description if workflow else "")
        self.workflowTextEdit.setCursorPosition(0)
        self.blockList.clear()
        for task in workflow.tasks if workflow else ():
            item = QListWidgetItem(task.block.display_name or task.block.name)
            item.setToolTip(tooltip(task.block.description))
            self.blockList.addItem(item)
        self.blockList.setCurrentRow(self.blockList.count() - 1)
        self.addBlockCombo.clear()
        for block in sorted(self._fitting(), key=lambda b: b.display_name.lower()):
            self.addBlockCombo.addItem(block.display_name, block)

    def _fitting(self) -> list[Block]:
        return [block for block in self._shop.blocks if block.id in self._shop.fitting and not block.is_data]

    def _show_buttons(self) -> None:
        idle, workflow = self._work is None, self.workflow
        self.newWorkflowButton.setEnabled(idle and any(block.is_data for block in self._shop.blocks))
        self.importWorkflowButton.setEnabled(idle)
        for button in (self.copyWorkflowButton, self.deleteWorkflowButton, self.exportWorkflowButton):
            button.setEnabled(idle and workflow is not None)
        self.copyWorkflowButton.setEnabled(idle and workflow is not None and bool(workflow.tasks))
        self.addBlockButton.setEnabled(idle and self.addBlockCombo.count() > 0)
        self.removeBlockButton.setEnabled(idle and self.blockList.currentRow() > 0)

    def _show_hint(self) -> None:
        block = self.addBlockCombo.currentData()
        if block is not None:
            self.blockHint.setText(block.description)
        elif self.workflow is None or self._work is not None:
            self.blockHint.setText("")
        elif len(self.workflow.tasks) > MAX_PROCESSING_BLOCKS:
            self.blockHint.setText(self.tr("These are as many blocks as a workflow can have."))
        else:
            self.blockHint.setText(self.tr("No block can work on what the last one gives."))

    # -- what is done

    def _choose(self, item: Optional[QListWidgetItem], _before: Optional[QListWidgetItem]) -> None:
        if item is None or self._filling:
            return
        if self._changing:  # its answer shows what was made; Qt is in the middle of choosing another row
            QTimer.singleShot(0, self._choose_again)
        elif not self._shop.blocks or self.workflow_of(item.data(ITEM)) is None:
            self._read(item.data(ITEM))
        else:
            self._ask_what_fits(item.data(ITEM))

    def _choose_again(self) -> None:
        """The row of the workflow that is shown."""
        rows = range(self.workflowList.count())
        self._filling = True
        self.workflowList.setCurrentRow(
            next((row for row in rows if self.workflowList.item(row).data(ITEM) == self._shop.chosen), -1)
        )
        self._filling = False

    def _ask_what_fits(self, chosen: str) -> None:
        """Show a workflow as it was read last, and ask what can follow it."""
        if self._work is not None:
            self._work.cancel()
        self._shop = replace(self._shop, chosen=chosen, fitting=())
        workflow = self.workflow_of(chosen)
        self._tell("")

        def got(ids: tuple[str, ...]) -> None:
            self._work = None
            self._shop = replace(self._shop, fitting=ids)
            self._show_workflow()
            self._show_buttons()
            self._show_hint()

        # A workflow that is gone is seen in what there is now; so is why nothing can be asked.
        self._work = self._edits.fitting(self._connection, workflow, got, lambda _text: self._read(chosen))
        self._show_workflow()
        self._show_buttons()
        self._show_hint()

    def _read(self, chosen: str) -> None:
        self._ask(lambda *ends: self._edits.read(self._connection, self._project, chosen, *ends), changes=False)

    def _create(self, name: str, blocks: Sequence[Block], description: str = "") -> None:
        self._ask(
            lambda *ends: self._edits.create(
                self._connection, self._project, self._free_name(name), blocks, *ends, description
            )
        )

    def _free_name(self, name: str) -> str:
        """`name`, with a number behind it where there is a workflow of that name."""
        taken = {workflow.name for workflow in self._shop.workflows}
        names = [name, *(f"{name} {number}" for number in range(2, len(taken) + 3))]
        return next(each for each in names if each not in taken)

    def _copy(self) -> None:
        workflow = self.workflow
        if workflow is not None:
            self._create(workflow.name, [task.block for task in workflow.tasks], workflow.description)

    def _rename(self) -> None:
        workflow, name = self.workflow, self.workflowNameEdit.text().strip()
        description = self.workflowTextEdit.text().strip()
        if workflow is None or self._work is not None or (name, description) == (workflow.name, workflow.description):
            return
        if not name:
            self.workflowNameEdit.setText(workflow.name)
            self._tell(self.tr("A workflow needs a name, so it keeps this one."))
            return
        self._ask(lambda *ends: self._edits.rename(self._connection, self._project, workflow, name, description, *ends))

    def _add(self) -> None:
        block = self.addBlockCombo.currentData()
        if block is not None and self.workflow is not None:
            self._set_blocks([*(task.block for task in self.workflow.tasks), block])

    def _remove(self) -> None:
        row = self.blockList.currentRow()
        if row > 0 and self._work is None and self.workflow is not None:
            self._set_blocks([task.block for place, task in enumerate(self.workflow.tasks) if place != row])

    def _set_blocks(self, blocks: Sequence[Block]) -> None:
        workflow = self.workflow
        self._ask(lambda *ends: self._edits.set_blocks(self._connection, self._project, workflow, blocks, *ends))

    def _ask_to_delete(self) -> None:
        workflow = self.workflow
        if workflow is None:
            return
        self._open(ask_to_delete(self, workflow.name, lambda: self._delete(workflow)))

    def _delete(self, workflow: Workflow) -> None:
        self._ask(lambda *ends: self._edits.delete(self._connection, self._project, workflow, *ends))

    def _ask_for_import(self) -> None:
        self._open(ask_for_import(self, self._import))

    def _import(self, path: Path) -> None:
        self._ask(lambda *ends: self._edits.import_file(self._connection, self._project, path, *ends))

    def _ask_for_export(self) -> None:
        workflow = self.workflow
        if workflow is None:
            return
        self._open(ask_for_export(self, lambda path: self._export(workflow, path)))

    def _export(self, workflow: Workflow, path: Path) -> None:
        def written(where: Path) -> None:
            self._tell(self.tr("“{name}” is written to {path}.").format(name=workflow.name, path=where))

        self._edits.export_file(workflow, path, written, self._tell)

    def _open(self, dialog: Any) -> None:
        """Without a loop of its own; kept until it is closed."""
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._asked = dialog
        dialog.open()

    # -- asking and being answered

    def _ask(self, start: Callable[..., Work], changes: bool = True) -> None:
        def answered(shop: Workshop) -> None:
            self._ended()
            self._changed = self._changed or changes
            self._tell("")
            self._show(shop)
            self._leave()

        def failed(text: str) -> None:
            self._ended()
            self._show(self._shop)
            self._tell(text)
            self._leave()

        if self._work is not None and not self._changing:
            self._work.cancel()
        self._changing = changes
        self._work = start(answered, failed)
        self._show_buttons()

    def _ended(self) -> None:
        self._work, self._changing = None, False

    def _tell(self, text: str) -> None:
        self.workflowMessage.setText(text)
        self.workflowMessage.setVisible(bool(text))

    def done(self, result: int) -> None:
        """A change that is under way is never left half-done: the dialog hides, and is closed when it has ended."""
        if self._changing:
            self._leaving = result
            self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
            self.hide()
        else:
            super().done(result)

    def _leave(self) -> None:
        if self._leaving is not None:
            self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            super().done(self._leaving)
            self.deleteLater()  # hidden already, it is not closed once more

    def _closed(self) -> None:
        if self._work is not None:
            self._work.cancel()
            self._work = None
        if self._changed:
            self.left.emit(self._shop.chosen)
