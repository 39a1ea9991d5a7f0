"""`up42jobs:listworkflows`: the workflows of a connection as a table."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsFeature,
    QgsFeatureSink,
    QgsField,
    QgsFields,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingParameterFeatureSink,
)
from qgis.PyQt.QtCore import QVariant

from ..host.journey import read_catalogue
from ..host.parts import Parts
from ..host.words import tr
from ..net.cancel import Cancel
from .base import JobAlgorithm


class ListWorkflows(JobAlgorithm):
    """Lists id, name and blocks of each workflow, and prints them too."""

    def name(self) -> str:
        return "listworkflows"

    def displayName(self) -> str:
        return tr("List Workflows")

    def shortHelpString(self) -> str:
        return tr("The workflows of a connection with their blocks. “this-computer” is free and needs no account.")

    def initAlgorithm(self, configuration: Any = None) -> None:
        self.add_connection()
        self.addParameter(
            QgsProcessingParameterFeatureSink(
                "OUTPUT", tr("Workflows"), QgsProcessing.SourceType.TypeVector, optional=True
            )
        )

    def work(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        parts: Parts,
        cancel: Cancel,
    ) -> dict[str, Any]:
        catalogue = read_catalogue(parts.connections, self.connection(parameters, context, parts), cancel)
        fields = QgsFields()
        for name in ("id", "name", "blocks"):
            fields.append(QgsField(name, QVariant.String))
        sink, sink_id = self.parameterAsSink(parameters, "OUTPUT", context, fields)
        for workflow in catalogue.workflows:
            blocks = " → ".join(task.block.name for task in workflow.tasks)
            feedback.pushInfo(f"{workflow.id}  {workflow.name}  ({blocks})")
            if sink is not None:
                feature = QgsFeature(fields)
                feature.setAttributes([workflow.id, workflow.name, blocks])
                sink.addFeature(feature, QgsFeatureSink.Flag.FastInsert)
        return {"OUTPUT": sink_id} if sink is not None else {}
