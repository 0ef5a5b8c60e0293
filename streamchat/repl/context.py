"""What a conversation has come to, in tokens, and how much of the model's context that is.

How much a model holds is known from the configuration (`context` of a provider's table, or of the embedded model), from
what a provider said when a conversation no longer fitted, or from a list of models. Nothing is guessed.
"""

import re

from streamchat.catalogue import NETWORK, Listing, Model, described, kept_lists, with_prices
from streamchat.config.settings import Settings
from streamchat.discovery import entries_at, is_local
from streamchat.errors import ChatError
from streamchat.events import Usage
from streamchat.history.conversation import Conversation
from streamchat.prices import cost

NEARLY = 0.8
"""The share of the context from which on the person is told what to do."""

_TOO_LONG = re.compile(
    r"context.?(length|window|size)|prompt is too long|too many tokens|maximum context|input is too long"
    r"|exceeds? the (model'?s )?(maximum|available) context|exceeds the maximum number of (input )?tokens"
    r"|model holds (?P<held>\d+)",
    re.IGNORECASE,
)
_LIMITS = (
    re.compile(r"context (?:length|window|size) (?:is|of) (\d[\d,]*)", re.IGNORECASE),
    re.compile(r"> (\d[\d,]*) maximum", re.IGNORECASE),
    re.compile(r"model holds (\d+)"),
    re.compile(r"number of (?:input )?tokens allowed \((\d[\d,]*)\)", re.IGNORECASE),
    re.compile(r"context size \((\d+) tokens\)", re.IGNORECASE),
)


def too_long(error: ChatError) -> bool:
    """Whether the provider refused because the conversation no longer fits into the model's context."""
    return error.exit_code in (1, 2) and _TOO_LONG.search(error.message) is not None


def limit_in(error: ChatError) -> int | None:
    """The model's context in tokens, where the refusal says it."""
    found = next((match for pattern in _LIMITS if (match := pattern.search(error.message))), None)
    return int(found[1].replace(",", "")) if found else None


class Context:
    """The context of each model, as far as it is known."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], int] = {}
        self._looked_up: set[tuple[str, str]] = set()

    def learn(self, provider: str, model: str, error: ChatError) -> None:
        """Remember what a refusal said."""
        if limit := limit_in(error):
            self._known[provider, model] = limit

    def look_up(self, settings: Settings, provider: str, model: str) -> None:
        """Remember what a list of models says, once: a server's own, or the table of the vendors' models.

        Takes up to a second.
        """
        if (provider, model) in self._looked_up:
            return
        self._looked_up.add((provider, model))
        table = settings.provider(provider)
        if table.kind not in NETWORK:
            return
        if is_local(table.base_url):
            models = [each for entry in entries_at(table.base_url, timeout=1.0) if (each := described(entry))]
            listed = next((each for each in models if each.id == model), Model(model))
        else:
            kept = kept_lists(settings.files.cache).get(provider, Listing(provider))
            listed = next((each for each in kept.models if each.id == model), Model(model))
            listed = with_prices(Listing(provider, (listed,))).models[0]
        if listed.context is not None:
            self._known.setdefault((provider, model), listed.context)

    def size(self, settings: Settings, provider: str, model: str) -> int | None:
        """The context in tokens; None where nobody said it."""
        table = settings.providers.get(provider)
        if table is None:
            return None
        own = settings.local.context if table.kind == "local" else table.context
        return own or self._known.get((provider, model))

    def share(self, settings: Settings, provider: str, model: str, conversation: Conversation) -> float | None:
        """How much of the context the next question finds filled; None where that is not known."""
        size, filled = self.size(settings, provider, model), used(conversation)
        return None if size is None or filled is None else filled / size


def used(conversation: Conversation) -> int | None:
    """The tokens of the branch, as the provider counted them for its last answer."""
    last = conversation.last
    if last is None or last.usage.input_tokens is None:
        return None
    return last.usage.input_tokens + (last.usage.output_tokens or 0)


class Spending:
    """The tokens of all branches of a conversation, as the providers counted them, and what they cost."""

    def __init__(self, conversation: Conversation) -> None:
        self._usages: dict[tuple[str, str], Usage] = {}
        self._asked = False
        for turn in conversation.every():
            if turn.answer is not None:
                self._count(turn.answer.provider, turn.answer.model, turn.usage)

    def add(self, provider: str, model: str, usage: Usage) -> None:
        """One more answer."""
        self._asked = True
        self._count(provider, model, usage)

    def phrases(self) -> list[str]:
        """Short ones, for a line of state. The cost, whose table takes long to load, comes with the first answer."""
        given, cached, made = (
            sum(getattr(usage, name) or 0 for usage in self._usages.values())
            for name in ("input_tokens", "cached_tokens", "output_tokens")
        )
        if not (given or made):
            return []
        costs = [cost(*whom, usage) for whom, usage in self._usages.items()] if self._asked else []
        paid = [each for each in costs if each is not None]
        tokens = f"{given:,} in" + (f" ({cached:,} cached)" if cached else "") + f", {made:,} out"
        return [tokens, str(sum(paid[1:], paid[0]))] if paid else [tokens]

    def _count(self, provider: str, model: str, usage: Usage) -> None:
        before = self._usages.get((provider, model), Usage())
        sums = {
            name: (getattr(before, name) or 0) + (getattr(usage, name) or 0)
            for name in Usage.__struct_fields__
            if getattr(before, name) is not None or getattr(usage, name) is not None
        }
        self._usages[provider, model] = Usage(**sums)
