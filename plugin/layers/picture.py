"""A map of a job as a picture: title, layers, legend line, scale bar and credits.

Needs no display. For the GUI thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import Optional, Sequence

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsLayerTreeGroup,
    QgsMapLayer,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsPalLayerSettings,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsSingleBandPseudoColorRenderer,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsUnitTypes,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtCore import QRectF, QSize, Qt
from qgis.PyQt.QtGui import QColor, QImage, QPainter, QPen

from .load import AOI, FOOTPRINTS, extent_of
from .map_marks import (
    FRAME,
    INK,
    LEFT,
    PAPER,
    SOFT_INK,
    Entry,
    LineEntry,
    RampEntry,
    draw_coordinates,
    draw_legend,
    draw_notes,
    draw_scale_bar,
    font,
    write,
)
from .outlines import FOOTPRINT_LABEL
from .palettes import PALETTES
from .provenance import ROLE
from .style import AOI_COLOUR, FOOTPRINT_COLOUR
from .words import tr

SIZE = (1600, 1120)  # pixels
BACKGROUND = "#eceeef"  # where the map has nothing: light and neutral
DESIGN_WIDTH = 640  # steps of the design in the picture's width
PANEL = 130  # steps: the column beside the map with overview, legend and scale bar


def render_job(
    group: QgsLayerTreeGroup, path: Path, *, title: str, subtitle: str = "", size: tuple[int, int] = SIZE
) -> None:
    """Draw a job's group as a PNG: its AOI fills the map, an overview shows the scenes' footprints.

    The credits are the rights that the layers' metadata carry. Raises OSError where the file can't be written.
    """
    layers = [node.layer() for node in group.findLayers() if node.layer() is not None]
    crs = picture_crs(layers)
    extent = extent_of(group, crs)
    said = dict.fromkeys(text for layer in layers for text in layer.metadata().rights() if text)
    footprints = [layer for layer in layers if layer.customProperty(ROLE) == FOOTPRINTS]
    render_map(
        layers,
        extent,
        crs,
        size,
        path,
        title=title,
        subtitle=subtitle,
        credits=" · ".join(said),
        notes=[note for layer in footprints for note in _scene_notes(layer)],
        overview=footprints[0] if footprints else None,
    )


def render_map(
    layers: Sequence[QgsMapLayer],
    extent: QgsRectangle,
    crs: QgsCoordinateReferenceSystem,
    size: tuple[int, int],
    path: Path,
    *,
    title: str = "",
    subtitle: str = "",
    credits: str = "",
    notes: Sequence[tuple[str, str]] = (),
    overview: Optional[QgsMapLayer] = None,
) -> None:
    """Draw `layers` (the first on top) over `extent`, which is in `crs`, as a PNG of `size` pixels.

    Footprints get labels of date and cloud cover. `notes` are pairs of a line and a smaller one, shown below the
    legend. With `overview` a small map beside the large one shows all layers over that layer's extent, and where the
    map is. Raises OSError where the file can't be written.
    """
    unit = size[0] / DESIGN_WIDTH
    drawn = [_labelled(layer, unit) if _role(layer) == FOOTPRINTS else layer for layer in layers]
    top = (28 if subtitle else 20) if title else 8
    frame = QRectF(18 * unit, top * unit, size[0] - (18 + PANEL + 18) * unit, size[1] - (top + 26) * unit)
    settings = _settings(drawn, extent, crs, frame, unit)
    image = QImage(size[0], size[1], QImage.Format.Format_RGB32)
    image.fill(QColor(PAPER))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.drawImage(frame.topLeft(), _drawn(settings))
    _draw_frame(painter, frame, unit)
    draw_coordinates(painter, frame, settings, unit)
    panel = QRectF(frame.right() + 9 * unit, frame.top(), PANEL * unit, frame.height())
    if overview is not None:
        panel.setTop(_draw_overview(painter, panel, settings, layers, overview, unit) + 6 * unit)
    panel.setTop(draw_legend(painter, panel, _legend(layers), unit) + 6 * unit)
    draw_notes(painter, panel.adjusted(0, 0, 0, -20 * unit), notes, unit)
    draw_scale_bar(painter, panel.adjusted(0, panel.height() - 13 * unit, 0, 0), frame, settings, unit)
    whole_line = QRectF(frame.left(), 3 * unit, panel.right() - frame.left(), 15 * unit)
    write(painter, whole_line, title, font(11 * unit, True), INK, LEFT)
    write(painter, whole_line.translated(0, 10 * unit), subtitle, font(6.8 * unit), SOFT_INK, LEFT)
    write(painter, whole_line.translated(0, frame.bottom() + 7 * unit), credits, font(5.6 * unit), SOFT_INK, LEFT)
    painter.end()
    if not image.save(str(path)):
        raise OSError(tr("The picture {path} can't be written: choose another folder.").format(path=path))


def _scene_notes(footprints: QgsVectorLayer) -> list[tuple[str, str]]:
    """(acquisition time and cloud cover, id) of each scene."""
    notes = []
    for feature in footprints.getFeatures():
        cloud = feature["cloud_cover"]
        known = isinstance(cloud, (int, float))
        line = " · ".join([str(feature["when"] or "?"), *([f"{cloud:.0f} % cloud"] if known else [])])
        notes.append((line, str(feature["scene_id"])))
    return notes


def _settings(
    layers: Sequence[QgsMapLayer], extent: QgsRectangle, crs: QgsCoordinateReferenceSystem, frame: QRectF, unit: float
) -> QgsMapSettings:
    settings = QgsMapSettings()
    settings.setLayers(list(layers))
    settings.setDestinationCrs(crs)
    settings.setTransformContext(QgsProject.instance().transformContext())
    settings.setOutputSize(QSize(round(frame.width()), round(frame.height())))
    settings.setOutputDpi(56 * unit)  # millimetres of line widths grow with the picture
    settings.setExtent(extent)
    settings.setBackgroundColor(QColor(BACKGROUND))
    settings.setFlag(QgsMapSettings.Flag.Antialiasing, True)
    return settings


def _drawn(settings: QgsMapSettings) -> QImage:
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    return job.renderedImage()


def _draw_frame(painter: QPainter, place: QRectF, unit: float) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(FRAME), max(1.0, 0.5 * unit)))
    painter.drawRect(place)


def _draw_overview(
    painter: QPainter,
    panel: QRectF,
    settings: QgsMapSettings,
    layers: Sequence[QgsMapLayer],
    overview: QgsMapLayer,
    unit: float,
) -> float:
    """All `layers` over the overview's extent at the top of the panel, with a dark rectangle where the map is.

    Returns the y where it ends.
    """
    whole = settings.layerExtentToOutputExtent(overview, overview.extent())
    whole.scale(1.08)
    height = min(panel.width() * whole.height() / whole.width(), panel.height() * 0.5)
    place = QRectF(panel.left(), panel.top(), panel.width(), height)
    small = _settings(layers, whole, settings.destinationCrs(), place, unit * 0.6)
    painter.drawImage(place.topLeft(), _drawn(small))
    shown, map_extent = small.visibleExtent(), settings.visibleExtent()
    scale = place.width() / shown.width()
    window = QRectF(
        place.left() + (map_extent.xMinimum() - shown.xMinimum()) * scale,
        place.top() + (shown.yMaximum() - map_extent.yMaximum()) * scale,
        map_extent.width() * scale,
        map_extent.height() * scale,
    )
    painter.save()
    painter.setClipRect(place)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((PAPER, 1.6), (INK, 0.7)):
        painter.setPen(QPen(QColor(colour), width * unit))
        painter.drawRect(window)
    painter.restore()
    _draw_frame(painter, place, unit)
    return place.bottom()


def _labelled(layer: QgsVectorLayer, unit: float) -> QgsVectorLayer:
    """A copy of the footprints that has date and cloud cover written along its outlines."""
    copy = layer.clone()
    text = QgsTextFormat()
    text.setFont(font(6.8 * unit))
    text.setSize(6.8 * unit)
    text.setSizeUnit(QgsUnitTypes.RenderUnit.RenderPixels)
    text.setColor(QColor(INK))
    halo = QgsTextBufferSettings()
    halo.setEnabled(True)
    halo.setSize(1.3 * unit)
    halo.setSizeUnit(QgsUnitTypes.RenderUnit.RenderPixels)
    halo.setColor(QColor(PAPER))
    text.setBuffer(halo)
    label = QgsPalLayerSettings()
    label.fieldName = FOOTPRINT_LABEL
    label.isExpression = True
    label.placement = QgsPalLayerSettings.Placement.PerimeterCurved
    label.setFormat(text)
    copy.setLabeling(QgsVectorLayerSimpleLabeling(label))
    copy.setLabelsEnabled(True)
    return copy


def _legend(layers: Sequence[QgsMapLayer]) -> list[Entry]:
    roles = [_role(layer) for layer in layers]
    entries: list[Entry] = []
    if AOI in roles:
        entries.append(LineEntry(tr("AOI"), AOI_COLOUR))
    if FOOTPRINTS in roles:
        entries.append(LineEntry(tr("Footprints of the scenes"), FOOTPRINT_COLOUR))
    named: dict[str, RampEntry] = {}
    for layer in layers:
        renderer = layer.renderer() if isinstance(layer, QgsRasterLayer) else None
        if isinstance(renderer, QgsSingleBandPseudoColorRenderer):
            items = renderer.shader().rasterShaderFunction().colorRampItemList()
            stops = tuple((item.value, item.color.name()) for item in items)
            index = next((name for name, palette in PALETTES.items() if palette[0][0] == stops[0][0]), "")
            named.setdefault(index, RampEntry(index.upper(), stops))
    entries.extend(named.values())
    return entries


def _role(layer: QgsMapLayer) -> str:
    return str(layer.customProperty(ROLE, ""))


def picture_crs(layers: Sequence[QgsMapLayer]) -> QgsCoordinateReferenceSystem:
    """The first image's CRS; Web Mercator instead of degrees, in which shapes are squeezed."""
    projected = (
        layer.crs() for layer in layers if isinstance(layer, QgsRasterLayer) and not layer.crs().isGeographic()
    )
    return next(projected, QgsCoordinateReferenceSystem("EPSG:3857"))
