"""Scrolling to the end of the jobs table lists a page more, and no more than that."""

from __future__ import annotations

from up42_jobs.plugin.desktop.jobs_model import RECORD_ROLE
from up42_jobs.plugin.desktop.jobs_tab import JobsTab

from .paged_jobs import PAGE, open_tab, paged_server

JOBS = 13 * PAGE


def rests(tab: JobsTab) -> bool:
    """Nothing is asked for, on its way or to come with a later frame."""
    later = (tab._model._asked, tab._list_on_timer)
    return not tab._journey.job_actions._listing and not any(timer.isActive() for timer in later)


def test_each_scroll_to_the_end_lists_a_page_or_two_until_all_are_there(journey, qtbot, monkeypatch):
    """Also where there are so many rows that a page is shown a frame after it was taken up."""
    with paged_server(monkeypatch, JOBS):
        tab = open_tab(journey, qtbot)
        tab.resize(600, 400)
        tab.show()
        bar = tab.jobsView.verticalScrollBar()
        qtbot.waitUntil(lambda: bar.maximum() > 0)
        scrolls = 0
        while tab._model.rowCount() < JOBS:
            scrolls += 1
            before = tab._model.rowCount()
            tab.jobsView.scrollToBottom()
            qtbot.waitUntil(lambda before=before: tab._model.rowCount() > before, timeout=20_000)
            qtbot.waitUntil(lambda: rests(tab) and (bar.value() < bar.maximum() or tab._model.rowCount() == JOBS))
            assert tab._model.shown_of_all[1] <= tab._model.rowCount() + 2 * PAGE
        assert scrolls >= JOBS / (3 * PAGE)
        ids = [tab._model.index(row, 0).data(RECORD_ROLE).job.id for row in range(JOBS)]
        assert ids == [f"j{number}" for number in range(JOBS)]
        tab.stop()
