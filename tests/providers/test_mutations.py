"""Recorded streams of all formats, split, cut and damaged anywhere: an answer is whole, or an error of ours keeps it.

Two hundred of each; 10,000 with HYPOTHESIS_PROFILE=nightly.
"""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamchat.chat import Chat, Message, Reply
from streamchat.errors import ChatError
from streamchat.events import Event, Text
from streamchat.pump import Reading
from tests.providers.asking import provider
from tests.wire.answers import FORMATS, Format
from tests.wire.case import DELTAS, WHOLE

CHAT = Chat("m", (Message("user", "?"),))
Outcome = tuple[str, str | None, type[ChatError] | None]
"""The text, the stop reason, and the error if there is one."""

MANY = settings(max_examples=max(200, settings().max_examples))
PLACES = st.integers(0, 10_000)
DAMAGE = st.lists(
    st.tuples(st.sampled_from(["flip", "delete", "insert", "repeat"]), PLACES, st.binary(min_size=1, max_size=8)),
    min_size=1,
    max_size=4,
)


def read(form: Format, data: bytes, splits: list[int]) -> Outcome:
    """What comes of a body that arrives in these pieces."""
    source, reply = provider(form, "http://127.0.0.1:1"), Reply()
    reading = Reading(source.wire(CHAT), source.endpoint, {"content-type": "text/event-stream"}, reply)
    places = [0, *sorted(place % (len(data) + 1) for place in splits), len(data)]
    shown: list[Event] = []
    error = None
    try:
        for start, end in pairwise(places):
            events, wrong = reading.take(data[start:end])
            shown += events
            if wrong is not None:
                raise wrong
            if reading.ended:
                break
        for event in reading.close():
            shown.append(event)
    except ChatError as exc:
        error = type(exc)
    assert reply.text == "".join(event.text for event in shown if isinstance(event, Text))
    return reply.text, reply.stop_reason, error


def damaged(data: bytes, damage: list[tuple[str, int, bytes]]) -> bytes:
    for how, place, extra in damage:
        at = place % (len(data) + 1)
        match how:
            case "flip":
                data = data[:at] + extra[:1] + data[at + 1 :]
            case "delete":
                data = data[:at] + data[at + len(extra) :]
            case "insert":
                data = data[:at] + extra + data[at:]
            case "repeat":
                data = data[:at] + data[max(0, at - 40) :]
    return data


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
@MANY
@given(splits=st.lists(PLACES, max_size=12))
def test_however_it_is_split_the_answer_is_whole(form: Format, splits: list[int]) -> None:
    assert read(form, b"".join(form.answer(DELTAS)), splits) == (WHOLE, "stop", None)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
@MANY
@given(cut=PLACES, splits=st.lists(PLACES, max_size=4))
def test_wherever_it_is_cut_half_an_answer_is_not_taken_for_a_whole_one(
    form: Format, cut: int, splits: list[int]
) -> None:
    data = b"".join(form.answer(DELTAS))
    text, stop, error = read(form, data[: cut % len(data)], splits)

    assert WHOLE.startswith(text)
    assert (error is None) == (stop is not None)
    assert error is not None or text == WHOLE


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
@MANY
@given(damage=DAMAGE, splits=st.lists(PLACES, max_size=6))
def test_whatever_is_damaged_it_ends_or_is_an_error_of_ours_and_splits_change_nothing(
    form: Format, damage: list[tuple[str, int, bytes]], splits: list[int]
) -> None:
    data = damaged(b"".join(form.answer(DELTAS)), damage)
    outcome = read(form, data, [])

    assert (outcome[2] is None) == (outcome[1] is not None)
    assert read(form, data, splits) == outcome
