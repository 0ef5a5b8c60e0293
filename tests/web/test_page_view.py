"""The page's view: readers that leave and come back anywhere have what those have who stayed."""

import json
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.sse import Decoder, Frame
from streamchat.views.nodes import Node, joined
from streamchat.views.safe import joined_surrogates, safe
from streamchat.views.trees import trees
from streamchat.web.pacing import SHORTEST, Pacing
from streamchat.web.page_view import MOST, PageView, Position, Reader
from tests.views.documents import CORPUS, documents, ragged


class Screen:
    """What a page shows: it appends what is finished and replaces the tail."""

    def __init__(self) -> None:
        self.done: list[Node] = []
        self.open: list[Node] = []
        self.reasoning = ""
        self.position: Position | None = None

    def take(self, events: bytes) -> None:
        for event in frames(events):
            data = json.loads(event.data)
            if event.event == "reasoning":
                assert data["t"]
                self.reasoning += data["t"]
            else:
                assert event.event == "blocks"
                self.done += map(node, data["done"])
                self.open = [*map(node, data["open"])]
            self.position = Position.parse(event.id or "")

    @property
    def nodes(self) -> list[Node]:
        return joined(self.done + self.open)


def frames(events: bytes) -> list[Frame]:
    assert all(line.startswith((b"event: ", b"id: ", b"data: ")) for line in events.split(b"\n") if line)
    decoder = Decoder()
    found = decoder.feed(events)
    assert not decoder.pending
    return found


def node(found: Any) -> Node:
    return found if isinstance(found, str) else (found[0], found[1], [*map(node, found[2])])


def view_of(text: str, reasoning: str = "", *, closed: bool = False) -> PageView:
    view = PageView()
    while not view.update(text, reasoning, closed=closed):
        pass
    return view


@given(documents, st.text(max_size=60), st.integers(0, 1000), st.data())
def test_who_comes_back_anywhere_has_what_those_have_who_stayed(text: str, thought: str, seed: int, data: Any) -> None:
    view, stayed, left = PageView(), Screen(), Screen()
    reader, other = Reader(view), Reader(view)
    thoughts, texts = list(accumulate(ragged(thought, seed))), list(accumulate(ragged(text, seed)))
    for seen, heard in [*(("", heard) for heard in thoughts), *((seen, thought) for seen in texts)]:
        view.update(seen, heard)
        stayed.take(reader.take())
        match data.draw(st.sampled_from(("stay", "away", "back", "elsewhere"))):
            case "stay":
                left.take(other.take())
            case "back":
                other = Reader(view, left.position)
            case "elsewhere":
                other = Reader(view_of(seen, heard), left.position)
                left.take(other.take())
                assert (left.done, left.open, left.reasoning) == (stayed.done, stayed.open, stayed.reasoning)
                other = Reader(view, left.position)
    view.update(text, thought, closed=True)
    for screen, last in ((stayed, reader), (left, Reader(view, left.position))):
        screen.take(last.take())
        assert last.ended
        assert last.take() == b""
        assert screen.open == []
        assert screen.nodes == trees(text)
        assert screen.reasoning == safe(joined_surrogates(thought))
    assert left.done == stayed.done


@pytest.mark.parametrize("name", CORPUS)
def test_from_every_position_the_rest_is_the_same(name: str) -> None:
    text, thought = CORPUS[name], CORPUS["scripts"][:200]
    by_letters = PageView()
    for end in range(len(text)):
        by_letters.update(text[:end], thought[:end])
    by_letters.update(text, thought, closed=True)
    at_once = view_of(text, thought, closed=True)

    assert by_letters.blocks == at_once.blocks
    for blocks in range(len(at_once.blocks) + 1):
        position = Position(blocks, blocks * 7 % 200)
        screen = Screen()
        screen.take(Reader(at_once, position).take())
        assert screen.done == [node(json.loads(block)) for block in by_letters.blocks[blocks:]]
        assert screen.reasoning == by_letters.reasoning[position.reasoning :]
        assert screen.open == []


def test_nothing_is_sent_while_nothing_is_new() -> None:
    view = PageView()
    reader = Reader(view)
    assert reader.take() == b""

    view.update("Hello **wor")
    first = reader.take()
    view.update("Hello **wor")

    assert first == (
        b'event: blocks\nid: 0.0\ndata: {"done":[],"open":[["p",{},["Hello ",["strong",{},["wor"]]]]]}\n\n'
    )
    assert reader.take() == b""
    assert not reader.ended


def test_the_tail_of_one_who_comes_back_is_replaced_in_any_case() -> None:
    view = PageView()
    view.update("One\n\n")

    assert frames(Reader(view, Position(1, 0)).take())[0].data == '{"done":[],"open":[]}'


def test_a_view_begun_anew_sends_nothing_before_it_is_where_its_reader_was() -> None:
    text = "word\n\n" * 2000
    view, reader = PageView(), Reader(PageView(), Position(1500, 0))
    reader._view = view
    sent = []
    while not view.update(text, closed=True):
        sent.append(reader.take())
    sent.append(reader.take())

    assert sent[0] == b""
    assert sum(len(json.loads(event.data)["done"]) for event in frames(b"".join(sent))) == 500


def test_what_comes_at_once_is_looked_at_in_steps() -> None:
    view = PageView()
    steps = 1
    while not view.update("word\n\n" * 3000, closed=True):
        steps += 1
        assert not view.closed

    assert steps == -(-18000 // MOST)
    assert len(view.blocks) == 3000
    assert view.closed


@pytest.mark.parametrize("text", ["", "1", "1.", ".1", "a.b", "-1.0", "1.0.0", "1.²", "9" * 50 + ".1", "1,0", " 1.0"])
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a position"):
        Position.parse(text)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_position_is_said_and_understood(blocks: int, reasoning: int) -> None:
    assert Position.parse(str(Position(blocks, reasoning))) == (blocks, reasoning)


@given(st.lists(st.floats(0, 2), min_size=1, max_size=50))
def test_updates_take_a_quarter_of_the_time_and_are_fifteen_a_second_at_most(costs: list[float]) -> None:
    pacing, now, spent = Pacing(), 100.0, 0.0
    for cost in costs:
        begun = max(now, pacing.due)
        now = begun + cost
        spent += cost
        assert pacing.after(begun, now) >= begun + SHORTEST

    assert spent <= (pacing.due - 100.0) / 4 + 1e-9
    assert len(costs) <= (pacing.due - 100.0) * 15 + 1e-9
