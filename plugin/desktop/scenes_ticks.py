"""The ticks of the scene list stay readable where a row is chosen: dark themes draw them dark on the selection."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import QModelIndex, Qt
from qgis.PyQt.QtGui import QPainter, QPalette
from qgis.PyQt.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem

ROOM = 3  # pixels around the tick in the colour of rows that are not chosen


class TickDelegate(QStyledItemDelegate):
    """Draws the tick of a chosen row like that of any other row, on that row's ground."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Qt's own painting, and the tick once more."""
        super().paint(painter, option, index)
        if not option.state & QStyle.StateFlag.State_Selected or index.data(Qt.ItemDataRole.CheckStateRole) is None:
            return
        tick = QStyleOptionViewItem(option)
        self.initStyleOption(tick, index)
        widget: Optional[object] = option.widget
        style = option.widget.style() if widget is not None else QApplication.style()
        tick.rect = style.subElementRect(QStyle.SubElement.SE_ItemViewItemCheckIndicator, tick, option.widget)
        checked = tick.checkState == Qt.CheckState.Checked
        tick.state &= ~(QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_HasFocus)
        tick.state |= QStyle.StateFlag.State_On if checked else QStyle.StateFlag.State_Off
        ground = option.palette.color(QPalette.ColorRole.Base)
        painter.fillRect(tick.rect.adjusted(-ROOM, -ROOM, ROOM, ROOM), ground)
        style.drawPrimitive(QStyle.PrimitiveElement.PE_IndicatorItemViewItemCheck, tick, painter, option.widget)
