"""Which layer the AOI is taken from: all of it or what is selected, once or following it, named by a field or not."""

from __future__ import annotations

from typing import Optional

from qgis.core import Qgis, QgsMapLayer, QgsMapLayerProxyModel, QgsVectorLayer, QgsWkbTypes
from qgis.PyQt.QtCore import QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import QWidget

from .ui_files import set_up, theme_icon

POLYGON_LAYERS = (Qgis.LayerFilter if hasattr(Qgis, "LayerFilter") else QgsMapLayerProxyModel.Filter).PolygonLayer
QUIET_MS = 300  # after the last change of a layer that is followed
NAME_FIELD = "name"
CHANGES = (
    "geometryChanged",
    "featureAdded",
    "featureDeleted",
    "attributeValueChanged",
    "afterRollBack",
    "dataChanged",
    "subsetStringChanged",
    "crsChanged",
)


class AoiLayerRow(QWidget):
    """Says when the layer is to be read; reads nothing itself. The AOI is a snapshot unless *Follow Layer* is on."""

    wanted = pyqtSignal()  # read the layer now
    layers_changed = pyqtSignal()  # there are polygon layers now, or none any more

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "aoi_layer_row")
        self._watched: Optional[QgsVectorLayer] = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(QUIET_MS)
        self._timer.timeout.connect(self._want)
        self.layerCombo.setFilters(POLYGON_LAYERS)
        self.nameFieldCombo.setAllowEmptyFieldName(True)
        self.readAgainButton.setIcon(theme_icon("mActionRefresh"))
        self.readAgainButton.clicked.connect(self._want)
        self.layerCombo.layerChanged.connect(lambda _layer: self._layer_chosen())
        self.nameFieldCombo.activated.connect(lambda _index: self._want())
        self.selectedOnlyCheck.clicked.connect(lambda _checked: self._want())
        self.followCheck.clicked.connect(self._follow_clicked)
        layers = self.layerCombo.model()
        for signal in (layers.rowsInserted, layers.rowsRemoved, layers.modelReset):
            signal.connect(self.layers_changed)
        self.layerChangedLabel.hide()
        self.hide()

    @property
    def layer(self) -> Optional[QgsVectorLayer]:
        """The chosen layer."""
        return self.layerCombo.currentLayer()

    @property
    def selected_only(self) -> bool:
        """True: what is selected in the layer, and nothing where nothing is selected."""
        return self.selectedOnlyCheck.isChecked()

    @property
    def name_field(self) -> str:
        """The field that names AOIs; "" for the layer's name."""
        return self.nameFieldCombo.currentField()

    @property
    def has_layers(self) -> bool:
        """True where the project has a polygon layer."""
        return self.layerCombo.count() > 0

    def open(self, layer: Optional[QgsMapLayer] = None) -> None:
        """Show the row, and want `layer` where it is one that can be chosen, else the one that was chosen before."""
        if isinstance(layer, QgsVectorLayer) and layer.geometryType() == QgsWkbTypes.GeometryType.PolygonGeometry:
            self.layerCombo.setLayer(layer)  # before it is shown: so it is wanted once
        self.show()
        self._layer_chosen()

    def close_row(self) -> None:
        """Hide it and follow nothing any more."""
        self._timer.stop()
        self._watch(None)
        self.hide()

    def _layer_chosen(self) -> None:
        layer = self.layer
        if self.isHidden() or layer is None:
            return
        self.selectedOnlyCheck.setChecked(layer.selectedFeatureCount() > 0)
        self.nameFieldCombo.setLayer(layer)
        own = next((field.name() for field in layer.fields() if field.name().casefold() == NAME_FIELD), "")
        self.nameFieldCombo.setField(own)
        self._watch(layer)
        self._want()

    def _want(self) -> None:
        self._timer.stop()
        self.layerChangedLabel.hide()
        self.wanted.emit()

    def _follow_clicked(self, follow: bool) -> None:
        if follow:
            self._want()

    def _watch(self, layer: Optional[QgsVectorLayer]) -> None:
        if self._watched is not None:
            self._watched.selectionChanged.disconnect(self._selection_changed)
            self._watched.willBeDeleted.disconnect(self._layer_goes)
            for name in CHANGES:
                getattr(self._watched, name).disconnect(self._layer_changed)
        self._watched = layer
        if layer is not None:
            layer.selectionChanged.connect(self._selection_changed)
            layer.willBeDeleted.connect(self._layer_goes)
            for name in CHANGES:
                getattr(layer, name).connect(self._layer_changed)

    def _selection_changed(self, *_changes: object) -> None:
        if self.selected_only:
            self._layer_changed()

    def _layer_changed(self, *_changes: object) -> None:
        if self.followCheck.isChecked():
            self._timer.start()
        else:
            self.layerChangedLabel.show()

    def _layer_goes(self) -> None:
        self._timer.stop()
        self._watched = None
