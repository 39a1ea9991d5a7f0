"""What is said around the table of many AOIs: sums, the button, and what would be paid for twice."""

from __future__ import annotations

import math
from typing import Sequence

from qgis.PyQt.QtWidgets import QWidget

from ..host.words import area, credit_range, number
from .many_rows import Total


def total_text(widget: QWidget, sums: Total, rows: int, *, priced: bool) -> str:
    """`Ticked: 3 of 4 · 12.0 km² · 20–40 credits · at least 60 left after them`; credits where it is `priced`."""
    ticked = widget.tr("Ticked: {n} of {all}").format(n=number(sums.count), all=number(rows))
    parts = [ticked, area(sums.km2)]
    if priced:
        parts.append(widget.tr("{credits} credits").format(credits=credit_range(sums.credits)))
        if sums.left is not None:
            parts.append(_left_text(widget, sums.left))
    return " · ".join(parts)


def _left_text(widget: QWidget, left: float) -> str:
    if left < 0:
        return widget.tr("{missing} credits too many: untick some").format(missing=number(math.ceil(-left)))
    return widget.tr("at least {left} left after them").format(left=number(math.floor(left)))


def run_text(widget: QWidget, sums: Total, *, free: bool, priced: bool, complete: bool) -> str:
    """The button's text, which says what it costs as soon as all estimates are there (`complete`)."""
    if free:
        return widget.tr("Run %n Test Queries (Free)", "", sums.count)
    if not priced:
        return widget.tr("Run %n Jobs", "", sums.count)
    if not complete:
        return widget.tr("Run %n Live Jobs…", "", sums.count)
    text = widget.tr("Run %n Live Jobs ({credits} Credits)…", "", sums.count)
    return text.format(credits=credit_range(sums.credits))


def overlaps_text(widget: QWidget, pairs: Sequence[tuple[str, str]], priced: bool) -> str:
    """Which two AOIs overlap, how many more do, and what that means; "" where none do."""
    if not pairs:
        return ""
    names = widget.tr("“{a}” and “{b}” overlap").format(a=pairs[0][0], b=pairs[0][1])
    if len(pairs) > 1:
        names = widget.tr("{names} (and %n more)", "", len(pairs) - 1).format(names=names)
    if priced:
        return widget.tr("{names}: what both cover is paid for twice.").format(names=names)
    return widget.tr("{names}: what both cover is delivered twice.").format(names=names)
