"""The choice of a workflow, with its blocks named beneath."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QFileDialog, QWidget

from ..host.stored_rasters import ASSET_IDS, IDS, can_be_picked
from ..jobs.workflow import Workflow
from .request_model import RequestModel
from .ui_files import set_up, soften, theme_icon, tooltip

# The local engine's blocks for folders of the user's own rasters.
OWN_SCENES_BLOCKS = ("local-scenes", "up42-processing-from-storage")


class WorkflowBox(QWidget):
    """Shows the workflows of the connection's project."""

    workflow_chosen = pyqtSignal(object)  # Workflow, by the user
    scene_folder_chosen = pyqtSignal(object)  # Path
    workflows_wanted = pyqtSignal()
    rasters_wanted = pyqtSignal()  # to choose from a list of them

    def __init__(self, model: RequestModel, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "workflow_box")
        self._model = model
        self._dialog: Optional[QFileDialog] = None
        soften(self.workflowHint)
        self.sceneFolderButton.setIcon(theme_icon("mIconFolder"))
        self.sceneFolderButton.clicked.connect(self.ask_for_folder)
        self.pickRastersButton.clicked.connect(lambda: self.rasters_wanted.emit())
        self.workflowsButton.setIcon(theme_icon("mActionToggleEditing"))
        self.workflowsButton.clicked.connect(lambda: self.workflows_wanted.emit())
        self.workflowCombo.activated.connect(lambda _index: self._choose(self.workflowCombo.currentData()))
        model.catalogue_changed.connect(self._fill)
        model.changed.connect(self._show)

    def _choose(self, workflow: Workflow) -> None:
        if workflow != self._model.workflow:
            self._model.set_workflow(workflow)
            self.workflow_chosen.emit(workflow)

    def _fill(self) -> None:
        self.workflowCombo.clear()
        for workflow in self._model.catalogue.workflows if self._model.catalogue else []:
            self.workflowCombo.addItem(workflow.name, workflow)
            index = self.workflowCombo.count() - 1
            self.workflowCombo.setItemData(index, tooltip(blocks_line(workflow)), Qt.ItemDataRole.ToolTipRole)

    def _show(self) -> None:
        workflow, catalogue = self._model.workflow, self._model.catalogue
        ids = [self.workflowCombo.itemData(index).id for index in range(self.workflowCombo.count())]
        self.workflowCombo.setCurrentIndex(ids.index(workflow.id) if workflow and workflow.id in ids else -1)
        self.workflowHint.setText(blocks_line(workflow) if workflow else self.tr("This project has no workflow."))
        self.workflowHint.setToolTip(tooltip(workflow.description) if workflow else "")
        data = self._model.data_task
        own_scenes = data is not None and data.block.name in OWN_SCENES_BLOCKS
        self.sceneFolderButton.setVisible(own_scenes and catalogue is not None and catalogue.connection.is_local)

        self._show_picked()

    def _show_picked(self) -> None:
        request, data = self._model.request, self._model.data_task
        self.pickRastersButton.setVisible(can_be_picked(self._model.workflow))
        self.pickRastersButton.setEnabled(self._model.parameters_readable)
        given = (request.parameters.get(data.name) or {}) if request is not None and data is not None else {}
        count = sum(len(given[name]) for name in (ASSET_IDS, IDS) if isinstance(given.get(name), list))
        text = self.tr("Rasters Chosen: %n…", "", count) if count else self.tr("Choose Rasters…")
        self.pickRastersButton.setText(text)

    def ask_for_folder(self) -> None:
        """Have a folder of the user's rasters chosen."""
        self._dialog = QFileDialog(self, self.tr("Folder with Your Rasters"))
        self._dialog.setObjectName("sceneFolderDialog")
        self._dialog.setFileMode(QFileDialog.FileMode.Directory)
        self._dialog.setOption(QFileDialog.Option.ShowDirsOnly, True)
        self._dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._dialog.fileSelected.connect(lambda folder: self.scene_folder_chosen.emit(Path(folder)))
        self._dialog.open()


def blocks_line(workflow: Workflow) -> str:
    """The blocks in their order: `Sentinel-2 › Sharpening`."""
    return " › ".join(task.block.display_name or task.block.name for task in workflow.tasks)
