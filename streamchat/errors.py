"""Everything that can go wrong, as one tree; each class knows its exit code.

    ChatError                 1   the provider or the program failed
    ├── UsageError            2   what was asked for cannot be done: flags, arguments, files
    │   └── ConfigError       2   the configuration cannot be used
    ├── AuthError             3   no key, a refused key, no permission
    ├── BusyError             4   rate limit or overload, after retries
    ├── NetworkError          5   connection, DNS, TLS, proxy
    │   └── StalledError      5   time-out
    ├── ProviderError         1   the provider answered with an error, or not as a provider answers
    │   ├── UnknownModelError 1   the provider does not know the model
    │   └── CutError          5   the stream ended without its end
    ├── StoreError            1   the database that keeps the conversations does not do what it should
    └── IncompleteError       6   the answer is short (length, filter, refusal) or empty, and `--strict` was asked for

An error is shown as its message on one line and its hint, the way out, on the next. What had arrived when it
happened is in `reply`: nothing that came is lost.
"""

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from streamchat.chat import Reply
    from streamchat.events import StopReason


class ChatError(Exception):
    """The root: catching it catches everything that streamchat raises on purpose."""

    exit_code: ClassVar[int] = 1
    stop_reason: ClassVar["StopReason"] = "error"
    """How a reply that this error ended is marked."""
    transient = False
    """Whether the same request may well succeed a moment later."""

    def __init__(self, message: str, hint: str | None = None, *, reply: "Reply | None" = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.reply = reply


class UsageError(ChatError):
    """What was asked for cannot be done as asked."""

    exit_code = 2


class ConfigError(UsageError):
    """The configuration cannot be used; the message names file, key and what was expected."""


class AuthError(ChatError):
    """No API key, a refused one, or no permission for what was asked."""

    exit_code = 3


class BusyError(ChatError):
    """A rate limit or an overloaded provider, after the retries; `retry_after` is in seconds where it was told."""

    exit_code = 4
    transient = True

    def __init__(
        self, message: str, hint: str | None = None, *, reply: "Reply | None" = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, hint, reply=reply)
        self.retry_after = retry_after


class NetworkError(ChatError):
    """The connection failed, before or in the middle of the reply."""

    exit_code = 5
    stop_reason = "network"


class StalledError(NetworkError):
    """Nothing came for longer than the time-out."""


class ProviderError(ChatError):
    """The provider answered with an error, or with something that is no answer; `status` is that of HTTP, if any."""

    status: int | None = None


class UnknownModelError(ProviderError):
    """The provider does not know the model, or what is at this address."""


class CutError(ProviderError):
    """The stream ended without saying that it was the end: the text that came may be short."""

    exit_code = 5
    stop_reason = "network"


class StoreError(ChatError):
    """The database that keeps the conversations cannot be reached, or refuses."""

    transient = True


class IncompleteError(ChatError):
    """The answer stopped short by the provider's own word and `--strict` was asked for."""

    exit_code = 6
