"""One connection's calls: signed in, envelope taken off, failures as the contract's errors."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from ..net.errors import HttpError, NetError
from ..net.session import Answer, Session
from .contract import BadAnswer, Unreachable
from .credentials import Credentials
from .refusals import Refusals, is_web_page, message_of
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

    def data(self, method: str, path: str, what: str, **given: Any) -> Any:
        """The `data` of an enveloped answer (contract 1.5). Takes and raises what `answer` does."""
        answer = self.answer(method, path, what, **given)
        body = self.json(answer, what)
        told = body if isinstance(body, dict) else {}
        if told.get("error") and told.get("data") is None:
            raise self.refusals.not_done(message_of(answer.body), what)
        if "data" not in told:
            raise self.refusals.not_the_contract(answer.body, what, "it has no “data”")
        return told["data"]

    def json(self, answer: Answer, what: str) -> Any:
        """The JSON value of an answer."""
        try:
            return json_of(answer.body)
        except WireError as e:
            raise self.refusals.not_the_contract(answer.body, what, str(e)) from e

    def answer(
        self,
        method: str,
        path: str,
        what: str,
        *,
        params: Optional[Mapping[str, str]] = None,
        json: Any = None,
        changes: bool = False,
    ) -> Answer:
        """The answer of a success. Raises PlatformError, Cancelled.

        `changes`: the call changes something, so it is not repeated, but for a 401, which is answered with a new token
        and one repeat: it proves that nothing was done.
        """

        def ask(bearer: str) -> Answer:
            url = f"{self._base_url}/{path}"
            return self._session.request(method, url, bearer=bearer, params=params, json=json, retry=not changes)

        bearer = self._bearer(changes)
        try:
            return ask(bearer)
        except NetError as e:
            if not (isinstance(e, HttpError) and e.status == 401):
                raise self.refusals.of(e, what, changes) from e
        bearer = self._bearer(changes, refused=bearer)
        try:
            return ask(bearer)
        except NetError as e:
            raise self.refusals.of(e, what, changes) from e

    def _bearer(self, changes: bool, refused: Optional[str] = None) -> str:
        """A token. A change that fails for want of one was not made, whatever it is that failed."""
        try:
            return self._signed_in(refused)
        except (Unreachable, BadAnswer) as e:
            if changes:
                raise self.refusals.not_even_sent(str(e)) from e
            raise

    def _signed_in(self, refused: Optional[str]) -> str:
        try:
            return self._tokens.bearer(self._session, self._base_url, self._credentials, refused)
        except NetError as e:
            if isinstance(e, HttpError) and e.status in (400, 401, 403) and not is_web_page(e.body):
                raise self.refusals.not_accepted() from e
            raise self.refusals.of(e, SIGN_IN, changes=False) from e
        except WireError as e:
            raise self.refusals.not_the_contract(b"", SIGN_IN, str(e)) from e
