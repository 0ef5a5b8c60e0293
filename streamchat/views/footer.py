"""The figures of a reply as short phrases: for the dim line under an answer and for `--usage`."""

from collections.abc import Callable
from typing import NamedTuple

from streamchat.chat import Reply
from streamchat.prices import cost
from streamchat.views.safe import one_line

STAYS = 0
"""The rank of what is said however narrow the place is."""


class Phrase(NamedTuple):
    """A figure in words; where there is no room for all, those of the highest rank go first."""

    text: str
    rank: int


def figures(reply: Reply) -> list[str]:
    """Tokens, speed, times and cost, those that are known, in the order in which they are shown."""
    return [phrase.text for phrase in phrases(reply)]


def phrases(reply: Reply) -> list[Phrase]:
    """The same with their ranks. What is not the provider's own figure is marked with a `~`.

    A speed is the output tokens over the time since the first one came.
    """
    found = _tokens(reply)
    if speed := _speed(reply):
        found.append(Phrase(speed, 4))
    if reply.first_token is not None:
        found.append(Phrase(f"first token {seconds(reply.first_token)}", 6))
    found.append(Phrase(seconds(reply.elapsed), 1))
    if (paid := cost(reply.provider, reply.model, reply.usage)) is not None:
        found.append(Phrase(str(paid), 2))
    return found


def summary(reply: Reply, *, title: str = "", note: str | None = None) -> list[Phrase]:
    """What stands under an answer: who gave it, its figures, how it ended if that was not well, and the note."""
    found = [Phrase(title, STAYS), *phrases(reply)]
    if reply.stop_reason not in (None, "stop"):
        told = reply.stop_reason in ("network", "error")  # what is raised is said where it is caught
        detail = f": {reply.detail}" if reply.detail and not told else ""
        found.append(Phrase(one_line(reply.stop_reason + detail, 80), STAYS))
    found.append(Phrase(one_line(note or "", 120), STAYS))
    return [phrase for phrase in found if phrase.text]


def joined(found: list[Phrase], width: int | None = None, *, wide: Callable[[str], int] | None = None) -> str:
    """One line of them, without those for which there is no room in `width` columns; `wide` counts those of a text."""
    if wide is None:
        from rich.cells import cell_len

        wide = cell_len
    while width is not None and wide(_line(found)) > width:
        least = max(found, key=lambda phrase: phrase.rank)
        if least.rank == STAYS:
            break
        found = [phrase for phrase in found if phrase is not least]
    return _line(found)


def seconds(time: float) -> str:
    """A duration as people read it: 0.42 s, 12.3 s, 3 min 4 s."""
    if time >= 100:
        return f"{time // 60:.0f} min {time % 60:.0f} s"
    return f"{time:.2f} s" if time < 10 else f"{time:.1f} s"


def _line(found: list[Phrase]) -> str:
    return " · ".join(phrase.text for phrase in found)


def _tokens(reply: Reply) -> list[Phrase]:
    usage, found = reply.usage, []
    if usage.input_tokens is not None:
        found.append(Phrase(f"{usage.input_tokens:,} in", 3))
    if usage.cached_tokens:
        found.append(Phrase(f"{usage.cached_tokens:,} cached", 5))
    if (made := _made(reply)) is not None:
        found.append(Phrase(f"{made} out", 3))
    if usage.reasoning_tokens:
        found.append(Phrase(f"{usage.reasoning_tokens:,} reasoning", 5))
    return found


def _made(reply: Reply) -> str | None:
    """The tokens that came; where the provider counted none, four letters are taken for one."""
    if reply.usage.output_tokens is not None:
        return f"{reply.usage.output_tokens:,}"
    letters = len(reply.text) + len(reply.reasoning)
    return f"~{-(-letters // 4):,}" if letters else None


def _speed(reply: Reply) -> str | None:
    speed = reply.tokens_per_second
    return None if speed is None else f"{speed:,.0f} tokens/s"
