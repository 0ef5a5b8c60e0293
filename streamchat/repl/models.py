"""The models that can be named here, for completion and for choosing one."""

from streamchat.catalogue import catalogue
from streamchat.config.settings import Settings


def known_models(settings: Settings) -> list[str]:
    """References as /model takes them: aliases, then every provider's list. Asks those whose list is not kept."""
    listed = [f"{listing.provider}/{model.id}" for listing in catalogue(settings) for model in listing.models]
    return list(dict.fromkeys([*settings.aliases, *listed]))
