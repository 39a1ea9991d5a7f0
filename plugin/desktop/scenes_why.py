"""What is said where there are no scenes to list: not yet, or none, and by which filters."""

from __future__ import annotations

from typing import Sequence

from qgis.PyQt.QtWidgets import QWidget

from ..host.loosen import Count, Filter, filters_of
from ..host.records import JobRecord
from ..host.words import number
from ..jobs.job import JobState


def why_not_yet(widget: QWidget, state: JobState) -> str:
    """Why the scenes of a Test Query in this state are not here."""
    if not state.ended:
        return widget.tr("The Test Query is running. Its scenes are listed here when it has ended.")
    if state is JobState.SUCCEEDED:
        return widget.tr("The scenes are not on this computer yet. If they don't come soon, press Load in Jobs.")
    return widget.tr("This Test Query was cancelled.")


def why_empty(widget: QWidget, record: JobRecord, counts: Sequence[Count]) -> str:
    """By which filters nothing was found, and where it is known how many scenes there are without each."""
    filters = filters_of(record.job)
    failed = record.job.state is JobState.FAILED
    reason = record.delivery.message or widget.tr("This Test Query did not succeed: its log in Jobs says why.")
    lines = [reason if failed else widget.tr("No scene was found.")]
    if not filters and not failed:
        lines.append(widget.tr("There is none of this data over the AOI: choose another AOI or another workflow."))
    elif counts:
        lines += [_count_line(widget, count) for count in counts]
    elif filters:
        lines.append(widget.tr("The search was narrowed by:"))
        lines += [f"• {words}" for words in filters.values()]
    return "\n".join(lines)


def _count_line(widget: QWidget, count: Count) -> str:
    """`Scenes at any date: 7`."""
    n = number(count.scenes)
    scenes = widget.tr("{n} or more").format(n=n) if count.more else n
    sentences = {
        Filter.CLOUD: widget.tr("Scenes without the limit of cloud cover: {scenes}"),
        Filter.DATES: widget.tr("Scenes at any date: {scenes}"),
        Filter.CONTAINS: widget.tr("Scenes with the filter Intersects instead of Contains: {scenes}"),
        Filter.IDS: widget.tr("Scenes with any id: {scenes}"),
    }
    return "• " + sentences[count.filter].format(scenes=scenes)
