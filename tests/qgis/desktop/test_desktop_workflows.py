"""Workflows made, changed, copied, deleted and handed on in their dialog, on the real engine."""

from __future__ import annotations

import json

import pytest
from qgis.PyQt.QtWidgets import QFileDialog, QMessageBox

from up42_jobs.plugin.desktop.workflows_dialog import WorkflowsDialog
from up42_jobs.plugin.host.connections import Kind
from up42_jobs.plugin.host.work import Works
from up42_jobs.plugin.host.workflow_edits import WorkflowEdits


@pytest.fixture
def catalogue(open_catalogue):
    return open_catalogue(Kind.FREE)


@pytest.fixture
def dialog(parts, catalogue, qtbot):
    works = Works()
    dialog = WorkflowsDialog(WorkflowEdits(works, parts.connections), catalogue, catalogue.workflows[0].id)
    dialog.chosen_at_the_end = []
    dialog.left.connect(dialog.chosen_at_the_end.append)
    qtbot.addWidget(dialog)
    dialog.show()
    idle(dialog, qtbot)
    yield dialog
    works.stop()


def idle(dialog, qtbot):
    qtbot.waitUntil(lambda: dialog._work is None, timeout=20_000)


def click(button, dialog, qtbot):
    assert button.isEnabled()
    button.click()
    idle(dialog, qtbot)


def names(dialog):
    return [dialog.workflowList.item(row).text() for row in range(dialog.workflowList.count())]


def blocks(dialog):
    return [dialog.blockList.item(row).text() for row in range(dialog.blockList.count())]


def make(dialog, qtbot, data_block="Demo Sentinel-2 Scenes"):
    action = next(a for a in dialog.newWorkflowButton.menu().actions() if a.text() == data_block)
    action.trigger()
    idle(dialog, qtbot)


def add(dialog, qtbot, block):
    dialog.addBlockCombo.setCurrentIndex(dialog.addBlockCombo.findText(block))
    assert dialog.addBlockCombo.currentText() == block
    click(dialog.addBlockButton, dialog, qtbot)


def delete(dialog, qtbot):
    dialog.deleteWorkflowButton.click()
    question = dialog.findChild(QMessageBox, "deleteWorkflowQuestion")
    assert question.defaultButton() is question.button(QMessageBox.StandardButton.Cancel)
    next(b for b in question.buttons() if b.objectName() == "reallyDeleteButton").click()
    idle(dialog, qtbot)


def test_a_workflow_is_made_block_by_block_renamed_copied_and_deleted(dialog, qtbot):
    before = names(dialog)
    make(dialog, qtbot)
    assert names(dialog)[0] == "Demo Sentinel-2 Scenes"  # made last, listed first, and chosen
    assert dialog.workflowNameEdit.text() == "Demo Sentinel-2 Scenes"
    assert not dialog.removeBlockButton.isEnabled()  # a line without a data block can't run
    add(dialog, qtbot, "Sharpening")
    assert blocks(dialog) == ["Demo Sentinel-2 Scenes", "Sharpening"]
    dialog.workflowNameEdit.setText("Crisp")
    dialog.workflowNameEdit.editingFinished.emit()
    idle(dialog, qtbot)
    click(dialog.copyWorkflowButton, dialog, qtbot)
    assert names(dialog)[:2] == ["Crisp 2", "Crisp"]
    assert blocks(dialog) == ["Demo Sentinel-2 Scenes", "Sharpening"]
    dialog.blockList.setCurrentRow(1)
    click(dialog.removeBlockButton, dialog, qtbot)
    assert blocks(dialog) == ["Demo Sentinel-2 Scenes"]
    delete(dialog, qtbot)
    assert names(dialog) == ["Crisp", *before]
    dialog.workflowList.setCurrentRow(0)
    idle(dialog, qtbot)
    assert blocks(dialog) == ["Demo Sentinel-2 Scenes", "Sharpening"]  # the copy's blocks were its own
    delete(dialog, qtbot)
    assert names(dialog) == before
    dialog.close()
    assert dialog.chosen_at_the_end == [""]


def test_only_blocks_that_fit_are_offered(dialog, qtbot):
    make(dialog, qtbot)
    offered = [dialog.addBlockCombo.itemText(row) for row in range(dialog.addBlockCombo.count())]
    assert "NDVI" in offered and "Demo Sentinel-2 Scenes" not in offered
    add(dialog, qtbot, "NDVI")
    assert "NDVI" not in [dialog.addBlockCombo.itemText(row) for row in range(dialog.addBlockCombo.count())]
    delete(dialog, qtbot)


def test_five_processing_blocks_are_the_most(dialog, qtbot):
    make(dialog, qtbot)
    for _ in range(5):
        add(dialog, qtbot, "Sharpening")
    assert dialog.addBlockCombo.count() == 0
    assert not dialog.addBlockButton.isEnabled()
    assert "as many blocks" in dialog.blockHint.text()
    delete(dialog, qtbot)


def test_a_workflow_is_handed_on_as_a_file(dialog, qtbot, tmp_path):
    make(dialog, qtbot)
    add(dialog, qtbot, "NDVI")
    dialog.exportWorkflowButton.click()
    chooser = dialog.findChild(QFileDialog, "exportWorkflowDialog")
    path = tmp_path / "mine.json"
    chooser.fileSelected.emit(str(path))
    qtbot.waitUntil(lambda: str(path) in dialog.workflowMessage.text(), timeout=10_000)
    chooser.close()
    assert json.loads(path.read_text())["blocks"] == ["demo-s2-l2a", "ndvi"]
    delete(dialog, qtbot)
    before = names(dialog)
    import_file(dialog, qtbot, path)
    assert names(dialog) == ["Demo Sentinel-2 Scenes", *before]
    assert blocks(dialog) == ["Demo Sentinel-2 Scenes", "NDVI"]
    delete(dialog, qtbot)


def import_file(dialog, qtbot, path):
    dialog.importWorkflowButton.click()
    chooser = dialog.findChild(QFileDialog, "importWorkflowDialog")
    chooser.fileSelected.emit(str(path))
    chooser.close()
    idle(dialog, qtbot)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no workflow"),
        ("[]", "blocks are missing"),
        ('{"name": "x", "blocks": []}', "blocks are missing"),
        ('{"name": "x", "blocks": ["demo-s2-l2a", "from-elsewhere"]}', "from-elsewhere"),
        ('{"name": "x", "blocks": ["ndvi"]}', "data block"),
        ('{"name": "x", "blocks": ["a", "b", "c", "d", "e", "f", "g"]}', "five processing blocks"),
    ],
)
def test_a_file_that_can_not_be_had_leaves_nothing_behind(dialog, qtbot, tmp_path, text, said):
    before = names(dialog)
    path = tmp_path / "theirs.json"
    path.write_text(text)
    import_file(dialog, qtbot, path)
    assert said in dialog.workflowMessage.text()
    dialog._read("")
    idle(dialog, qtbot)
    assert names(dialog) == before


def test_looking_changes_nothing(dialog, qtbot):
    dialog.workflowList.setCurrentRow(1)
    idle(dialog, qtbot)
    dialog.close()
    assert dialog.chosen_at_the_end == []


def test_the_form_takes_up_what_was_edited(window, journey, parts, qtbot):
    from up42_jobs.plugin.desktop.dock import DockContent

    content = DockContent(window, journey, parts.settings)
    qtbot.addWidget(content)
    content.show()
    content.build()
    try:
        qtbot.waitUntil(lambda: content.form.isEnabled() and content.model.workflow is not None, timeout=30_000)
        content.form.workflow.workflowsButton.click()
        dialog = content.findChild(WorkflowsDialog)
        idle(dialog, qtbot)
        make(dialog, qtbot)
        add(dialog, qtbot, "Sharpening")
        dialog.close()
        qtbot.waitUntil(lambda: content.form.isEnabled() and content._opening is None, timeout=30_000)
        assert content.model.workflow.name == "Demo Sentinel-2 Scenes"
        assert list(content.model.request.parameters) == ["demo-s2-l2a:1", "sharpening:1"]
        content.form.workflow.workflowsButton.click()
        dialog = next(d for d in content.findChildren(WorkflowsDialog) if d.isVisible())
        idle(dialog, qtbot)
        delete(dialog, qtbot)
        dialog.close()
        qtbot.waitUntil(lambda: content.form.isEnabled() and content._opening is None, timeout=30_000)
        assert content.model.workflow.name != "Demo Sentinel-2 Scenes"
    finally:
        content.stop()
