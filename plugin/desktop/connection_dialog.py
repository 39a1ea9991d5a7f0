"""One connection to a server: its fields, what is wrong with them as they are typed, and Test Connection."""

from __future__ import annotations

import html
from dataclasses import replace
from typing import TYPE_CHECKING, Optional, Sequence

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QWidget

from ..host.servers import Fault, Login, Server, closed_words, faults, new_id, project_ids_of, tidy_url
from ..platforms.closed import is_closed
from .ui_files import ROOT, set_up, soften

if TYPE_CHECKING:
    from ..host.connection_trial import ConnectionTrial, Finding

ICONS = {True: "state_succeeded", False: "state_failed"}
ICON_SIZE = 14


class ConnectionDialog(QDialog):
    """Opened with `open`; `server` is what the fields say. It is closed by OK only when nothing is wrong with it."""

    def __init__(self, server: Optional[Server], other_names: Sequence[str], parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "connection_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self._id = server.id if server else new_id()
        self._other_names = other_names
        self._trial: Optional[ConnectionTrial] = None
        self.loginCombo.addItem(self.tr("Project Key"), Login.PROJECT_KEY)
        self.loginCombo.addItem(self.tr("User Name and Password"), Login.ACCOUNT)
        self._set_up_buttons()
        soften(self.loginHint)
        if server is not None:
            self._fill(server)
        for signal in (self.nameEdit.textEdited, self.urlEdit.textEdited, self.projectIdsEdit.textChanged):
            signal.connect(self._edited)
        self.loginCombo.currentIndexChanged.connect(self._edited)
        self.authSelect.selectedConfigIdChanged.connect(self._edited)
        self._edited()

    def _fill(self, server: Server) -> None:
        self.nameEdit.setText(server.name)
        self.urlEdit.setText(server.url)
        self.loginCombo.setCurrentIndex(list(Login).index(server.login))
        self.authSelect.setConfigId(server.authcfg)
        self.projectIdsEdit.setPlainText("\n".join(server.project_ids))

    def _set_up_buttons(self) -> None:
        for standard, name in (("Ok", "connectionOkButton"), ("Cancel", "connectionCancelButton")):
            self.buttonBox.button(getattr(QDialogButtonBox.StandardButton, standard)).setObjectName(name)
        self.buttonBox.accepted.connect(self._accept)
        self.buttonBox.rejected.connect(self.reject)
        self.tryButton.clicked.connect(self._try)
        self.stopTryButton.clicked.connect(self._stop)
        self.stopTryButton.hide()
        self.tryProgress.hide()

    @property
    def server(self) -> Server:
        """What the fields say now."""
        return Server(
            name=self.nameEdit.text().strip(),
            url=tidy_url(self.urlEdit.text()),
            login=self.loginCombo.currentData(),
            authcfg=self.authSelect.configId(),
            project_ids=project_ids_of(self.projectIdsEdit.toPlainText()),
            id=self._id,
        )

    def _edited(self) -> None:
        """What was found is of other fields than these; the hints follow the login, and UP42's own address is told."""
        self._stop()
        if self.loginCombo.currentData() is Login.PROJECT_KEY:
            hint = self.tr(
                "Authentication of the kind Basic: the project ID as user name, its key as password. Good for one"
                " project."
            )
            self.projectIdsEdit.setPlaceholderText(self.tr("Empty: the project ID of the authentication"))
        else:
            hint = self.tr(
                "Authentication of the kind Basic: the account’s user name and password. Its projects are entered by"
                " their IDs."
            )
            self.projectIdsEdit.setPlaceholderText(self.tr("One project ID on each line"))
        self.loginHint.setText(hint)
        self._tell([(False, closed_words())] if is_closed(tidy_url(self.urlEdit.text())) else [])

    def _accept(self) -> None:
        found = faults(self.server, self._other_names)
        if found:
            self._show_faults(found)
        else:
            self.accept()

    def _show_faults(self, found: Sequence[Fault]) -> None:
        self._tell([(False, fault.text) for fault in found])
        fields = {"name": self.nameEdit, "url": self.urlEdit, "authcfg": self.authSelect}
        fields.get(found[0].field, self.projectIdsEdit).setFocus()

    def _try(self) -> None:
        server = self.server
        if is_closed(server.url):
            self._tell([(False, closed_words())])
            return
        unnamed = replace(server, name=server.name or "?")  # the name does not matter for the test
        found = faults(unnamed)
        if found:
            self._show_faults(found)
            return
        try:
            from ..host.connection_trial import ConnectionTrial
        except ImportError as e:
            text = self.tr("The Python package “{package}” is missing: UP42 Jobs’ dock says how to install it.")
            self._tell([(False, text.format(package=e.name or "?"))])
            return
        self._show_busy(True)
        self._trial = ConnectionTrial(server, self._progressed, self._found)
        self._trial.start()

    def _progressed(self, fraction: float) -> None:
        self.tryProgress.setRange(0, 100)
        self.tryProgress.setValue(round(100 * fraction))

    def _found(self, findings: Sequence[Finding]) -> None:
        self._trial = None
        self._show_busy(False)
        self._tell([(finding.good, finding.text) for finding in findings])

    def _stop(self) -> None:
        trial, self._trial = self._trial, None
        if trial is not None:
            trial.stop()
            self._show_busy(False)

    def _show_busy(self, busy: bool) -> None:
        self.tryButton.setEnabled(not busy)
        self.stopTryButton.setVisible(busy)
        self.tryProgress.setVisible(busy)
        self.tryProgress.setRange(0, 0)  # moves: nobody knows how long a server takes
        if busy:
            self._tell([])

    def _tell(self, told: Sequence[tuple[bool, str]]) -> None:
        rows = "".join(
            f'<tr><td><img src="{ROOT.as_uri()}/resources/icons/{ICONS[good]}.svg" width="{ICON_SIZE}"'
            f' height="{ICON_SIZE}"></td><td>{html.escape(text)}</td></tr>'
            for good, text in told
        )
        self.findingsView.setHtml(f'<table cellpadding="3">{rows}</table>' if rows else "")

    def done(self, result: int) -> None:
        """Closed, whichever way: a test under way ends with it."""
        self._stop()
        super().done(result)
