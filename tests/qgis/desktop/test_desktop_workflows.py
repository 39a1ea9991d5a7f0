"""Workflows made, changed, copied, deleted and handed on in their dialog, on the real engine."""

from __future__ import annotations

import json

import pytest
from qgis.PyQt import sip
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
    dialog.show()
    idle(dialog, qtbot)
    yield dialog
    works.stop()
    if not sip.isdeleted(dialog):
        dialog.close()


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
        ('{"name": "x",', "Line 1, column 14"),
        ("[]", "an object in braces"),
        ('{"name": ["x"], "blocks": ["demo-s2-l2a"]}', "“name” must be a text"),
        ('{"name": "x", "blocks": []}', "blocks are missing"),
        ('{"name": "x", "blocks": ["demo-s2-l2a", 7]}', "its block 2 must be"),
        ('{"name": "x", "blocks": ["demo-s2-l2a", "from-elsewhere"]}', "from-elsewhere"),
        ('{"name": "x", "blocks": ["ndvi"]}', "first block, “ndvi”, is no data block"),
        ('{"name": "x", "blocks": ["demo-s2-l2a", "demo-s2-l2a"]}', "block 2, “demo-s2-l2a”, is a data block"),
        ('{"name": "x", "blocks": ["demo-s2-l2a", "ndvi", "ndvi"]}', "ndvi"),  # they don't fit: only a platform knows
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


def test_a_file_of_bytes_is_told_so_and_one_with_a_mark_of_its_encoding_is_read(dialog, qtbot, tmp_path):
    path = tmp_path / "theirs.json"
    path.write_bytes(b"\xff\xfe\x00")
    import_file(dialog, qtbot, path)
    assert "no text in UTF-8" in dialog.workflowMessage.text()
    path.write_bytes(b"\xef\xbb\xbf" + b'{"blocks": ["demo-s2-l2a"]}')
    import_file(dialog, qtbot, path)
    assert dialog.workflowMessage.text() == "" and dialog.workflow.name == "theirs"
    delete(dialog, qtbot)
    import_file(dialog, qtbot, tmp_path)
    assert "can't be read" in dialog.workflowMessage.text()


def test_a_file_that_can_not_be_written_stays_as_it_was(parts, catalogue, qtbot, tmp_path):
    works, said, folder = Works(), [], tmp_path / "gone"
    WorkflowEdits(works, parts.connections).export_file(
        catalogue.workflows[0], folder / "a.json", said.append, said.append
    )
    qtbot.waitUntil(lambda: bool(said), timeout=10_000)
    works.stop()
    assert "“a.json” can't be written" in said[0]
    assert list(tmp_path.iterdir()) == []


def test_another_workflow_is_shown_at_once_and_the_list_is_not_read_again_for_it(dialog, parts, catalogue, qtbot):
    works, answers = Works(), []
    edits = WorkflowEdits(works, parts.connections)
    make(dialog, qtbot)
    gone = dialog.workflow
    edits.delete(catalogue.connection, catalogue.project, gone, answers.append, answers.append)  # in the web, say
    qtbot.waitUntil(lambda: bool(answers), timeout=20_000)
    works.stop()
    before = names(dialog)
    dialog.workflowList.setCurrentRow(before.index("Demo NDVI"))
    assert dialog.workflowNameEdit.text() == "Demo NDVI" and len(blocks(dialog)) == 2
    assert not dialog.addBlockButton.isEnabled() and dialog.blockHint.text() == ""
    idle(dialog, qtbot)
    assert dialog.addBlockButton.isEnabled()
    assert "NDVI" not in [dialog.addBlockCombo.itemText(row) for row in range(dialog.addBlockCombo.count())]
    assert names(dialog) == before  # one question: what fits
    dialog.workflowList.setCurrentRow(before.index(gone.name))
    idle(dialog, qtbot)
    assert names(dialog) == [name for name in before if name != gone.name]


def test_rows_gone_through_quickly_end_at_the_last_one(dialog, qtbot):
    count = dialog.workflowList.count()
    for row in range(count):
        dialog.workflowList.setCurrentRow(row)
    idle(dialog, qtbot)
    assert dialog.workflow.name == dialog.workflowNameEdit.text() == names(dialog)[count - 1]


def test_a_change_under_way_is_waited_for_when_the_dialog_is_closed(dialog, parts, catalogue, qtbot):
    before = names(dialog)
    other = (dialog.workflowList.currentRow() + 1) % len(before)
    next(a for a in dialog.newWorkflowButton.menu().actions() if a.text() == "Demo Sentinel-2 Scenes").trigger()
    dialog.workflowList.setCurrentRow(other)  # while it is made: its answer decides
    dialog.close()
    assert dialog.isHidden() and dialog.chosen_at_the_end == []
    qtbot.waitUntil(lambda: bool(dialog.chosen_at_the_end), timeout=20_000)
    works, read = Works(), []
    edits = WorkflowEdits(works, parts.connections)
    edits.read(catalogue.connection, catalogue.project, dialog.chosen_at_the_end[0], read.append, read.append)
    qtbot.waitUntil(lambda: bool(read), timeout=20_000)
    made = next(w for w in read[0].workflows if w.id == read[0].chosen)
    assert (made.name, len(made.tasks)) == ("Demo Sentinel-2 Scenes", 1)
    edits.delete(catalogue.connection, catalogue.project, made, read.append, read.append)
    qtbot.waitUntil(lambda: len(read) == 2, timeout=20_000)
    assert [w.name for w in read[1].workflows] == before
    works.stop()


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
