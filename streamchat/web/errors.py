"""Errors as the web side tells them: a code for programs, a status where no stream has begun, the person's sentence.

A provider's words are shown as they are shown in a terminal: keys are taken out where the error is made (`pump.py`).
"""

from typing import Any

from streamchat.errors import (
    AuthError,
    BusyError,
    ChatError,
    CutError,
    NetworkError,
    ProviderError,
    StalledError,
    UnknownModelError,
    UsageError,
)
from streamchat.views.safe import one_line

_TOLD: tuple[tuple[type[ChatError], str, int], ...] = (
    (StalledError, "upstream_timeout", 504),
    (NetworkError, "network", 502),
    (CutError, "network", 502),
    (UnknownModelError, "unknown_model", 404),
    (ProviderError, "upstream_error", 502),
    (BusyError, "rate_limited", 429),
    (AuthError, "auth", 502),
    (UsageError, "invalid", 422),
)
"""The provider's refusal of its key is 502: 401 is ours, for who asks without a token."""


class WebError(ChatError):
    """What this server says of itself: `code` and `status` are in the answer as they are here."""

    def __init__(
        self, status: int, code: str, message: str, hint: str | None = None, *, retry_after: float | None = None
    ) -> None:
        super().__init__(message, hint)
        self.status, self.code, self.retry_after = status, code, retry_after
        self.transient = status in (409, 429, 503)


class StoppedError(WebError):
    """The answer was ended from here: by Stop, because nobody listened any more, by the time limit, by the end of the
    server."""

    stop_reason = "interrupted"

    def __init__(self, code: str, message: str) -> None:
        super().__init__(503 if code == "server_stopping" else 409, code, message)
        self.transient = code != "stopped"


def status_of(error: ChatError) -> int:
    """The HTTP status of an error that came before anything else."""
    if isinstance(error, WebError):
        return error.status
    return next((status for kind, _, status in _TOLD if isinstance(error, kind)), 500)


def code_of(error: ChatError) -> str:
    """The error in one word, for programs."""
    if isinstance(error, WebError):
        return error.code
    if isinstance(error, BusyError) and error.transient and "overload" in error.message.lower():
        return "overloaded"
    return next((code for kind, code, _ in _TOLD if isinstance(error, kind)), "internal")


def retry_after(error: ChatError) -> float | None:
    """The seconds to wait, where they are known."""
    return error.retry_after if isinstance(error, BusyError | WebError) else None


def described(error: ChatError) -> dict[str, Any]:
    """The error as it goes out: code, message, hint, whether and when to try again."""
    wait = retry_after(error)
    return {
        "code": code_of(error),
        "message": one_line(error.message),
        **({"hint": one_line(error.hint)} if error.hint else {}),
        "retryable": error.transient,
        **({"retry_after": wait} if wait is not None else {}),
    }
