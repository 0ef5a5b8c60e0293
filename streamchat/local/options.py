"""What can be set about the embedded model: the `[local]` table, resolved."""

import os
from pathlib import Path

from msgspec import Struct

from streamchat.errors import ConfigError
from streamchat.paths import files

_MOST_THREADS = 8
"""More do not help a model that fits in here, and they take the machine away from its owner."""
_LEAST_CONTEXT = 256
"""The engine aborts on a context of a few tokens."""


class LocalOptions(Struct, frozen=True):
    """How the embedded model runs.

    `model` is a GGUF file or the name of installed weights, "" for what is found; `models` is the directory of the
    installed weights, None for the one in streamchat's data; `threads` 0 is the cores minus one, `context` 0 is the
    model's own size; `parallel` is how many answers may grow at once.
    """

    model: str = ""
    primer: bool = True
    context: int = 4096
    max_tokens: int = 512
    threads: int = 0
    parallel: int = 1
    models: Path | None = None

    @property
    def directory(self) -> Path:
        """Where installed weights are."""
        return self.models or files().data / "models"

    @property
    def working_threads(self) -> int:
        """All cores but one: what draws the answer needs that one, and without it both crawl."""
        return self.threads or max(1, min(_MOST_THREADS, _cores() - 1))

    def check(self) -> None:
        """ConfigError for what the engine would not survive."""
        if self.context and self.context < _LEAST_CONTEXT:
            raise ConfigError(
                f"local.context is {self.context} tokens, the least is {_LEAST_CONTEXT}",
                "0 stands for the model's own size.",
            )
        if self.threads < 0 or self.parallel < 1 or self.max_tokens < 1 or self.context < 0:
            raise ConfigError("local.threads and local.context are at least 0, local.max_tokens at least 1")


def _cores() -> int:
    """The cores that this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
