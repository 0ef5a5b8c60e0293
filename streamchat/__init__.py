r"""streamchat: ask a language model and watch the answer arrive.

>>> import streamchat
>>> for token in streamchat.stream("How do tides work?", model="replay/showcase", options={"speed": 0}):
...     print(token, end="")
...     if "\n" in token:
...         break
# Why the sea comes and goes
<BLANKLINE>
The

Importing the package loads nothing; each public name is loaded when it is first used.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False  # importing `typing` for it would take as long as all that `--version` does

if TYPE_CHECKING:
    from typing import Any

    from streamchat.chat import Chat, Message, Options, Reply
    from streamchat.errors import (
        AuthError,
        BusyError,
        ChatError,
        ConfigError,
        CutError,
        IncompleteError,
        NetworkError,
        ProviderError,
        StalledError,
        UnknownModelError,
        UsageError,
    )
    from streamchat.events import Event, Reasoning, Retry, Stop, Text, Usage
    from streamchat.library import astream, stream
    from streamchat.pump import AsyncStream, Stream

_HOMES = {
    "streamchat.library": ("astream", "stream"),
    "streamchat.chat": ("Chat", "Message", "Options", "Reply"),
    "streamchat.events": ("Event", "Reasoning", "Retry", "Stop", "Text", "Usage"),
    "streamchat.pump": ("AsyncStream", "Stream"),
    "streamchat.errors": (
        "AuthError",
        "BusyError",
        "ChatError",
        "ConfigError",
        "CutError",
        "IncompleteError",
        "NetworkError",
        "ProviderError",
        "StalledError",
        "UnknownModelError",
        "UsageError",
    ),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [  # noqa: RUF022  # by what they are for
    "stream", "astream", "Stream", "AsyncStream",
    "Chat", "Message", "Options", "Reply",
    "Event", "Text", "Reasoning", "Usage", "Stop", "Retry",
    "ChatError", "UsageError", "ConfigError", "AuthError", "BusyError", "NetworkError", "StalledError",
    "ProviderError", "UnknownModelError", "CutError", "IncompleteError",
    "__version__",
]  # fmt: skip


def __getattr__(name: str) -> "Any":
    if name not in _HOME:
        raise AttributeError(f"module 'streamchat' has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(_HOME[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
