"""*Webhooks…*: who is told by the platform itself when a job's status changes."""

from __future__ import annotations

from typing import Any, Callable, Optional

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QApplication, QDialog, QTreeWidgetItem, QWidget

from ..host.connections import Connection
from ..host.webhooks import WebhookList, Webhooks, keep_secret, url_problem
from ..host.work import Work
from ..platforms.account_calls import JOB_STATUS, Webhook
from .ui_files import set_up

WEBHOOK_ROLE = Qt.ItemDataRole.UserRole


class WebhooksDialog(QDialog):
    """Not modal; deleted when closed. Everything is asked of the platform anew."""

    def __init__(self, webhooks: Webhooks, connection: Connection, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "webhooks_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Webhooks of {connection}").format(connection=connection.title))
        self._webhooks, self._connection = webhooks, connection
        self._work: Optional[Work] = None
        self.finished.connect(self._closed)
        self.createWebhookButton.clicked.connect(self._create)
        self.testWebhookButton.clicked.connect(self._test)
        self.switchWebhookButton.clicked.connect(self._switch)
        self.deleteWebhookButton.clicked.connect(self._delete)
        self.webhookList.currentItemChanged.connect(lambda _now, _before: self._show_buttons())
        self.webhookUrlEdit.textChanged.connect(lambda _text: self._show_buttons())
        self.webhookNameEdit.textChanged.connect(lambda _text: self._show_buttons())
        self._read()

    @property
    def chosen(self) -> Optional[Webhook]:
        """The webhook of the row that is chosen."""
        item = self.webhookList.currentItem()
        return item.data(0, WEBHOOK_ROLE) if item is not None else None

    def _read(self) -> None:
        self._ask(lambda done, failed: self._webhooks.read(self._connection, done, failed), self._show)

    def _show(self, found: WebhookList) -> None:
        chosen = self.chosen
        self.webhookList.clear()
        for webhook in found.webhooks:
            state = self.tr("On") if webhook.active else self.tr("Off")
            item = QTreeWidgetItem([webhook.name, state, ", ".join(webhook.events), webhook.url])
            item.setData(0, WEBHOOK_ROLE, webhook)
            item.setToolTip(3, webhook.url)
            self.webhookList.addTopLevelItem(item)
            if chosen is not None and chosen.id == webhook.id:
                self.webhookList.setCurrentItem(item)
        offered = [self.webhookEventCombo.itemText(i) for i in range(self.webhookEventCombo.count())]
        if offered != found.events:
            self.webhookEventCombo.clear()
            self.webhookEventCombo.addItems(found.events)
            self.webhookEventCombo.setCurrentText(JOB_STATUS)
        self._show_buttons()

    def _show_buttons(self) -> None:
        idle, chosen = self._work is None, self.chosen
        for button in (self.testWebhookButton, self.switchWebhookButton, self.deleteWebhookButton):
            button.setEnabled(idle and chosen is not None)
        off = chosen is None or not chosen.active
        self.switchWebhookButton.setText(self.tr("Switch On") if off else self.tr("Switch Off"))
        url = self.webhookUrlEdit.text()
        problem = url_problem(url) if url.strip() else ""
        complete = bool(url.strip() and self.webhookNameEdit.text().strip()) and not problem
        self.createWebhookButton.setEnabled(idle and complete)
        self.webhookUrlProblem.setText(problem)
        self.webhookUrlProblem.setVisible(bool(problem))

    def _create(self) -> None:
        webhook = Webhook(
            self.webhookNameEdit.text().strip(),
            self.webhookUrlEdit.text().strip(),
            (self.webhookEventCombo.currentText() or JOB_STATUS,),
            secret=self.webhookSecretEdit.text(),
        )
        self._ask(lambda done, failed: self._webhooks.create(self._connection, webhook, done, failed), self._created)

    def _created(self, webhook: Webhook) -> None:
        self.webhookSecretEdit.clear()
        self.webhookNameEdit.clear()
        self.webhookUrlEdit.clear()
        if keep_secret(webhook) is not None:
            text = self.tr("“{name}” is made. The secret that signs its messages is in QGIS’s authentication database.")
        else:
            QApplication.clipboard().setText(webhook.secret)
            text = self.tr("“{name}” is made. The vault stayed locked, so its secret was copied to the clipboard.")
        self.webhookMessage.setText(text.format(name=webhook.name))
        self._read()

    def _test(self) -> None:
        def tested(result: tuple[int, int]) -> None:
            sent, arrived = result
            text = self.tr("{arrived} of {sent} test messages arrived.").format(arrived=arrived, sent=sent)
            self.webhookMessage.setText(text)

        webhook = self.chosen
        if webhook is not None:
            self._ask(lambda done, failed: self._webhooks.test(self._connection, webhook, done, failed), tested)

    def _switch(self) -> None:
        webhook = self.chosen
        if webhook is not None:
            self._ask(
                lambda done, failed: self._webhooks.switch(
                    self._connection, webhook, not webhook.active, done, failed
                ),
                lambda _webhook: self._read(),
            )

    def _delete(self) -> None:
        webhook = self.chosen
        if webhook is not None:
            self._ask(
                lambda done, failed: self._webhooks.delete(self._connection, webhook, done, failed),
                lambda _none: self._read(),
            )

    def _ask(self, start: Callable[[Any, Any], Work], done: Callable[[Any], None]) -> None:
        def answered(value: Any) -> None:
            self._work = None
            done(value)
            self._show_buttons()

        def failed(text: str) -> None:
            self._work = None
            self.webhookMessage.setText(text)
            self._show_buttons()

        self._work = start(answered, failed)
        self._show_buttons()

    def _closed(self) -> None:
        if self._work is not None:
            self._work.cancel()
            self._work = None
