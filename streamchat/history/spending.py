"""What the stored answers used and cost, summed by model or by day: from the files themselves, which have it all."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal

from msgspec import Struct

from streamchat.history import records
from streamchat.history.intake import files_under
from streamchat.history.tree import Tree
from streamchat.history.turn import Turn
from streamchat.prices import Cost, cost

By = Literal["model", "day"]
_LONGEST = 400
"""Days without an answer are listed too, but not for years."""


class Sum(Struct):
    """The answers of one model or one day. `uncounted` are those of which the provider gave no figures.

    `cost` is None where no price is known; `unpriced` are the counted answers that it leaves out.
    """

    name: str
    answers: int = 0
    uncounted: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost: Cost | None = None
    unpriced: int = 0

    def add(self, other: "Sum") -> None:
        """Take another one in."""
        for name in self.__struct_fields__[1:]:
            mine, its = getattr(self, name), getattr(other, name)
            setattr(self, name, mine + its if mine is not None and its is not None else (mine if its is None else its))


def sums(directory: Path, *, by: By = "model", since: str = "") -> list[Sum]:
    """The answers under this directory from that time (UTC, as the records have it) on.

    Models are in the order of what they cost and then of what they wrote, days in their own.
    """
    found: dict[str, Sum] = {}
    for turn in _answers(directory, since):
        one = _of(turn, turn.model if by == "model" else _day(turn.time))
        found.setdefault(one.name, Sum(one.name)).add(one)
    if by == "day":
        return [found.get(day) or Sum(day) for day in _days(sorted(found))]
    return sorted(found.values(), key=lambda each: (_dollars(each), each.output_tokens, each.answers), reverse=True)


def total(of: list[Sum]) -> Sum:
    """All of them together."""
    whole = Sum("total")
    for each in of:
        whole.add(each)
    return whole


def _answers(directory: Path, since: str) -> Iterator[Turn]:
    changed = datetime.fromisoformat(since).timestamp() if since else 0.0
    for path, (_, nanoseconds) in files_under(directory):
        if nanoseconds / 1e9 < changed:
            continue
        data = b""
        with suppress(OSError):
            data = (directory / path).read_bytes()
        tree = Tree(records.Head(""))
        tree.read(records.decode(data)[0])
        yield from (turn for turn in tree.every() if turn.answer is not None and turn.time >= since)


def _of(turn: Turn, name: str) -> Sum:
    assert turn.answer is not None
    usage = turn.usage
    if usage.input_tokens is None and usage.output_tokens is None:
        return Sum(name, 1, uncounted=1)
    paid = cost(turn.answer.provider, turn.answer.model, usage, when=_moment(turn.time))
    return Sum(
        name,
        answers=1,
        input_tokens=usage.input_tokens or 0,
        cached_tokens=usage.cached_tokens or 0,
        output_tokens=usage.output_tokens or 0,
        reasoning_tokens=usage.reasoning_tokens or 0,
        cost=paid,
        unpriced=int(paid is None),
    )


def _dollars(each: Sum) -> float:
    return each.cost.dollars if each.cost is not None else -1.0


def _moment(time: str) -> datetime | None:
    try:
        return datetime.fromisoformat(time)
    except ValueError:
        return None


def _day(time: str) -> str:
    """The day of this time where the person is."""
    moment = _moment(time)
    return moment.astimezone().date().isoformat() if moment else "undated"


def _days(known: list[str]) -> list[str]:
    """These days, and those between them."""
    dated = [day for day in known if day != "undated"]
    if not dated:
        return known
    first, last = date.fromisoformat(dated[0]), date.fromisoformat(dated[-1])
    if (last - first).days > _LONGEST:
        return known
    between = [(first + timedelta(days=each)).isoformat() for each in range((last - first).days + 1)]
    return [*between, *(day for day in known if day == "undated")]
