"""The look of layers, given in code with values that were measured before: nothing is computed here.

Colours of lines are of the Okabe–Ito set, which people with colour-blindness can tell apart; each line has a dark
edge, so that it is seen on bright and on dark images.
"""

from __future__ import annotations

from qgis.core import (
    Qgis,
    QgsCategorizedSymbolRenderer,
    QgsColorRampLegendNodeSettings,
    QgsColorRampShader,
    QgsContrastEnhancement,
    QgsFillSymbol,
    QgsMultiBandColorRenderer,
    QgsPalettedRasterRenderer,
    QgsRaster,
    QgsRasterLayer,
    QgsRasterRange,
    QgsRasterShader,
    QgsRendererCategory,
    QgsSimpleLineSymbolLayer,
    QgsSingleBandGrayRenderer,
    QgsSingleBandPseudoColorRenderer,
    QgsSingleSymbolRenderer,
    QgsSymbol,
    QgsUnitTypes,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtGui import QColor

from .classes import MOST_CLASSES, colour_of
from .look import CLASSES, COLOUR, GREY, INDEX, Look, Range, RasterLook
from .palettes import PALETTES
from .words import tr

AOI_COLOUR, FOOTPRINT_COLOUR, LINE_EDGE = "#e69f00", "#56b4e9", "#c0202020"
AOI_WIDTH, FOOTPRINT_WIDTH = 0.7, 0.5  # millimetres
CLASS_FIELD = "value"
EDGE_WIDTH = 0.5  # millimetres more than the line


def apply_look(layer: QgsRasterLayer, look: Look) -> None:
    """Give a raster layer the look that was measured for its source; without one it stays as QGIS made it."""
    own = look.rasters.get(layer.source())
    renderers = {COLOUR: _colour_renderer, GREY: _grey_renderer, INDEX: _index_renderer, CLASSES: _class_renderer}
    if own is None or own.style not in renderers:
        return
    renderer = renderers[own.style](layer, own)
    for band in range(1, layer.bandCount() + 1):
        if layer.dataProvider().colorInterpretation(band) == QgsRaster.ColorInterpretation.AlphaBand:
            renderer.setAlphaBand(band)
    layer.setRenderer(renderer)
    layer.brightnessFilter().setGamma(own.gamma)
    if own.zero_is_empty:  # as nodata: the renderer's own transparency looks at colours, so dark woods would go too
        for band in range(1, layer.bandCount() + 1):
            layer.dataProvider().setUserNoDataValue(band, [QgsRasterRange(0.0, 0.0)])


def outline(layer: QgsVectorLayer, colour: str, width: float) -> None:
    """Draw polygons as an outline with a dark edge and nothing inside; width in millimetres."""
    symbol = QgsFillSymbol.createSimple({})
    edge = QgsSimpleLineSymbolLayer(QColor(LINE_EDGE), width + EDGE_WIDTH)
    line = QgsSimpleLineSymbolLayer(QColor(colour), width)
    # Not QgsFillSymbol([edge, line]): that takes no ownership of them on 3.22, and QGIS crashes when it draws.
    symbol.changeSymbolLayer(0, edge)
    symbol.appendSymbolLayer(line)
    symbol.setOutputUnit(QgsUnitTypes.RenderUnit.RenderMillimeters)
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))


def plain(layer: QgsVectorLayer) -> None:
    """Areas of classes in the colours of their classes, all else in one plain symbol.

    A vector file can bring symbols of its own, and these can name a picture on the web.
    """
    values = class_values(layer)
    symbol = QgsSymbol.defaultSymbol(layer.geometryType())
    if values:
        first = 0 if values[0] == 0 else 1  # without a class 0, it is nodata in the image: see `classes_of`
        categories = [QgsRendererCategory(value, _area(colour_of(value - first)), str(value)) for value in values]
        layer.setRenderer(QgsCategorizedSymbolRenderer(CLASS_FIELD, categories))
    elif symbol is not None:
        layer.setRenderer(QgsSingleSymbolRenderer(symbol))


def class_values(layer: QgsVectorLayer) -> list[int]:
    """The classes of polygons that have one in the field *value*, as `vectorising` makes them; empty for any others."""
    if layer.geometryType() != QgsWkbTypes.GeometryType.PolygonGeometry:
        return []
    field = layer.fields().lookupField(CLASS_FIELD)
    if field < 0 or not layer.fields().at(field).isNumeric():
        return []
    values = sorted(value for value in layer.uniqueValues(field, MOST_CLASSES + 1) if isinstance(value, (int, float)))
    whole = all(0 <= value < MOST_CLASSES and value == int(value) for value in values)
    return [int(value) for value in values] if whole and len(values) <= MOST_CLASSES else []


def _area(colour: str) -> QgsFillSymbol:
    return QgsFillSymbol.createSimple({"color": colour, "outline_color": colour, "outline_width": "0.1"})


def _colour_renderer(layer: QgsRasterLayer, look: RasterLook) -> QgsMultiBandColorRenderer:
    provider = layer.dataProvider()
    renderer = QgsMultiBandColorRenderer(provider, *look.bands)
    setters = (
        renderer.setRedContrastEnhancement,
        renderer.setGreenContrastEnhancement,
        renderer.setBlueContrastEnhancement,
    )
    for setter, band, values in zip(setters, look.bands, look.ranges):
        setter(_stretch(provider.dataType(band), values))
    return renderer


def _grey_renderer(layer: QgsRasterLayer, look: RasterLook) -> QgsSingleBandGrayRenderer:
    provider = layer.dataProvider()
    renderer = QgsSingleBandGrayRenderer(provider, look.bands[0])
    for values in look.ranges:
        renderer.setContrastEnhancement(_stretch(provider.dataType(look.bands[0]), values))
    return renderer


def _index_renderer(layer: QgsRasterLayer, look: RasterLook) -> QgsSingleBandPseudoColorRenderer:
    stops = PALETTES[look.palette]
    low, high = stops[0][0], stops[-1][0]
    ramp = QgsColorRampShader(low, high)
    ramp.setColorRampType(QgsColorRampShader.Type.Interpolated)
    ramp.setColorRampItemList(
        [QgsColorRampShader.ColorRampItem(value, QColor(colour), label) for value, colour, label in stops]
    )
    legend = QgsColorRampLegendNodeSettings()
    legend.setMinimumLabel(stops[0][2])
    legend.setMaximumLabel(stops[-1][2])
    ramp.setLegendSettings(legend)
    shader = QgsRasterShader(low, high)
    shader.setRasterShaderFunction(ramp)
    renderer = QgsSingleBandPseudoColorRenderer(layer.dataProvider(), look.bands[0], shader)
    renderer.setClassificationMin(low)
    renderer.setClassificationMax(high)
    return renderer


def _class_renderer(layer: QgsRasterLayer, look: RasterLook) -> QgsPalettedRasterRenderer:
    classes = [QgsPalettedRasterRenderer.Class(one.value, QColor(one.colour), tr(one.label)) for one in look.classes]
    return QgsPalettedRasterRenderer(layer.dataProvider(), look.bands[0], classes)


def _stretch(data_type: Qgis.DataType, values: Range) -> QgsContrastEnhancement:
    enhancement = QgsContrastEnhancement(data_type)
    enhancement.setMinimumValue(values[0], False)
    enhancement.setMaximumValue(values[1], False)
    enhancement.setContrastEnhancementAlgorithm(
        QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum
    )
    return enhancement
