"""What an answer costs: the provider's own figure, or list prices times its tokens; alone in importing genai_prices.

The table of prices comes with that package and is read offline. It takes a quarter of a second to load, so that it is
asked only when an answer is there and somebody wants to see what it cost.
"""

from datetime import datetime
from typing import Final

from msgspec import Struct

from streamchat.events import Usage

_NAMES: Final = frozenset(
    (
        *("openai", "anthropic", "openrouter", "groq", "deepseek", "gemini", "google", "mistral", "xai", "together"),
        *("azure", "cerebras", "cohere", "fireworks", "perplexity", "moonshotai", "novita", "zai"),
    )
)
"""The providers that the table knows, by the names that people give them. Nobody else waits for it to load."""


class Cost(Struct, frozen=True):
    """US dollars; `estimated` when they are not the provider's own word."""

    dollars: float
    estimated: bool = False

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.dollars + other.dollars, self.estimated or other.estimated)

    def __str__(self) -> str:
        mark = "~" if self.estimated else ""
        if 0 < self.dollars < 0.0001:
            return f"{mark}<$0.0001"
        return f"{mark}${self.dollars:,.4f}" if self.dollars < 0.1 else f"{mark}${self.dollars:,.2f}"


def warm() -> None:
    """Load the table now, for those who cannot wait for it in the middle of an answer."""
    import genai_prices.data_snapshot

    genai_prices.data_snapshot.get_snapshot()


def cost(provider: str, model: str, usage: Usage, *, when: datetime | None = None) -> Cost | None:
    """What these tokens cost at that time (now); None where it is not known, as for models on one's own machine."""
    if usage.cost is not None:
        return Cost(usage.cost)
    if provider not in _NAMES or usage.input_tokens is None or usage.output_tokens is None:
        return None
    import genai_prices

    tokens = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_tokens or None,
        cache_write_tokens=usage.cache_write_tokens or None,
    )
    try:
        price = genai_prices.calc_price(tokens, model, provider_id=provider, genai_request_timestamp=when)
    except (LookupError, ValueError):  # a model that is not in the table, or figures that contradict one another
        return None
    return Cost(float(price.total_price), estimated=True)
