"""*Export Table*: the period, the totals shown before, and the files, from a server whose list has several pages."""

from __future__ import annotations

import csv
import json
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from osgeo import gdal
from qgis.PyQt.QtCore import QDate, Qt

from up42_jobs.plugin.desktop.jobs_export_dialog import CONNECTION, ESTIMATED, JOBS, USED, WORKFLOW, Span
from up42_jobs.plugin.host.period import Period, today
from up42_jobs.tests.unit.up42_jobs_server import PROJECT, data, query, refusal

from .paged_jobs import LIST, NOON, open_tab, page, paged_server

JOBS_THERE = 250


@pytest.fixture
def server(monkeypatch):
    with paged_server(monkeypatch, JOBS_THERE) as server:
        server.on("GET", "/accounts/me/credits/balance", data({"balance": 1000}))
        server.on("GET", f"{LIST}/j0/credits", data({"creditsUsed": 9}))
        yield server


@pytest.fixture
def tab(server, journey, parts, qtbot):
    """The Jobs tab on the server's first page; job 0 was confirmed here at 12 credits and has cost 9."""
    with parts.ledger.transaction() as db:
        db.execute("DELETE FROM entry")
        db.execute(
            "INSERT INTO entry (connection, job, project, request, confirmed_credits, project_file, token, told)"
            " VALUES ('environment', 'j0', ?, ?, 12, '', 't', 'succeeded')",
            (PROJECT, json.dumps({})),
        )
    tab = open_tab(journey, qtbot)
    qtbot.waitUntil(lambda: journey.book.find("environment", "j0").credits_used == 9, timeout=20_000)
    yield tab
    tab.stop()


def open_dialog(tab):
    tab.actions_.export.trigger()
    return tab.windows.export


def choose(dialog, span):
    dialog.periodCombo.setCurrentIndex(dialog.periodCombo.findData(span))


def rows(dialog):
    """Workflow, jobs, estimated, used; the last row is of all."""
    tree = dialog.totalsTree
    items = [tree.topLevelItem(row) for row in range(tree.topLevelItemCount())]
    return [tuple(item.text(column) for column in (WORKFLOW, JOBS, ESTIMATED, USED)) for item in items]


def last_row(dialog):
    return (rows(dialog) or [("", "", "", "")])[-1]


def count_since(first: date) -> int:
    return sum((NOON - timedelta(days=number)).date() >= first for number in range(JOBS_THERE))


def test_the_totals_of_the_chosen_period_are_shown_before_anything_is_written(tab, qtbot):
    dialog = open_dialog(tab)
    assert dialog.periodCombo.currentText() == "This Month"
    qtbot.waitUntil(lambda: rows(dialog) == [("Even", "1", "12", "9"), ("", "1", "12", "9")], timeout=20_000)
    assert dialog.totalsTree.topLevelItem(0).text(CONNECTION) == "Server of the Environment"
    assert not dialog.export_button.isEnabled()  # no file yet
    choose(dialog, Span.LAST_MONTH)
    last = Period.month_before(today())
    days = (last.last - last.first).days + 1
    qtbot.waitUntil(lambda: last_row(dialog) == ("", str(days), "0", "0"), timeout=20_000)
    assert f"What {days} Live Jobs cost is not known" in dialog.exportHint.text()
    dialog.fromDate.setDate(dialog.toDate.date())
    assert dialog.periodCombo.currentData() is Span.OTHER
    qtbot.waitUntil(lambda: last_row(dialog)[1] == "1", timeout=20_000)
    dialog.fromDate.setDate(dialog.toDate.date().addDays(1))
    assert "ends before it begins" in dialog.listingLabel.text()
    dialog.close()
    assert tab.windows.export is None


def test_older_jobs_are_listed_as_far_as_the_period_goes_back(tab, server, qtbot):
    dialog = open_dialog(tab)
    asked = server.count("GET", LIST)
    first = (NOON - timedelta(days=120)).date()
    dialog.fromDate.setDate(QDate(first.year, first.month, first.day))
    assert not dialog.export_button.isEnabled()
    qtbot.waitUntil(lambda: last_row(dialog)[1] == str(count_since(first)) == "121", timeout=20_000)
    assert not any("page=3" in request.query for request in server.asked(LIST)[asked:])  # no farther than needed
    choose(dialog, Span.ALL)
    qtbot.waitUntil(lambda: last_row(dialog)[1] == str(JOBS_THERE), timeout=20_000)
    qtbot.waitUntil(lambda: not dialog.listingBar.isVisible(), timeout=20_000)
    dialog.close()


def test_a_page_that_can_not_be_listed_is_said_and_the_rest_can_be_exported(tab, server, qtbot, tmp_path):
    refused = refusal(403, 403, "no")
    server.on("GET", LIST, lambda asked: page(asked, JOBS_THERE) if query(asked)["page"] == ["0"] else refused)
    dialog = open_dialog(tab)
    dialog.exportFile.setFilePath(str(tmp_path / "all"))
    choose(dialog, Span.ALL)
    qtbot.waitUntil(lambda: "could not be listed" in dialog.listingLabel.text(), timeout=30_000)
    assert dialog.export_button.isEnabled()
    dialog.close()


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_the_table_of_a_period_is_written_with_its_totals(tab, qtbot, tmp_path, suffix):
    dialog = open_dialog(tab)
    choose(dialog, Span.LAST_MONTH)
    dialog.formatCombo.setCurrentIndex(dialog.formatCombo.findData(suffix))
    dialog.exportFile.setFilePath(str(tmp_path / "May.2"))  # the format gives the suffix
    qtbot.waitUntil(dialog.export_button.isEnabled, timeout=20_000)
    qtbot.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)
    assert tab.windows.export is None
    target = tmp_path / f"May.2{suffix}"
    qtbot.waitUntil(target.exists, timeout=20_000)
    jobs, totals = read_csv(target, qtbot) if suffix == ".csv" else read_xlsx(target)
    last = Period.month_before(today())
    assert len(jobs) == (last.last - last.first).days + 1
    assert {row["created"][:7] for row in jobs} == {f"{last.first:%Y-%m}"}
    assert [row["workflow"] for row in totals] == ["Even", "Odd", "Total"]
    assert sum(float(row["jobs"]) for row in totals[:2]) == float(totals[2]["jobs"]) == len(jobs)
    assert float(totals[2]["jobs_with_unknown_credits"]) == len(jobs)


def read_csv(target: Path, qtbot):
    beside = target.with_name(f"{target.stem}-totals.csv")
    qtbot.waitUntil(beside.exists, timeout=20_000)
    return [list(csv.DictReader(path.open(encoding="utf-8"))) for path in (target, beside)]


def read_xlsx(target: Path):
    gdal.SetConfigOption("OGR_XLSX_HEADERS", "FORCE")  # where all cells are texts, GDAL takes no row for a header
    try:
        book = gdal.OpenEx(str(target))
        return [[dict(feature.items()) for feature in book.GetLayerByName(name)] for name in ("Jobs", "Totals")]
    finally:
        gdal.SetConfigOption("OGR_XLSX_HEADERS", None)


def test_periods():
    day = date(2024, 3, 31)
    assert Period.month_of(day) == Period(date(2024, 3, 1), date(2024, 3, 31))
    assert Period.month_before(day) == Period(date(2024, 2, 1), date(2024, 2, 29))
    assert Period.month_before(date(2024, 1, 15)) == Period(date(2023, 12, 1), date(2023, 12, 31))
    assert Period.year_of(day) == Period(date(2024, 1, 1), date(2024, 12, 31))
    late = datetime(2024, 3, 31, 23, 30, tzinfo=timezone(timedelta(hours=-2)))  # in UTC it is April
    assert not Period.month_of(day).holds(late)
    assert Period.month_of(day).holds(late.replace(tzinfo=timezone.utc))
    assert Period().holds(None)
    assert not Period(date(2024, 1, 1)).holds(None)
