"""One connection's calls: signed in, envelope taken off, failures as the contract's errors."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from ..net.errors import HttpError, NetError
from ..net.session import Answer, Session
from .credentials import Credentials
from .refusals import Refusals, message_of
from .tokens import TokenStore
from .wire import WireError, json_of

SIGN_IN = "a token"


class Calls:
    """Requests to one platform in one piece of work. `what` names what is asked for in error sentences."""

    def __init__(self, session: Session, base_url: str, credentials: Credentials, tokens: TokenStore):
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._credentials = credentials
        self._tokens = tokens
        self.refusals = Refusals(base_url, credentials.is_account)

    def data(
        self, method: str, path: str, what: str, *, params: Optional[Mapping[str, str]] = None, json: Any = None
    ) -> Any:
        """The `data` of an enveloped answer (contract 1.5)."""
        answer = self.answer(method, path, what, params=params, json=json)
        body = self.json(answer, what)
        if not isinstance(body, dict) or "data" not in body:
            if isinstance(body, dict) and body.get("error"):
                raise self.refusals.not_done(message_of(answer.body), what)
            raise self.refusals.not_the_contract(answer.body, what, "it has no “data”")
        if body["data"] is None and body.get("error"):
            raise self.refusals.not_done(message_of(answer.body), what)
        return body["data"]

    def json(self, answer: Answer, what: str) -> Any:
        """The JSON value of an answer."""
        try:
            return json_of(answer.body)
        except WireError as e:
            raise self.refusals.not_the_contract(answer.body, what, str(e)) from e

    def answer(
        self, method: str, path: str, what: str, *, params: Optional[Mapping[str, str]] = None, json: Any = None
    ) -> Answer:
        """The answer of a success. Raises PlatformError, Cancelled.

        A 401 is answered with a new token and one repeat, of a write too: a 401 proves that nothing was done.
        """
        url = f"{self._base_url}/{path}"
        writes = method != "GET"
        bearer = self._bearer()
        try:
            return self._session.request(method, url, bearer=bearer, params=params, json=json)
        except NetError as e:
            if not (isinstance(e, HttpError) and e.status == 401):
                raise self.refusals.of(e, what, writes) from e
        bearer = self._bearer(refused=bearer)
        try:
            return self._session.request(method, url, bearer=bearer, params=params, json=json)
        except NetError as e:
            raise self.refusals.of(e, what, writes) from e

    def _bearer(self, refused: Optional[str] = None) -> str:
        try:
            return self._tokens.bearer(self._session, self._base_url, self._credentials, refused)
        except HttpError as e:
            if e.status in (400, 401, 403):
                raise self.refusals.not_accepted() from e
            raise self.refusals.of(e, SIGN_IN, writes=False) from e
        except NetError as e:
            raise self.refusals.of(e, SIGN_IN, writes=False) from e
        except WireError as e:
            raise self.refusals.not_the_contract(b"", SIGN_IN, str(e)) from e
