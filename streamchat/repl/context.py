"""What a conversation has come to, in tokens, and how much of the model's context that is.

How much a model holds is known from the configuration (`context` of a provider's table, or of the embedded model), or
from what a provider said when a conversation no longer fitted. Nothing is guessed.
"""

import re

from streamchat.config.settings import Settings
from streamchat.errors import ChatError
from streamchat.events import Usage
from streamchat.history.conversation import Conversation

NEARLY = 0.8
"""The share of the context from which on the person is told what to do."""

_TOO_LONG = re.compile(
    r"context.?(length|window|size)|prompt is too long|too many tokens|maximum context|input is too long"
    r"|exceeds? the (model'?s )?(maximum|available) context|model holds (?P<held>\d+)",
    re.IGNORECASE,
)
_LIMITS = (
    re.compile(r"context (?:length|window|size) (?:is|of) (\d[\d,]*)", re.IGNORECASE),
    re.compile(r"> (\d[\d,]*) maximum", re.IGNORECASE),
    re.compile(r"model holds (\d+)"),
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
        self._learned: dict[tuple[str, str], int] = {}

    def learn(self, provider: str, model: str, error: ChatError) -> None:
        """Remember what a refusal said."""
        if limit := limit_in(error):
            self._learned[provider, model] = limit

    def size(self, settings: Settings, provider: str, model: str) -> int | None:
        """The context in tokens; None where nobody said it."""
        table = settings.providers.get(provider)
        if table is None:
            return None
        own = settings.local.context if table.kind == "local" else table.context
        return own or self._learned.get((provider, model))

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
    """The tokens of all branches of a conversation, as the providers counted them; their cost where prices are set."""

    def __init__(self, settings: Settings, conversation: Conversation) -> None:
        self._settings = settings
        self._input = self._cached = self._output = 0
        self._cost = 0.0
        self._priced = False
        for turn in conversation.every():
            if turn.answer is not None:
                self.add(turn.answer.provider, turn.answer.model, turn.usage)

    def add(self, provider: str, model: str, usage: Usage) -> None:
        """One more answer."""
        given, made = usage.input_tokens or 0, usage.output_tokens or 0
        self._input += given
        self._cached += usage.cached_tokens or 0
        self._output += made
        table = self._settings.providers.get(provider)
        if table is not None and model in table.prices:
            price_in, price_out = table.prices[model]
            self._cost += (given * price_in + made * price_out) / 1_000_000
            self._priced = True

    def phrases(self) -> list[str]:
        """Short ones, for a line of state. The cost is an upper bound where parts of the input were cached."""
        if not (self._input or self._output):
            return []
        cached = f" ({self._cached:,} cached)" if self._cached else ""
        tokens = f"{self._input:,} in{cached}, {self._output:,} out"
        return [tokens, f"{'at most ' if self._cached else ''}{self._cost:.4f}"] if self._priced else [tokens]
