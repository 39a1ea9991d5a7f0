"""A request that is not done, as the contract says it (1.5)."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Union

VALIDATION_ERROR = "VALIDATION_ERROR"


class Refusal(Exception):
    """An error answer: HTTP status, the code in the envelope, a sentence, and more keys for the `error` object."""

    def __init__(
        self,
        status: int,
        message: str,
        code: Optional[Union[str, int]] = None,
        more: Optional[Mapping[str, Any]] = None,
    ):
        super().__init__(message)
        self.status = status
        self.code = code if code is not None else status
        self.more = more or {}

    @property
    def envelope(self) -> dict[str, Any]:
        """`{"error": {"code", "message", "details"}, "data": null}`."""
        return {"error": {"code": self.code, "message": str(self), "details": None, **self.more}, "data": None}


def invalid(message: str) -> Refusal:
    """400: what was sent breaks a rule."""
    return Refusal(400, message, VALIDATION_ERROR)


def unauthorised() -> Refusal:
    """401: no token or key of ours, or a token that is over."""
    return Refusal(401, "Full authentication is required to access this resource", "UNAUTHORIZED")


def forbidden(message: str) -> Refusal:
    """403: known, but not allowed."""
    return Refusal(403, message)


def not_found(message: str) -> Refusal:
    """404."""
    return Refusal(404, message, "RESOURCE_NOT_FOUND")


def too_many(message: str) -> Refusal:
    """429."""
    return Refusal(429, message, "TOO_MANY_REQUESTS")
