"""The models that can be named here, for completion and choosing: those of the configuration, and those that answer."""

from collections.abc import Iterator

from streamchat.config.settings import Settings
from streamchat.discovery import is_local, local_servers
from streamchat.errors import ChatError
from streamchat.providers.base import Provider
from streamchat.providers.replay import SHIPPED


def known_models(settings: Settings, provider: Provider) -> list[str]:
    """References as /model takes them. Asks the servers of this machine, and the current provider for its list."""
    return list(dict.fromkeys(_models(settings, provider)))


def _models(settings: Settings, provider: Provider) -> Iterator[str]:
    yield from settings.aliases
    near = {name: table.base_url for name, table in settings.providers.items() if is_local(table.base_url)}
    answering = local_servers(near)
    ready = settings.ready()
    for name, table in settings.providers.items():
        if table.kind == "replay":
            yield from (f"{name}/{each}" for each in SHIPPED)
        elif table.kind in ("echo", "local"):
            yield name
        elif name == provider.name:
            yield from (f"{name}/{each}" for each in [*([table.model] if table.model else []), *_listed(provider)])
        elif name in answering:
            yield from (f"{name}/{each}" for each in answering[name])
        elif name in ready:
            yield f"{name}/{table.model}" if table.model else name


def _listed(provider: Provider) -> list[str]:
    try:
        return sorted(provider.models())
    except ChatError:
        return []
