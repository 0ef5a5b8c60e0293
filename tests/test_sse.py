"""Server-sent events: the rules of the format one by one, and any bytes in any pieces."""

import sys
import time
from collections.abc import Callable, Iterable
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.sse import Decoder, Frame, comment, frame


def decode(*pieces: bytes) -> list[Frame]:
    decoder = Decoder()
    return [found for piece in pieces for found in decoder.feed(piece)]


def message(data: str, last_id: str | None = None) -> Frame:
    return Frame("message", data, last_id)


RULES = {
    "one event": (b"data: a\n\n", [message("a")]),
    "no space after the colon": (b"data:a\n\n", [message("a")]),
    "only one space is taken off": (b"data:  a\n\n", [message(" a")]),
    "a tab is not a space": (b"data:\ta\n\n", [message("\ta")]),
    "several data lines": (b"data: a\ndata:\ndata: b\n\n", [message("a\n\nb")]),
    "data without a colon is an empty line": (b"data\ndata\n\n", [message("\n")]),
    "empty data is an event": (b"data:\n\n", [message("")]),
    "a named event": (b"event: ping\ndata: {}\n\n", [Frame("ping", "{}")]),
    "the name may come after the data": (b"data: {}\nevent: ping\n\n", [Frame("ping", "{}")]),
    "the last name counts": (b"event: a\nevent: b\ndata: x\n\n", [Frame("b", "x")]),
    "an empty name is a message": (b"event: a\nevent:\ndata: x\n\n", [message("x")]),
    "a name lasts for one event": (b"event: a\ndata: x\n\ndata: y\n\n", [Frame("a", "x"), message("y")]),
    "no data, no event": (b"event: a\n\nid: 7\n\nretry: 5\n\n\n\ndata: x\n\n", [message("x", "7")]),
    "an id stays": (b"id: 1\ndata: x\n\ndata: y\n\n", [message("x", "1"), message("y", "1")]),
    "an empty id resets": (b"id: 1\ndata: x\n\nid\ndata: y\n\n", [message("x", "1"), message("y", "")]),
    "an id with NUL is ignored": (
        b"id: 1\ndata: x\n\nid: 2\0\ndata: y\n\n",
        [message("x", "1"), message("y", "1")],
    ),
    "retry is ignored": (b"retry: 3000\ndata: x\n\n", [message("x")]),
    "comments are ignored": (b": hi\ndata: x\n:data: z\n:\n\n", [message("x")]),
    "unknown fields are ignored": (
        b"date: y\nDATA: y\n data: y\ndata : y\n<html>\ndata: x\n\n",
        [message("x")],
    ),
    "CR": (b"data: x\rdata: y\r\rdata: z\r\r", [message("x\ny"), message("z")]),
    "CR LF": (b"data: x\r\ndata: y\r\n\r\ndata: z\r\n\r\n", [message("x\ny"), message("z")]),
    "line ends mixed": (b"data: x\rdata: y\ndata: z\r\n\r\n", [message("x\ny\nz")]),
    "LF CR is two line ends": (b"data: x\n\rdata: y\n\r", [message("x"), message("y")]),
    "other separators are text": (
        "data: a\x0b\x0c\x1c\x85\u2028\u2029b\n\n".encode(),
        [message("a\x0b\x0c\x1c\x85\u2028\u2029b")],
    ),
    "a BOM at the start": (b"\xef\xbb\xbfdata: x\n\n", [message("x")]),
    "a second BOM is a character": (b"\xef\xbb\xbf\xef\xbb\xbfdata: x\n\ndata: y\n\n", [message("y")]),
    "a BOM later is a character": (b"data: \xef\xbb\xbf\n\n\xef\xbb\xbfdata: y\n\n", [message("\ufeff")]),
    "bad UTF-8": (b"data: a\xff\xe2\x82b\xed\xa0\x80\xc3\n\n", [message("a��b����")]),
    "a colon in the data": (b"data: a: b\n\n", [message("a: b")]),
    "an unfinished event is none": (b"data: x\n\ndata: y\n", [message("x")]),
    "nothing": (b"", []),
}


@pytest.mark.parametrize("name", RULES)
def test_rule(name: str) -> None:
    """Each rule of the format holds, for the whole at once and for each byte alone."""
    document, frames = RULES[name]

    assert decode(document) == frames
    assert decode(*(document[i : i + 1] for i in range(len(document)))) == frames
    assert decode(*(piece for i in range(len(document)) for piece in (document[i : i + 1], b""))) == frames


def test_an_event_is_given_as_soon_as_its_end_is_there() -> None:
    """Nothing waits for bytes that need not come: neither a lone CR nor the event after."""
    decoder = Decoder()

    assert decoder.feed(b"data: x\r\r") == [message("x")]
    assert decoder.feed(b"\ndata: y\n") == []
    assert decoder.feed(b"\n") == [message("y")]


@pytest.mark.parametrize("cut", [b"d", b"data: y", b"data: y\n", b"event: a\n", b"data: \xe2\x82", b": hi"])
def test_pending_says_that_the_stream_was_cut(cut: bytes) -> None:
    """A caller can tell a stream that ended between two events from one that ended in the middle of one."""
    decoder = Decoder()
    assert not decoder.pending

    decoder.feed(b"data: x\n\n")
    assert not decoder.pending

    decoder.feed(cut)
    assert decoder.pending


@pytest.mark.parametrize("rest", [b"\n", b": a comment\n", b": a comment\n\n", b"id: 4\n", b"\r"])
def test_pending_is_false_after_what_is_no_event(rest: bytes) -> None:
    """Whole lines that begin no event may stand at the end."""
    assert not feeding(b"data: x\n\n", rest).pending


@pytest.mark.parametrize(
    ("cut", "left"),
    [
        (b"", None),
        (b"data: y", message("y")),
        (b"data: y\n", message("y")),
        (b"data: y\r", message("y")),
        (b"event: a\ndata: y\ndata: z", Frame("a", "y\nz")),
        (b"data: \xe2\x82", message("�")),
        (b"event: a\n", None),
        (b": hi", None),
        (b"dat", None),
    ],
)
def test_close_gives_the_unfinished_event(cut: bytes, left: Frame | None) -> None:
    """What was cut is given back as far as it came, once."""
    decoder = feeding(b"data: x\n\n", cut)

    assert decoder.close() == left
    assert not decoder.pending
    assert decoder.close() is None


def feeding(*pieces: bytes) -> Decoder:
    decoder = Decoder()
    for piece in pieces:
        decoder.feed(piece)
    return decoder


# Any bytes in any pieces

SNIPPETS = (
    b"data: ", b"data:", b"data", b"event: ", b"event:", b"id: ", b"id:", b"retry: 10", b": c", b":", b" ",
    b"\n", b"\n", b"\n\n", b"\n\n", b"\r", b"\r\n", b"\r\n\r\n", b"\r\r", b"\0", b"\xef\xbb\xbf", b"\xef\xbb",
    b"\xff", "é".encode(), "日".encode(), "🙂".encode(), "🙂".encode()[:3], "\u2028".encode(), b'{"a": 1}',
    b"x",
)  # fmt: skip
documents = st.lists(st.sampled_from(SNIPPETS), max_size=40).map(b"".join) | st.binary(max_size=60)


def literal(document: bytes) -> list[Frame]:
    """The standard's algorithm, word for word, over the whole stream."""
    text = document.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]
    frames, data, event, last_id = [], "", "", None
    for line in lines:
        if line == "":
            if data:
                frames.append(Frame(event or "message", data[:-1], last_id))
            data, event = "", ""
        elif not line.startswith(":"):
            field, colon, value = line.partition(":")
            if colon and value.startswith(" "):
                value = value[1:]
            match field:
                case "event":
                    event = value
                case "data":
                    data += value + "\n"
                case "id" if "\0" not in value:
                    last_id = value
    return frames


@given(documents, st.data())
def test_any_split_gives_what_the_whole_gives(document: bytes, draw: st.DataObject) -> None:
    """Where the network cuts the bytes changes nothing, and the whole is what the standard says."""
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(document)), max_size=12)))
    pieces = [document[a:b] for a, b in zip([0, *cuts], [*cuts, len(document)], strict=True)]

    whole = feeding(document)
    split = feeding(*pieces)

    assert decode(*pieces) == decode(document) == literal(document)
    assert split.pending == whole.pending
    assert split.close() == whole.close()


@given(documents)
def test_each_byte_alone_gives_what_the_whole_gives(document: bytes) -> None:
    """The extreme of all splits."""
    assert decode(*(document[i : i + 1] for i in range(len(document)))) == literal(document)


any_text = st.text(st.characters(exclude_categories=["Cs"]))
one_line = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]))


@given(st.lists(st.tuples(any_text, st.none() | one_line, st.none() | one_line), max_size=5))
def test_round_trip(events: list[tuple[str, str | None, str | None]]) -> None:
    """What `frame` writes is what `Decoder` reads, with LF for each newline; comments do not matter."""
    written = b"".join(frame(data, event=event, id=its_id) + comment(data) for data, event, its_id in events)

    expected, last_id = [], None
    for data, event, its_id in events:
        last_id = its_id if its_id is not None else last_id
        expected.append(Frame(event or "message", data.replace("\r\n", "\n").replace("\r", "\n"), last_id))
    assert decode(written) == expected


# Writing


def test_frame_is_what_others_expect() -> None:
    """The bytes are the usual ones, so that simple readers understand them too."""
    assert frame('{"a":1}') == b'data: {"a":1}\n\n'
    assert frame(b"x", event="text", id="7") == b"event: text\nid: 7\ndata: x\n\n"
    assert frame("a\r\nb\rc\n") == b"data: a\ndata: b\ndata: c\ndata: \n\n"
    assert frame("") == b"data: \n\n"
    assert comment("ping") == b": ping\n\n"
    assert comment("a\nb") == b": a\n: b\n\n"


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b"])
def test_an_event_cannot_be_smuggled_into_a_header(value: str) -> None:
    """A name or an id that would begin another field is refused."""
    with pytest.raises(ValueError, match="event"):
        frame("x", event=value)
    with pytest.raises(ValueError, match="id"):
        frame("x", id=value)


def test_what_utf_8_cannot_say_becomes_u_fffd() -> None:
    """Half an emoji and bytes that are no text are written as U+FFFD; both halves together are the emoji."""
    assert decode(frame("a\ud83db")) == [message("a�b")]
    assert decode(frame("\ud83d\ude42")) == [message("🙂")]
    assert decode(frame(b"a\xffb")) == [message("a�b")]


# Cost


def work(feed: Callable[[bytes], object], pieces: Iterable[bytes]) -> int:
    """How many bytes and characters the calls on strings looked at while the pieces were fed."""
    total = 0

    def count(_frame: FrameType, event: str, called: object) -> None:
        nonlocal total
        owner = getattr(called, "__self__", None)
        if event == "c_call" and isinstance(owner, bytes | bytearray | str):
            total += len(owner)

    sys.setprofile(count)
    try:
        for piece in pieces:
            feed(piece)
    finally:
        sys.setprofile(None)
    return total


class Rescanning:
    """The obvious decoder, which looks at everything again for each piece."""

    def __init__(self) -> None:
        self.buffer = b""

    def feed(self, chunk: bytes) -> None:
        self.buffer += chunk
        self.buffer.find(b"\n\n")


@pytest.mark.parametrize("lines", [1, 1000], ids=["one line", "a thousand lines"])
def test_a_huge_event_in_many_packets_costs_its_length(lines: int) -> None:
    """4 MB in thousands of packets: each byte is looked at a handful of times, not once for each packet."""
    document = frame("\n".join(["x" * (4_000_000 // lines)] * lines))
    pieces = [document[i : i + 1400] for i in range(0, len(document), 1400)]
    decoder = Decoder()
    found: list[Frame] = []

    assert work(lambda piece: found.extend(decoder.feed(piece)), pieces) < 8 * len(document)
    assert [len(one.data) for one in found] == [4_000_000 + lines - 1]


def test_a_huge_event_in_many_packets_is_not_copied_again_and_again() -> None:
    """Joining what is held for each packet would copy 6 GB here, half a second of work; once is milliseconds."""
    document = frame("x" * 4_000_000)
    pieces = [document[i : i + 1400] for i in range(0, len(document), 1400)]
    decoder = Decoder()

    begun = time.thread_time()
    frames = [found for piece in pieces for found in decoder.feed(piece)]

    assert time.thread_time() - begun < 0.2
    assert len(frames) == 1


def test_the_count_of_work_tells_a_rescanning_decoder() -> None:
    """The measure of the test above is not blind."""
    pieces = [b"x" * 100] * 1000

    assert work(Rescanning().feed, pieces) > 100 * sum(map(len, pieces))
    assert work(Decoder().feed, pieces) < 8 * sum(map(len, pieces))
