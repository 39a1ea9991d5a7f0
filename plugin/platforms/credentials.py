"""What a connection signs in with. It is never shown: not by repr, not by str, not in a traceback's values."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Credentials:
    """One of the two logins of contract 1.2 and 1.3: a project's id and key, or an account's user and password.

    `user` is the project id or the account's user name. Make one with `project` or `account`.
    """

    user: str = field(repr=False)
    secret: str = field(repr=False)
    is_account: bool = False

    @classmethod
    def project(cls, project_id: str, project_key: str) -> Credentials:
        """Client credentials: good for this one project only."""
        return cls(project_id, project_key)

    @classmethod
    def account(cls, user: str, password: str) -> Credentials:
        """The password grant: good for all projects of the account."""
        return cls(user, password, is_account=True)
