"""Pictures of the parameters: JSON with problems, the form, a text that can't be read; and a repair with its price."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from take_screenshots import Photographer

TO_PARAMETERS = "form.formScroll.verticalScrollBar().setValue(form.parameters.y() - 10)"
TO_END = "form.formScroll.verticalScrollBar().setValue(form.formScroll.verticalScrollBar().maximum())"
MISTAKES = (("medium", "medum"), ('"limit": 1', '"limit": 0'), ('"ids"', '"idds"'))


def photograph_parameters(photographer: Photographer) -> None:
    """All of them, of a workflow with two blocks."""
    desktop = photographer.desktop
    photographer.open()
    desktop.click("exampleButton")
    desktop.do("choose_workflow('Demo Sharpened')")
    photographer.estimated()
    desktop.do(
        "form.parameters.setCollapsed(False)\ntext = model.text\n"
        f"for right, wrong in {MISTAKES!r}:\n    text = text.replace(right, wrong)\n"
        "model.set_text(text)"
    )
    desktop.click("showProblemButton")
    photographer.picture("p1-json-problems")

    desktop.do("model.reset_parameters()\nmodel.set_text(model.text.replace('\"limit\": 1', '\"limit\": 0'))\n"
               "form.parameters.formViewButton.setChecked(True)")
    desktop.wait("form.parameters.form.built")
    desktop.do(TO_PARAMETERS)
    photographer.picture("p2-form")
    desktop.do(TO_END)
    photographer.picture("p3-form-end")

    desktop.do("form.parameters.jsonViewButton.setChecked(True)\nmodel.set_text(model.text[:-1])\n"
               f"form.parameters.formViewButton.setChecked(True)\n{TO_PARAMETERS}")
    photographer.picture("p4-unreadable")
    _repair_with_its_price(photographer)


def _repair_with_its_price(photographer: Photographer) -> None:
    desktop = photographer.desktop
    desktop.do("dock.header.choose('practice')\ndock.open_connection()")
    desktop.wait("form.isEnabled() and model.catalogue.connection.id == 'practice'")
    desktop.do(
        "from up42_jobs.plugin.jobs.aoi import Aoi\nmodel.reset_parameters()\nmodel.set_job_type(JobType.LIVE_JOB)\n"
        "whole = model.request.aoi.geometry\n"
        "model.set_aoi(Aoi(whole.difference(whole.centroid.buffer(0.005)), 'Holed'))\n"
        "form.formScroll.verticalScrollBar().setValue(form.aoi.y() - 10)"
    )
    desktop.wait("find('repair_fill_holes') is not None and ' credits' in find('repair_fill_holes').text()")
    desktop.wait("'…' not in find('repair_fill_holes').text()")
    photographer.picture("p5-repair-with-credits")
