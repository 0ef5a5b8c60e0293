"""The first words on a terminal: there before Rich is, and nothing else than Rich would have shown."""

import threading
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamchat.chat import Reply
from streamchat.events import Event, Reasoning, Retry, Text
from streamchat.views.first import PLAIN, FirstView
from streamchat.views.live import LiveMarkdown
from streamchat.views.panel import LiveView
from tests.views.documents import documents
from tests.views.emulator import Emulator

PIECES = st.integers(1, 9)


def shown(
    out: Emulator, events: Sequence[Event], *, loaded_after: int, early: Callable[[], None] = lambda: None
) -> None:
    """Show these, with the view loaded when so many have come; `early` is called before that."""
    go = threading.Event()

    def load() -> LiveView:
        assert go.wait(30)
        return LiveView(out, footer=False)

    def coming() -> Iterator[Event]:
        for number, event in enumerate(events):
            if number == loaded_after:
                early()
                go.set()
            yield event
        early()
        go.set()

    FirstView(out, load).show(coming(), Reply())


def cut(text: str, size: int) -> list[Event]:
    return [Text(text[start : start + size]) for start in range(0, len(text), size)]


@given(st.from_regex(PLAIN, fullmatch=True))
def test_what_counts_as_plain_is_shown_by_rich_as_it_stands(text: str) -> None:
    out = Emulator(200, 24)
    live = LiveMarkdown(out, width=200, height=24, mode="live")
    live.feed(text[:190])
    live.draw()

    assert out.lines == [text[:190].rstrip(" ")]


@settings(max_examples=40)
@given(documents | st.from_regex(PLAIN, fullmatch=True), PIECES, st.integers(0, 20))
def test_in_the_end_it_is_what_the_whole_view_shows(text: str, size: int, loaded_after: int) -> None:
    events = cut(text, size)
    out, whole = Emulator(80, 24), Emulator(80, 24)

    shown(out, events, loaded_after=loaded_after)
    LiveView(whole, footer=False).show(iter(events), Reply())

    assert out.cells == whole.cells


def test_words_stand_there_before_the_view_is_loaded() -> None:
    out = Emulator(80, 24)
    seen: list[list[str]] = []

    shown(out, [Text("Spring tides "), Text("come twice")], loaded_after=2, early=lambda: seen.append(out.lines))

    assert seen[0] == ["Spring tides come twice"] == out.lines


@pytest.mark.parametrize(
    "events",
    [[Text("# Tides")], [Text("1. One")], [Text("a *b*")], [Text("\x1b[31mred")], [Text("a\nb")], [Text("w" * 50)]],
)
def test_whatever_may_look_otherwise_waits_for_it(events: list[Event]) -> None:
    out = Emulator(80, 24)
    seen: list[list[str]] = []

    shown(out, events, loaded_after=len(events), early=lambda: seen.append(out.lines))

    assert seen[0] == []


@pytest.mark.parametrize("first", [Reasoning("hm"), Retry(0.0, 1, 2, "busy")])
def test_words_behind_something_else_wait_for_it(first: Event) -> None:
    out = Emulator(80, 24)
    seen: list[list[str]] = []

    shown(out, [first, Text("Spring")], loaded_after=2, early=lambda: seen.append(out.lines))

    assert seen[0] == [] and out.lines[-1] == "Spring"


def test_a_pause_takes_the_words_off_the_screen_and_they_come_back() -> None:
    out = Emulator(80, 24)
    seen: list[list[str]] = []
    view = FirstView(out, lambda: LiveView(out, footer=False))

    def coming() -> Iterator[Event]:
        yield Text("Spring")
        view.pause(lambda: seen.append(out.lines))
        yield Text(" tides")

    view.show(coming(), Reply())

    assert seen[0] == [] and out.lines == ["Spring tides"]


def test_what_the_loading_raises_comes_out() -> None:
    def load() -> LiveView:
        raise ImportError("no such package")

    with pytest.raises(ImportError):
        FirstView(Emulator(80, 24), load).show(iter([Text("Spring")]), Reply())


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_what_had_come_stays_when_the_events_break_off(error: type[BaseException]) -> None:
    def breaking() -> Iterator[Event]:
        yield Text("Spring")
        raise error

    out = Emulator(80, 24)
    with pytest.raises(error):
        FirstView(out, lambda: LiveView(out, footer=False)).show(breaking(), Reply())

    assert out.lines == ["Spring"]
