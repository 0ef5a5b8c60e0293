"""The five things that can come out of a stream; nothing else does.

They are also the lines of `--format jsonl`, the body of the conversation journal and the events of the web side:
what is shown is what is stored is what is served. `msgspec.json.encode(event)` is that one encoding, with the
event's kind under the key `type`.
"""

from typing import Any, Literal

from msgspec import Struct

StopReason = Literal["stop", "length", "tool", "filter", "refusal", "interrupted", "pipe_closed", "network", "error"]
"""Why a reply ended. The first five are the provider's word; the others are ours, for a reply that was cut."""

INCOMPLETE: frozenset[StopReason] = frozenset(("length", "filter", "refusal"))
"""The provider's stop reasons that leave an answer short; `--strict` turns them into exit code 6."""


class Text(Struct, frozen=True, tag="text", gc=False):
    """A delta of the answer: one or more characters, never empty."""

    text: str


class Reasoning(Struct, frozen=True, tag="reasoning", gc=False):
    """A delta of what the model thought on the way to its answer; never part of the answer."""

    text: str


DELTAS = (Text, Reasoning)
"""The kinds that grow letter by letter. A tuple: to ask `isinstance` about a union costs four times as much, and it is
asked for every token."""


class Usage(Struct, frozen=True, tag="usage", omit_defaults=True):
    """What the provider says the reply cost so far, in tokens; None where it did not say.

    `input_tokens` is the whole prompt, `cached_tokens` (read from the provider's prompt cache) and `cache_write_tokens`
    are parts of it; `output_tokens` is everything generated and `reasoning_tokens` a part of it. `cost` is in US
    dollars, from the few that say what they charge.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None

    def updated(self, later: "Usage") -> "Usage":
        """This usage with every figure that `later` knows put in its place: providers report in instalments."""
        return Usage(
            *(new if new is not None else old for new, old in zip(_figures(later), _figures(self), strict=True))
        )


class Stop(Struct, frozen=True, tag="stop", omit_defaults=True):
    """The provider ended the reply; `detail` is its own word where ours is coarser, or a refusal's explanation."""

    reason: StopReason
    detail: str | None = None


class Retry(Struct, frozen=True, tag="retry"):
    """Nothing of the reply had come; the request is sent again in `wait` seconds, as try `attempt` of `attempts`.

    It is about the way to the reply and not part of it: a view shows it while it lasts, the journal does not keep it.
    """

    wait: float
    attempt: int
    attempts: int
    reason: str

    def __str__(self) -> str:
        when = f"in {self.wait:.0f} s" if self.wait >= 1 else "now"
        return f"{self.reason}: trying again {when}, {self.attempt} of {self.attempts}"


Event = Text | Reasoning | Usage | Stop | Retry


def _figures(usage: Usage) -> tuple[Any, ...]:
    return tuple(getattr(usage, name) for name in usage.__struct_fields__)
