"""From settings to a provider, with what a person is told and asked on the way."""

import sys
from collections.abc import Callable

from streamchat.choice import Choice, NobodyThereError, choose, connect
from streamchat.config.settings import Settings
from streamchat.providers.base import Provider


def connected(settings: Settings, tell: Callable[[str], None]) -> tuple[Choice, Provider]:
    """Whom to ask, ready to be asked. On a terminal, the first time, the embedded model is offered."""
    try:
        choice = choose(settings)
    except NobodyThereError:
        if not _offered():
            raise
        choice = choose(settings)
    if choice.why:
        tell(f"asking {'/'.join(filter(None, (choice.provider, choice.model)))}: {choice.why}")
    return choice, connect(settings, choice)


def _offered() -> bool:
    """Whether the weights were installed just now, because the person said yes."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    from streamchat.local.install import offer  # once in a machine's life

    return offer()
