"""One module per kind of provider; this one finds them by name and imports only the one that is asked for."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from streamchat.errors import ConfigError
from streamchat.providers.base import Endpoint, Provider

_SHARED = ("base", "sdk", "offline", "wrapped", "recorded")


def kinds() -> tuple[str, ...]:
    """The kinds that a provider table can name."""
    return tuple(found.name for found in iter_modules(__path__) if not found.ispkg and found.name not in _SHARED)


def make(kind: str, endpoint: Endpoint, **more: Any) -> Provider:
    """The provider of this kind at this endpoint; `more` is for that kind alone. ConfigError for an unknown kind."""
    if kind not in kinds():
        raise ConfigError(f"provider {endpoint.name}: there is no kind {kind!r}", f"Kinds: {', '.join(kinds())}.")
    provider: Provider = import_module(f"{__name__}.{kind}").Provider(endpoint, **more)
    return provider
