"""The lines of a file: written so that `cat` is safe, read whatever happened to them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.events import Reasoning, Stop, Text, Usage
from streamchat.history import records
from streamchat.history.records import End, Head, Named, Question, TextLine

anything = st.text(st.characters(codec=None))


@given(anything)
def test_every_text_is_kept_exactly_and_is_safe_to_show(text: str) -> None:
    line = records.encode(TextLine(text, 0.5))

    assert records.decode(line) == ([TextLine(text, 0.5)], 0)
    assert line.endswith(b"\n")
    assert line[:-1].decode().isprintable()


def test_an_event_is_its_own_encoding_with_the_time() -> None:
    line = records.encode(records.of(Text("hi"), at=1.23456))

    assert json.loads(line) == {"type": "text", "text": "hi", "at": 1.235}


@pytest.mark.parametrize("event", [Text("a"), Reasoning("b"), Usage(1, 2, 3, 4, 5), Usage(), Stop("length", "max")])
def test_every_event_comes_back(event: Text | Reasoning | Usage | Stop) -> None:
    (line,), _ = records.decode(records.encode(records.of(event, at=0)))

    assert isinstance(line, records.EventLine)
    assert records.event(line) == event


SOUND = b'{"type":"text","text":"a"}'
DAMAGE = {
    "a torn last line": (SOUND + b'\n{"type":"text","te', 1),
    "a torn line with the next one glued to it": (b'{"type":"text","te' + SOUND, 1),
    "two torn lines and a sound one": (b'{"type":"te{"type":"text","t' + SOUND, 1),
    "NUL padding after a power cut": (b"\0" * 4096 + b"\n" + SOUND, 0),
    "NUL padding before a record": (b"\0" * 4096 + SOUND, 0),
    "a foreign line": (b"hello\n" + SOUND, 1),
    "JSON that is no record": (b"[1]\n42\n{}\n" + SOUND, 3),
    "a type of the future": (b'{"type":"hologram"}\n' + SOUND, 1),
    "bytes that are no UTF-8": (b'{"type":"text","text":"\xff"}\n' + SOUND, 1),
    "empty lines, CRLF, a BOM": (b"\xef\xbb\xbf\r\n\n" + SOUND + b"\r\n", 0),
    "unknown keys": (b'{"type":"text","text":"a","later":[1]}', 0),
    "numbers as words": (b'{"type":"text","text":"a","at":"0"}', 0),
    "very deep nesting": (b'{"type":"text","text":' + b"[" * 100_000 + b"\n" + SOUND, 1),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_costs_its_own_line_only(name: str) -> None:
    data, skipped = DAMAGE[name]

    assert records.decode(data) == ([TextLine("a")], skipped)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(noise: bytes) -> None:
    found, _ = records.decode(SOUND + b"\n" + noise + b"\n" + SOUND)

    assert found[0] == found[-1] == TextLine("a")


@given(st.data())
def test_a_file_cut_anywhere_keeps_what_stands_before(data: st.DataObject) -> None:
    lines: list[records.Record] = [
        Head("x", 1),
        Question("q", None, content="é\u202e"),
        TextLine("a\nb"),
        End("stop"),
        Named("n"),
    ]
    whole = b"".join(map(records.encode, lines))
    cut = data.draw(st.integers(0, len(whole)))
    kept = whole[:cut].count(b"\n")

    found, skipped = records.decode(whole[:cut])

    assert found[:kept] == lines[:kept]
    assert len(found) + skipped <= kept + 1
