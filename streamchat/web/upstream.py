"""Whom a question goes to: the configuration's providers, each made once for the whole process, asked by name."""

import asyncio
import threading
import time
from collections.abc import Sequence
from pathlib import PurePath

from streamchat.catalogue import Listing, catalogue, with_prices
from streamchat.choice import choose, connect
from streamchat.config.settings import Settings
from streamchat.errors import UnknownModelError
from streamchat.providers.base import Provider

_FRESH = 60.0
"""Seconds for which a list of models, and a choice that nobody named, are taken as they were."""


class Upstream:
    """The providers of one configuration. What looks for keys and servers may block, so it happens in threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._providers: dict[str, Provider] = {}
        self._choices: dict[str, tuple[float, str, str]] = {}
        self._listings: tuple[float, Sequence[Listing]] | None = None
        self._lock = threading.Lock()

    async def find(self, model: str) -> tuple[Provider, str]:
        """The provider and the model that a name means, "" for the default; ChatError as `ask` has it."""
        kept = self._choices.get(model)
        if kept and time.monotonic() - kept[0] < _FRESH:
            return self._providers[kept[1]], kept[2]
        return await asyncio.to_thread(self._find, model)

    async def listings(self) -> Sequence[Listing]:
        """What can be asked, provider by provider."""
        if self._listings is None or time.monotonic() - self._listings[0] > _FRESH:
            found = await asyncio.to_thread(self._listed)
            self._listings = time.monotonic(), found
        return self._listings[1]

    async def default(self) -> str:
        """The model that is asked when none is named, as provider/model; "" while there is none."""
        from streamchat.errors import ChatError

        try:
            provider, model = await self.find("")
        except ChatError:
            return ""
        return f"{provider.name}/{model}"

    async def aclose(self) -> None:
        """Give all connections back."""
        for provider in self._providers.values():
            await provider.aclose()
        self._providers.clear()
        self._choices.clear()

    def _find(self, model: str) -> tuple[Provider, str]:
        with self._lock:  # two first questions make one provider
            choice = choose(self.settings, model)
            kind = self.settings.provider(choice.provider).kind
            if kind in ("replay", "local") and _is_path(choice.model) and choice.model != self.settings.local.model:
                raise UnknownModelError(
                    f"{choice.provider} has no model {choice.model!r}",
                    "Files of this machine are not asked from outside.",
                )
            provider = self._providers.get(choice.provider)
            if provider is None:
                provider = connect(self.settings, choice)
                provider.ready()
                self._providers[choice.provider] = provider
            self._choices[model] = time.monotonic(), choice.provider, choice.model
            return provider, choice.model

    def _listed(self) -> Sequence[Listing]:
        return [with_prices(listing) for listing in catalogue(self.settings) if listing.models]


def _is_path(model: str) -> bool:
    """Whether this names a file: a stranger's question must not open one."""
    path = PurePath(model)
    return len(path.parts) != 1 or model.startswith("~") or path.suffix in (".gguf", ".jsonl") or model in (".", "..")
