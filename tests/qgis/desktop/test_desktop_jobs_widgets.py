"""The Jobs tab by its widgets: filter, columns; and what notices offer, by mouse and on the desktop."""

from __future__ import annotations

from dataclasses import replace

import pytest
from qgis.core import QgsSettings
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtGui import QContextMenuEvent, QIcon
from qgis.PyQt.QtWidgets import (
    QAction,
    QApplication,
    QMainWindow,
    QMenu,
    QPushButton,
)

from up42_jobs.plugin.desktop.desktop_notice import DesktopNotice
from up42_jobs.plugin.desktop.job_words import outputs_word
from up42_jobs.plugin.desktop.jobs_model import Column
from up42_jobs.plugin.desktop.jobs_tab import JobsTab
from up42_jobs.plugin.desktop.messages import Messages
from up42_jobs.plugin.host.endings import Ending, Endings, EndKind
from up42_jobs.plugin.host.ledger import Entry
from up42_jobs.plugin.host.records import Delivery, DeliveryState, Notice, Offer
from up42_jobs.plugin.jobs.job import JobState, JobType

from .test_desktop_jobs_tab import record, shown, task

LOADED = Notice("success", "“Job” is on the map.", (("c", "1"),), (Offer.SHOW,))


@pytest.fixture
def make_tab(qgis_app, qtbot, journey, free_catalogue):
    tabs = []

    def make():
        tab = JobsTab(journey)
        qtbot.addWidget(tab)
        tab.resize(1000, 500)
        tab.set_catalogue(free_catalogue)
        tab.show()
        qtbot.waitExposed(tab)
        tabs.append(tab)
        return tab

    QgsSettings().remove("up42_jobs/job_columns")
    yield make
    for tab in tabs:
        tab.stop()
    QgsSettings().remove("up42_jobs/job_columns")


def some_jobs():
    """Three of one workflow that ran live, one failed Test Query of another."""
    entry = Entry("free", "1", "p", {}, 12.0, "", "t")
    first = record(1, JobState.SUCCEEDED, "SUCCEEDED", ours=True, entry=entry, credits_used=9)
    test = record(4, JobState.FAILED, "FAILED")
    test = replace(test, job=replace(test.job, job_type=JobType.TEST_QUERY, workflow_name="Sharpened"))
    return [first, record(2), record(3, JobState.SUCCEEDED, "SUCCEEDED"), test]


def ids(tab):
    return [one.job.id for one in shown(tab._model)]


def test_status_type_workflow_and_text_are_chosen_in_the_bar(make_tab, qtbot):
    tab = make_tab()
    tab._model.set_records(some_jobs())
    menu = tab.filterButton.menu()

    def choose(name):
        menu.findChild(QAction, name).trigger()

    for name, left in (
        ("filter_group_succeeded", ["1", "3"]),
        ("filter_group_unfinished", ["2"]),
        ("filter_group_failed", ["4"]),
        ("filter_group_any", ["1", "2", "3", "4"]),
        ("filter_job_type_test_query", ["4"]),
        ("filter_job_type_any", ["1", "2", "3", "4"]),
        ("filter_workflow_Sharpened", ["4"]),
        ("filter_workflow_any", ["1", "2", "3", "4"]),
        ("filterOursAction", ["1"]),
        ("filterOursAction", ["1", "2", "3", "4"]),
    ):
        choose(name)
        assert ids(tab) == left, name
    choose("filter_group_succeeded")
    assert tab.filterButton.text() == "Succeeded"
    qtbot.keyClicks(tab.searchEdit, "job 3")
    qtbot.waitUntil(lambda: ids(tab) == ["3"])
    assert tab.countLabel.text() == "1 of 4+ jobs"


def open_columns_menu(tab):
    viewport = tab.jobsView.header().viewport()
    where = QPoint(20, 5)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, where, viewport.mapToGlobal(where))
    QApplication.sendEvent(viewport, event)
    return tab.jobsView.findChild(QMenu, "jobColumnsMenu")


def test_columns_chosen_in_the_header_s_menu_are_kept(make_tab, qtbot):
    tab = make_tab()
    assert not tab.jobsView.isColumnHidden(Column.WORKFLOW)
    menu = open_columns_menu(tab)
    assert menu.findChild(QAction, "showColumn_name") is None
    menu.findChild(QAction, "showColumn_workflow").trigger()
    menu.close()
    assert tab.jobsView.isColumnHidden(Column.WORKFLOW)
    again = make_tab()
    assert again.jobsView.isColumnHidden(Column.WORKFLOW)
    again.resize(1400, 500)
    QApplication.processEvents()
    assert again.jobsView.isColumnHidden(Column.WORKFLOW)
    menu = open_columns_menu(again)
    next(action for action in menu.actions() if action.text() == "As Many as Fit").trigger()
    menu.close()
    assert not again.jobsView.isColumnHidden(Column.WORKFLOW)
    assert not make_tab().jobsView.isColumnHidden(Column.WORKFLOW)


def test_how_far_a_download_is_and_how_fast_fits_its_column(make_tab, qtbot):
    tab = make_tab()
    delivery = Delivery(DeliveryState.DOWNLOADING, 0.994, speed=99.94e6)
    tab._model.set_records([record(1, JobState.SUCCEEDED, "SUCCEEDED", delivery=delivery)])
    index = tab._model.index(0, Column.OUTPUTS)
    assert index.data() == "99 % · 99.9 MB/s"
    assert index.data(Qt.ItemDataRole.ToolTipRole) == "Downloading 99 % · 99.9 MB/s"
    view = tab.jobsView
    assert view.sizeHintForIndex(index).width() <= view.columnWidth(Column.OUTPUTS)


@pytest.mark.parametrize("offer", [Offer.SHOW, Offer.LOAD])
def test_a_notice_s_button_does_what_it_says_and_the_notice_goes(window, qtbot, offer):
    messages, done = Messages(window.bar), []
    messages.can(offer, done.append)
    window.bar.resize(1000, 60)
    notice = replace(LOADED, offers=(offer, Offer.LATER))
    messages.show(notice)
    button = window.bar.findChild(QPushButton, f"{offer.value}NoticeButton")
    assert button.text() == ("Show Job" if offer is Offer.SHOW else "Load Here")
    qtbot.waitUntil(lambda: button.isVisible() and window.bar.rect().contains(button.mapTo(window.bar, QPoint(5, 5))))
    QApplication.processEvents()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert done == [notice]
    qtbot.waitUntil(lambda: window.bar.currentItem() is None)


def test_the_desktop_is_told_once_for_endings_together_and_never_while_qgis_is_looked_at(qgis_app, qtbot):
    """What the desktop shows then is its own affair; here it is what we ask of it."""
    window, told, noticed = QMainWindow(), [], []
    qtbot.addWidget(window)
    desktop, endings = DesktopNotice(window, QIcon(), "UP42 Jobs", told.append), Endings()
    endings.noticed.connect(desktop.show)
    endings.noticed.connect(noticed.append)
    assert QApplication.activeWindow() is None
    for number in range(3):
        endings.add(Ending(EndKind.LOADED, "c", str(number), "success", "on the map"))
    qtbot.waitUntil(lambda: len(noticed) == 1)
    assert told == ["3 jobs have ended: 3 are on the map."]
    desktop.show(Notice("info", "nothing about jobs"))
    assert len(told) == 1
    window.show()
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    endings.add(Ending(EndKind.LOADED, "c", "4", "success", "on the map"))
    qtbot.waitUntil(lambda: len(noticed) == 2)
    assert len(told) == 1
    desktop.close()
    endings.stop()


def test_progress_says_tasks_done_and_the_download_s_speed(qgis_app):
    running = record(1, tasks=(task(0, JobState.SUCCEEDED), task(1), task(2)))
    assert outputs_word(running) == "Task 2 of 3"
    ended = record(1, JobState.SUCCEEDED)
    for speed, text in ((3.14e6, " · 3.1 MB/s"), (420e3, " · 420 kB/s"), (None, "")):
        downloading = replace(ended, delivery=Delivery(DeliveryState.DOWNLOADING, 0.42, speed=speed))
        assert outputs_word(downloading) == f"Downloading 42 %{text}"
