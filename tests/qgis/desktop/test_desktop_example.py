"""The example begins with the demo workflow, which needs no network, unless another workflow was chosen."""

from __future__ import annotations

from dataclasses import replace

from up42_jobs.plugin.desktop.request_model import DEMO_BLOCK, RequestModel
from up42_jobs.plugin.host.records import Catalogue

from .conftest import block, workflow


def with_demo(catalogue: Catalogue) -> Catalogue:
    demo = workflow("Demo", block(DEMO_BLOCK, is_data=True))
    return replace(catalogue, workflows=[*catalogue.workflows, demo])


def test_the_example_takes_the_demo_where_nothing_was_chosen(qgis_app, free_catalogue):
    model = RequestModel()
    model.set_catalogue(with_demo(free_catalogue))
    model.begin_with_demo()
    assert model.workflow.name == "Demo"


def test_a_workflow_that_was_chosen_stays(qgis_app, free_catalogue):
    model = RequestModel()
    model.set_catalogue(with_demo(free_catalogue))
    model.set_workflow(free_catalogue.workflows[1])
    model.begin_with_demo()
    assert model.workflow.name == "Plain"


def test_without_a_demo_or_a_catalogue_nothing_changes(qgis_app, free_catalogue):
    model = RequestModel()
    model.begin_with_demo()
    model.set_catalogue(free_catalogue)
    model.begin_with_demo()
    assert model.workflow == free_catalogue.workflows[0]


def test_another_project_begins_with_its_own_first_workflow_unless_one_was_chosen(
    qgis_app, free_catalogue, paid_catalogue
):
    own_order = replace(paid_catalogue, workflows=paid_catalogue.workflows[::-1])
    model = RequestModel()
    model.set_catalogue(free_catalogue)
    model.set_catalogue(own_order)
    assert model.workflow == own_order.workflows[0]
    model.set_catalogue(free_catalogue)
    assert model.workflow == free_catalogue.workflows[0]
    model.set_workflow(free_catalogue.workflows[1])
    model.set_catalogue(own_order)
    assert model.workflow.name == "Plain"


def test_changed_parameters_count_as_a_choice(qgis_app, free_catalogue, paid_catalogue):
    own_order = replace(paid_catalogue, workflows=paid_catalogue.workflows[::-1])
    model = RequestModel()
    model.set_catalogue(with_demo(free_catalogue))
    model.set_parameter("scenes:1", "limit", 7)
    model.begin_with_demo()
    assert model.workflow.name == "Sharpened"
    model.set_catalogue(own_order)
    assert model.workflow.name == "Sharpened" and model.request.parameters["scenes:1"]["limit"] == 7
