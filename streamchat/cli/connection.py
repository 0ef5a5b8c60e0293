"""From settings to a provider, with what a person is told and asked on the way."""

import os
import sys
from collections.abc import Callable

from streamchat.choice import Choice, NobodyThereError, choose, connect
from streamchat.config.settings import Settings
from streamchat.providers.base import Provider

NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""What the SDKs read from the environment by themselves, so that a trusted `.env` must bring it there."""


def connected(settings: Settings, tell: Callable[[str], None], model: str = "") -> tuple[Choice, Provider]:
    """Whom to ask, ready to be asked; `model` is one of several `--model`.

    On a terminal, the first time, the embedded model is offered; not to who named a model, which it cannot be.
    """
    for name, value in settings.variables.additions().items():
        if name.upper() in NETWORK:
            os.environ[name] = value
    try:
        choice = choose(settings, model)
    except NobodyThereError:
        if settings.target(model)[1] or not _offered():
            raise
        choice = choose(settings, model)
    if settings.provider(choice.provider).kind == "local" and not choice.model and _offered():
        choice = choose(settings, model)
    if choice.why:
        tell(f"asking {'/'.join(filter(None, (choice.provider, choice.model)))}: {choice.why}")
    return choice, connect(settings, choice)


def _offered() -> bool:
    """Whether the weights were installed just now, because the person said yes."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    from streamchat.local.install import offer  # once in a machine's life
    from streamchat.repl import early

    early.withdraw()
    return offer()
