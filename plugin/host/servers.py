"""The servers that the user connected to: what is kept of them in QGIS's settings. Their secrets are the vault's.

Imports nothing that needs shapely or requests: the options page works without them.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any, Optional, Sequence
from urllib.parse import urlsplit

from qgis.core import QgsSettings
from qgis.PyQt.QtCore import QCoreApplication

from ..net.proxy import is_loopback
from ..platforms.closed import CLOSED
from .settings import PREFIX

KEY = PREFIX + "servers"
TAKEN_NAMES = ("this-computer", "practice", "environment", "local")  # what scripts call the connections always there
_UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_PROJECT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # it stands in URLs


class Login(Enum):
    """What the Basic authentication of a server holds (contract 1.2 and 1.3)."""

    PROJECT_KEY = "project_key"
    ACCOUNT = "account"


@dataclass(frozen=True)
class Server:
    """A server that speaks the workflows-and-jobs interface. `authcfg` names the authentication in QGIS's vault."""

    name: str
    url: str
    login: Login = Login.PROJECT_KEY
    authcfg: str = ""
    project_ids: tuple[str, ...] = ()
    id: str = ""

    def copy(self, name: str) -> Server:
        """The same under another name, as another connection."""
        return replace(self, name=name, id=new_id())


@dataclass(frozen=True)
class Fault:
    """What is wrong with one field of a server: name, url, authcfg or project_ids."""

    field: str
    text: str


def new_id() -> str:
    """An id for a connection, which no other one has."""
    return f"server-{uuid.uuid4().hex[:12]}"


def read_servers() -> list[Server]:
    """The servers in the user's order; what can't be read as one is left out."""
    try:
        items = json.loads(QgsSettings().value(KEY) or "[]")
    except (TypeError, ValueError):
        return []
    found = [_server(item) for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return [server for server in found if server is not None]


def write_servers(servers: Sequence[Server]) -> None:
    """Keep these servers, and no others."""
    items = [{**asdict(server), "login": server.login.value} for server in servers]
    QgsSettings().setValue(KEY, json.dumps(items, ensure_ascii=False))


def _server(item: dict[str, Any]) -> Optional[Server]:
    texts = {name: item.get(name) for name in ("id", "name", "url", "authcfg")}
    ids = item.get("project_ids")
    if not all(isinstance(text, str) for text in texts.values()) or not isinstance(ids, list):
        return None
    try:
        login = Login(item.get("login"))
    except ValueError:
        return None
    if not texts["id"] or not texts["url"]:
        return None
    return Server(**texts, login=login, project_ids=tuple(i for i in ids if isinstance(i, str)))


def tidy_url(text: str) -> str:
    """The address as it is kept: with its scheme (https where none is given), without a slash at the end."""
    text = text.strip()
    if text and "://" not in text:
        text = f"https://{text}"
    return text.rstrip("/")


def project_ids_of(text: str) -> tuple[str, ...]:
    """The project IDs of a text with one on each line (commas and blanks will do), each once."""
    return tuple(dict.fromkeys(re.split(r"[\s,;]+", text.strip()))) if text.strip() else ()


def is_uuid(project_id: str) -> bool:
    """True for the form that UP42's project IDs have; others may be another server's."""
    return _UUID.fullmatch(project_id) is not None


def faults(server: Server, other_names: Sequence[str] = ()) -> list[Fault]:
    """Everything that keeps this server from being connected to, said before anything is sent."""
    return [*_name_faults(server, other_names), *url_faults(server.url), *_login_faults(server)]


def _name_faults(server: Server, other_names: Sequence[str]) -> list[Fault]:
    name = server.name.strip()
    if not name:
        return [Fault("name", tr("Give the connection a name."))]
    if name.casefold() in {*TAKEN_NAMES, *(other.strip().casefold() for other in other_names)}:
        return [Fault("name", tr("There is a connection “{name}” already: use another name.").format(name=name))]
    return []


def url_faults(url: str) -> list[Fault]:
    """What is wrong with a server's address."""
    try:
        parts = urlsplit(url)
        host, wrong = parts.hostname or "", parts.port == 0
    except ValueError:  # a port that is no number, an address in brackets that is none
        host, wrong, parts = "", True, urlsplit("")
    if wrong or not host or parts.scheme not in ("https", "http") or any(c.isspace() for c in url):
        return [
            Fault("url", tr("The URL must begin with https:// and name a server, such as https://jobs.example.org."))
        ]
    if "@" in parts.netloc:
        text = tr("Take the user name and password out of the URL: they belong into the authentication, encrypted.")
        return [Fault("url", text)]
    if parts.query or parts.fragment:
        return [
            Fault("url", tr("Take all that follows “?” or “#” out of the URL: only the server’s address is needed."))
        ]
    if parts.scheme == "http" and not is_loopback(host):
        text = tr(
            "http:// is not encrypted, so no key is sent there: use https://. Only this computer itself may do without."
        )
        return [Fault("url", text)]
    return []


def _login_faults(server: Server) -> list[Fault]:
    found = []
    if not server.authcfg:
        found.append(Fault("authcfg", tr("Choose the authentication to sign in with, or press + to make one.")))
    for project_id in server.project_ids:
        if not _PROJECT_ID.fullmatch(project_id):
            text = tr("“{id}” can’t be a project ID: letters, digits and hyphens only, one ID on each line.")
            return [*found, Fault("project_ids", text.format(id=project_id))]
    if server.login is Login.ACCOUNT and not server.project_ids:
        text = tr("Enter at least one project ID: the interface has no call that lists an account’s projects.")
        found.append(Fault("project_ids", text))
    if server.login is Login.PROJECT_KEY and len(server.project_ids) > 1:
        text = tr("A project key is good for one project: leave one ID, or sign in with user name and password.")
        found.append(Fault("project_ids", text))
    return found


def closed_words() -> str:
    """The truth about UP42's own address, in the user's language."""
    return QCoreApplication.translate("Closed", CLOSED)


def tr(text: str) -> str:
    """`text` in the user's language; `host.words` needs what may be missing."""
    return QCoreApplication.translate("UP42Jobs", text)
