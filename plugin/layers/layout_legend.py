"""The legend of a layout: the outlines that can be seen, and the colours of each kind of image that has a meaning."""

from __future__ import annotations

from qgis.core import (
    QgsCoordinateTransform,
    QgsCsException,
    QgsFeature,
    QgsGeometry,
    QgsLayerTreeLayer,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLegendStyle,
    QgsMapLayer,
    QgsMapLayerLegendUtils,
    QgsPrintLayout,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)

from .layout_items import place, text_format
from .load import AOI, FOOTPRINTS
from .map_marks import FONTS
from .provenance import ROLE

WITH_COLOURS = ("singlebandpseudocolor", "paletted")
UNDER = 0.004  # of the map's width: a line no farther from the AOI's lies under it
TO_BE_SEEN = 0.02  # of the map's width: less of a line is no line


def add_legend(
    layout: QgsPrintLayout,
    map_item: QgsLayoutItemMap,
    layers: list[QgsMapLayer],
    where: tuple[float, float, float, float],
) -> None:
    """Add it at that place of the page: left, top, width and height in millimetres."""
    legend = QgsLayoutItemLegend(layout)
    legend.setId("legend")
    layout.addLayoutItem(legend)
    legend.setAutoUpdateModel(False)
    legend.setLinkedMap(map_item)
    root = legend.model().rootGroup()
    root.removeAllChildren()
    for layer in _worth_a_word(layers, map_item):
        node = root.addLayer(layer)
        if isinstance(layer, QgsRasterLayer):
            _say_only_colours(legend, node, layer)
    legend.setTitle("")
    _set_fonts(legend)
    legend.setBackgroundEnabled(False)
    place(legend, *where)
    legend.adjustBoxSize()


def _worth_a_word(layers: list[QgsMapLayer], map_item: QgsLayoutItemMap) -> list[QgsMapLayer]:
    """The outlines that are seen, and of images that are coloured alike the first."""
    aois = [layer for layer in layers if layer.customProperty(ROLE, "") == AOI]
    coloured: set[str] = set()
    found = []
    for layer in layers:
        if layer in aois:
            found.append(layer)
        elif layer.customProperty(ROLE, "") == FOOTPRINTS:
            if _is_seen(layer, aois, map_item):
                found.append(layer)
        elif isinstance(layer, QgsRasterLayer) and layer.renderer().type() in WITH_COLOURS:
            alike = _colours(layer)
            if alike not in coloured:
                coloured.add(alike)
                found.append(layer)
    return found


def _colours(layer: QgsRasterLayer) -> str:
    """The same for images that are coloured alike: each index has a lowest value of its own."""
    kind = str(layer.renderer().type())
    return f"{kind} {layer.renderer().classificationMin()}" if kind == "singlebandpseudocolor" else kind


def _is_seen(footprints: QgsVectorLayer, aois: list[QgsMapLayer], map_item: QgsLayoutItemMap) -> bool:
    """Whether some line of the footprints lies in the map, and not under one of the AOI."""
    frame = map_item.extent()
    try:
        lines = _lines([footprints], map_item).intersection(QgsGeometry.fromRect(frame))
        covered = _lines(aois, map_item).buffer(UNDER * frame.width(), 4)
    except QgsCsException:  # it reaches where the map's CRS does not
        return True
    left = lines if covered.isEmpty() else lines.difference(covered)
    return bool(left.length() > TO_BE_SEEN * frame.width())


def _lines(layers: list[QgsMapLayer], map_item: QgsLayoutItemMap) -> QgsGeometry:
    """The outlines of all polygons, in the map's CRS."""
    lines = []
    for layer in layers:
        to_map = QgsCoordinateTransform(layer.crs(), map_item.crs(), QgsProject.instance())
        for feature in filter(QgsFeature.hasGeometry, layer.getFeatures()):
            line = QgsGeometry(feature.geometry().constGet().boundary())
            line.transform(to_map)
            lines.append(line)
    return QgsGeometry.unaryUnion(lines)


def _set_fonts(legend: QgsLayoutItemLegend) -> None:
    for style, points in (
        (QgsLegendStyle.Style.Group, 10.0),
        (QgsLegendStyle.Style.Subgroup, 9.0),
        (QgsLegendStyle.Style.SymbolLabel, 8.5),
    ):
        drawn = legend.style(style)
        if hasattr(drawn, "setTextFormat"):  # 3.30
            drawn.setTextFormat(text_format(points))
        else:
            shape = drawn.font()
            shape.setFamily(FONTS[0])
            shape.setPointSizeF(points)
            drawn.setFont(shape)
        legend.setStyle(style, drawn)


def _say_only_colours(legend: QgsLayoutItemLegend, node: QgsLayerTreeLayer, layer: QgsMapLayer) -> None:
    """The colours of all alike images: not the date of the first, and not the band's number."""
    date, _, rest = layer.name().partition(" ")
    node.setCustomProperty("legend/title-label", rest if date[:2].isdigit() and rest else layer.name())
    entries = len(legend.model().layerLegendNodes(node))
    QgsMapLayerLegendUtils.setLegendNodeOrder(node, list(range(1, entries)))
    legend.model().refreshLayerLegend(node)
