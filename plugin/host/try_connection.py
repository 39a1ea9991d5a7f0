"""Test Connection: sign in, look at each project, and say in words what is wrong, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional
from urllib.parse import urlsplit

from ..net.cancel import Cancel
from ..net.errors import HttpError, NetError
from ..net.session import Session
from ..platforms.contract import NotAuthorised, NotFound, PlatformError
from ..platforms.credentials import Credentials
from ..platforms.refusals import is_web_page
from ..platforms.tokens import TokenStore
from ..platforms.up42_jobs import Up42Jobs
from ..platforms.wire import WireError
from .connections import check_address
from .errors import HostError
from .limits import limits_line
from .servers import Login, Server, is_uuid
from .words import number, tell_network, tr

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Finding:
    """One sentence of the test's result; `good`: nothing has to be mended there."""

    good: bool
    text: str


def try_connection(
    server: Server, credentials: Credentials, session: Session, cancel: Cancel, progress: Progress
) -> list[Finding]:
    """Sign in and read each project. Worker thread; changes nothing and costs nothing. Raises Cancelled.

    Nothing is sent to an address that is closed or not encrypted.
    """
    try:
        check_address(server.url)
    except HostError as e:
        return [Finding(False, str(e))]
    tokens, session = TokenStore(), session.under(cancel)  # a store of its own: the login is tried as it is now
    refused = _sign_in(server, credentials, session, tokens)
    if refused is not None:
        return [Finding(False, refused)]
    ids = server.project_ids or (credentials.user,)
    findings = [Finding(True, tr("{host} accepts the login.").format(host=_host(server)))]
    for done, project_id in enumerate(ids, 1):
        progress(done / (len(ids) + 1))
        findings.append(_project(server, credentials, session, tokens, project_id))
    return findings


def _sign_in(server: Server, credentials: Credentials, session: Session, tokens: TokenStore) -> Optional[str]:
    """Why signing in failed; None where it did not."""
    try:
        tokens.bearer(session, server.url, credentials)
    except HttpError as e:
        if e.status in (400, 401, 403) and not is_web_page(e.body):
            return _login_refused(server, credentials)
        if is_web_page(e.body) or e.status in (404, 405, 410, 501):
            return _not_this_api(server)
        return tell_network(e)
    except NetError as e:
        return tell_network(e)
    except WireError:
        return _not_this_api(server)
    return None


def _login_refused(server: Server, credentials: Credentials) -> str:
    if server.login is Login.ACCOUNT:
        text = tr("{host} did not accept the user name and password: check them, and that this is not a project key.")
        return text.format(host=_host(server))
    if not is_uuid(credentials.user):
        text = tr(
            "{host} did not accept the project ID and key. The user name of the authentication must be the project ID;"
            " such IDs usually look like 12345678-90ab-cdef-1234-567890abcdef, and this one does not."
        )
        return text.format(host=_host(server))
    text = tr("{host} did not accept the project ID and key: check both, and that the key has not been replaced.")
    return text.format(host=_host(server))


def _not_this_api(server: Server) -> str:
    text = tr(
        "{host} answers, but the workflows-and-jobs interface is not at {url}: check the URL, its path and its port, or"
        " sign in to your network first."
    )
    return text.format(host=_host(server), url=server.url)


def _project(
    server: Server, credentials: Credentials, session: Session, tokens: TokenStore, project_id: str
) -> Finding:
    platform = Up42Jobs(session, server.url, credentials, tokens, project_ids=(project_id,))
    try:
        project = platform.projects()[0]
        balance = platform.balance(project)
    except NotFound as e:
        return Finding(False, _unknown_project(server, project_id, e))
    except NotAuthorised:
        if server.login is Login.PROJECT_KEY:
            text = tr("The key is good, but it is another project’s: it does not open the project {id}.")
        else:
            text = tr("The login is good, but the account may not use the project {id}: check the ID.")
        return Finding(False, text.format(id=project_id))
    except PlatformError as e:
        return Finding(False, str(e))
    text = tr("Project “{name}”: {limits}.").format(name=project.name, limits=limits_line(project))
    if balance is not None:
        text = f"{text} {tr('{count} credits left.').format(count=number(balance))}"
    return Finding(True, text)


def _unknown_project(server: Server, project_id: str, error: NotFound) -> str:
    cause = error.__cause__
    if isinstance(cause, HttpError) and cause.document is None:
        return _not_this_api(server)
    if not is_uuid(project_id):
        text = tr(
            "{host} does not know a project {id}: check the ID. They usually look like"
            " 12345678-90ab-cdef-1234-567890abcdef."
        )
    else:
        text = tr("{host} does not know a project {id}: check the ID.")
    return text.format(host=_host(server), id=project_id)


def _host(server: Server) -> str:
    return urlsplit(server.url).netloc
