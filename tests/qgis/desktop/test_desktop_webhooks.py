"""The webhooks of a workspace, in their dialog, on the real engine."""

from __future__ import annotations

import pytest

from up42_jobs.plugin.desktop import webhooks_dialog
from up42_jobs.plugin.desktop.webhooks_dialog import WebhooksDialog
from up42_jobs.plugin.host.connections import Kind
from up42_jobs.plugin.host.webhooks import url_problem


@pytest.fixture
def dialog(journey, open_catalogue, qtbot, monkeypatch):
    kept = []
    monkeypatch.setattr(webhooks_dialog, "keep_secret", lambda webhook: kept.append(webhook) or "authcfg")
    dialog = WebhooksDialog(journey.webhooks, open_catalogue(Kind.FREE).connection)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.kept = kept
    idle(dialog, qtbot)
    yield dialog
    dialog.close()


def idle(dialog, qtbot):
    qtbot.waitUntil(lambda: dialog._work is None, timeout=20_000)


def rows(dialog):
    items = [dialog.webhookList.topLevelItem(i) for i in range(dialog.webhookList.topLevelItemCount())]
    return [(item.text(0), item.text(1)) for item in items]


def test_a_webhook_is_made_switched_tested_and_deleted(dialog, qtbot, monkeypatch):
    assert "job.status" in [dialog.webhookEventCombo.itemText(i) for i in range(dialog.webhookEventCombo.count())]
    assert not dialog.createWebhookButton.isEnabled()
    dialog.webhookNameEdit.setText("Mine")
    dialog.webhookUrlEdit.setText("https://127.0.0.1:9/hook")
    dialog.createWebhookButton.click()
    qtbot.waitUntil(lambda: rows(dialog) == [("Mine", "On")], timeout=20_000)
    (webhook,) = dialog.kept
    assert webhook.secret  # the platform's, for none was given
    assert dialog.webhookSecretEdit.text() == ""
    assert webhook.secret not in dialog.webhookMessage.text()
    dialog.webhookList.setCurrentItem(dialog.webhookList.topLevelItem(0))
    assert dialog.chosen.secret == ""
    dialog.switchWebhookButton.click()
    qtbot.waitUntil(lambda: rows(dialog) == [("Mine", "Off")], timeout=20_000)
    idle(dialog, qtbot)
    dialog.testWebhookButton.click()
    qtbot.waitUntil(lambda: "test messages arrived" in dialog.webhookMessage.text(), timeout=30_000)
    dialog.deleteWebhookButton.click()
    qtbot.waitUntil(lambda: rows(dialog) == [], timeout=20_000)


def test_an_address_that_is_not_https_is_explained(dialog):
    dialog.webhookNameEdit.setText("Mine")
    dialog.webhookUrlEdit.setText("http://example.com/hook")
    assert not dialog.createWebhookButton.isEnabled()
    assert "https" in dialog.webhookUrlProblem.text()
    dialog.webhookUrlEdit.setText("https://example.com/hook")
    assert dialog.createWebhookButton.isEnabled()
    assert dialog.webhookUrlProblem.text() == ""


def test_addresses():
    assert url_problem("https://example.com/x") == ""
    assert url_problem("http://localhost:8000/x") == ""
    assert url_problem("http://example.com/x")
    assert url_problem("nonsense")
