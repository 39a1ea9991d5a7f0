"""Token, user, project and settings (contract 1.2, 1.3, 2.1)."""

from __future__ import annotations

from typing import Any, Optional
from urllib.parse import parse_qs

from . import projects
from .answers import Answer, bare_json, enveloped
from .auth import ACCOUNT, LIFETIME_SECONDS
from .refusal import invalid
from .routing import Access, Call, Route
from .shapes import project_shape, setting_shape, user_shape

BEARER = "bearer"


def issue_token(call: Call) -> Answer:
    """`POST /oauth/token`: a project key by Basic, or the account's login by form, for a token of five minutes."""
    holder = _signed_in(call)
    if holder is None:
        # no `error` key on this route: the SDK's OAuth library breaks on one (contract 1.2)
        return bare_json({"data": None, "message": "The login is wrong: check id and key, or user and password."}, 401)
    token = call.engine.doorkeeper.issue(holder)
    answer = {"data": {"accessToken": token}, "access_token": token, "token_type": BEARER}
    return bare_json({**answer, "expires_in": LIFETIME_SECONDS})


def _signed_in(call: Call) -> Optional[str]:
    """A project's id by its key (contract 1.2), ACCOUNT by user name and password (1.3), else None."""
    header = call.request.headers.get("Authorization", "")
    if header:
        return call.engine.doorkeeper.project_of_basic(header) if header.lower().startswith("basic ") else None
    form = {name: values[0] for name, values in parse_qs(call.request.body.decode("utf-8", "replace")).items()}
    is_account = call.engine.doorkeeper.is_account(form.get("username", ""), form.get("password", ""))
    return ACCOUNT if form.get("grant_type") == "password" and is_account else None


def get_user(call: Call) -> Answer:
    """`GET /users/me`."""
    return enveloped(user_shape(call.project))


def get_project(call: Call) -> Answer:
    """`GET /projects/{p}`."""
    return enveloped(project_shape(call.project, projects.project_row(call.engine.store, call.project)))


def get_settings(call: Call) -> Answer:
    """`GET /projects/{p}/settings`."""
    return enveloped([setting_shape(row) for row in projects.setting_rows(call.engine.store, call.project)])


def put_settings(call: Call) -> Answer:
    """`PUT /projects/{p}/settings`: [{"name", "value"}]."""
    body = call.request.json()
    if not isinstance(body, list) or not all(isinstance(item, dict) for item in body):
        raise invalid('The body must be a list of {"name": "…", "value": "…"}.')
    _change(call, [(f"list[{i}].value", item.get("name"), item.get("value")) for i, item in enumerate(body)])
    return get_settings(call)


def post_settings(call: Call) -> Answer:
    """`POST /projects/{p}/settings`: {"settings": {name: value}}; 201."""
    body = call.request.json()
    settings = body.get("settings") if isinstance(body, dict) else None
    if not isinstance(settings, dict):
        raise invalid('The body must be {"settings": {"<name>": "<value>"}}.')
    _change(call, [(f"settings.{name}", name, value) for name, value in settings.items()])
    answer = get_settings(call)
    answer.status = 201
    return answer


def _change(call: Call, wishes: list[tuple[str, Any, Any]]) -> None:
    """Check all wishes (place in the body, name, value), then store all of them."""
    rules = call.project.kind.settings
    values = {}
    for place, name, value in wishes:
        if name not in rules:
            raise invalid(f'There is no setting "{name}". The settings are {", ".join(rules)}.')
        rule = rules[name]
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise invalid(f'Field "{place}" must be a whole number, got {value}') from None
        if not rule.min <= number <= rule.max:
            raise invalid(f'Field "{place}" must be in range Range[{rule.min},{rule.max}], got {number}')
        values[name] = number
    projects.change_settings(call.engine.store, call.project, values)


ROUTES = [
    Route("POST", "/oauth/token", issue_token, Access.ANYONE),
    Route("GET", "/users/me", get_user),
    Route("GET", "/projects/{p}", get_project),
    Route("GET", "/projects/{p}/settings", get_settings),
    Route("PUT", "/projects/{p}/settings", put_settings),
    Route("POST", "/projects/{p}/settings", post_settings),
]
