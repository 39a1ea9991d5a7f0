"""The look of layers, given in code with values that were measured before: nothing is computed here.

Colours of lines are of the Okabe–Ito set, which people with colour-blindness can tell apart; each line has a dark
edge, so that it is seen on bright and on dark images.
"""

from __future__ import annotations

from qgis.core import (
    Qgis,
    QgsColorRampShader,
    QgsContrastEnhancement,
    QgsFillSymbol,
    QgsMultiBandColorRenderer,
    QgsPalettedRasterRenderer,
    QgsRaster,
    QgsRasterLayer,
    QgsRasterRange,
    QgsRasterShader,
    QgsSimpleLineSymbolLayer,
    QgsSingleBandGrayRenderer,
    QgsSingleBandPseudoColorRenderer,
    QgsSingleSymbolRenderer,
    QgsSymbol,
    QgsUnitTypes,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor

from .look import CLASSES, COLOUR, GREY, NDVI, Look, Range, RasterLook
from .words import tr

NDVI_RANGE: Range = (-0.2, 1.0)
# From water over bare ground to dense green; lightness falls from 0 on, so that it reads in grey as well.
NDVI_COLOURS = (
    (-0.2, "#7a8fa6", "−0.2 water"),
    (0.0, "#e9dfcf", "0.0 bare"),
    (0.2, "#dcc78f", "0.2"),
    (0.4, "#b5c25a", "0.4"),
    (0.6, "#6ca544", "0.6"),
    (0.8, "#267d3a", "0.8"),
    (1.0, "#0b4a2b", "1.0 dense green"),
)
AOI_COLOUR, FOOTPRINT_COLOUR, LINE_EDGE = "#e69f00", "#56b4e9", "#c0202020"
AOI_WIDTH, FOOTPRINT_WIDTH = 0.7, 0.5  # millimetres
EDGE_WIDTH = 0.5  # millimetres more than the line


def apply_look(layer: QgsRasterLayer, look: Look) -> None:
    """Give a raster layer the look that was measured for its source; without one it stays as QGIS made it."""
    own = look.rasters.get(layer.source())
    renderers = {COLOUR: _colour_renderer, GREY: _grey_renderer, NDVI: _ndvi_renderer, CLASSES: _class_renderer}
    if own is None or own.style not in renderers:
        return
    renderer = renderers[own.style](layer, own)
    for band in range(1, layer.bandCount() + 1):
        if layer.dataProvider().colorInterpretation(band) == QgsRaster.ColorInterpretation.AlphaBand:
            renderer.setAlphaBand(band)
    layer.setRenderer(renderer)
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
    """One plain symbol. A vector file can bring symbols of its own, and these can name a picture on the web."""
    symbol = QgsSymbol.defaultSymbol(layer.geometryType())
    if symbol is not None:
        layer.setRenderer(QgsSingleSymbolRenderer(symbol))


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


def _ndvi_renderer(layer: QgsRasterLayer, look: RasterLook) -> QgsSingleBandPseudoColorRenderer:
    ramp = QgsColorRampShader(*NDVI_RANGE)
    ramp.setColorRampType(QgsColorRampShader.Type.Interpolated)
    ramp.setColorRampItemList(
        [QgsColorRampShader.ColorRampItem(value, QColor(colour), label) for value, colour, label in NDVI_COLOURS]
    )
    shader = QgsRasterShader(*NDVI_RANGE)
    shader.setRasterShaderFunction(ramp)
    renderer = QgsSingleBandPseudoColorRenderer(layer.dataProvider(), look.bands[0], shader)
    renderer.setClassificationMin(NDVI_RANGE[0])
    renderer.setClassificationMax(NDVI_RANGE[1])
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
