"""The live view in an emulator: what stays is what printing at once leaves, and the newest words are always there."""

import gc
import re
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it.token import Token
from rich.segment import Segment

from streamchat.chat import Reply
from streamchat.events import Event, Reasoning, Stop, Text, Usage
from streamchat.views import LiveMarkdown, blocks, panel, structure
from streamchat.views.live import print_markdown
from streamchat.views.panel import LiveView
from tests.views.documents import CORPUS, ENDLESS, documents, pieces, ragged
from tests.views.emulator import Emulator

SIZES = ((80, 24), (120, 40), (20, 5), (200, 60), (10, 3))


def printed(text: str, width: int, height: int) -> Emulator:
    """A terminal on which the text was printed at once."""
    out = Emulator(width, height)
    print_markdown(text, out, width=width, color="always")
    return out


def live(out: Emulator, *, status: bool = False) -> LiveMarkdown:
    return LiveMarkdown(
        out,
        width=out.screen.columns,
        height=out.screen.lines,
        color="always",
        mode="live",
        status=(lambda width: [Segment("status"[:width])]) if status else None,
    )


def streamed(chunks: list[str], width: int, height: int, *, status: bool = False) -> Emulator:
    """A terminal on which the text was shown live, with a frame for each chunk."""
    out = Emulator(width, height)
    shown = live(out, status=status)
    for chunk in chunks:
        shown.feed(chunk)
        shown.draw()
    shown.close()
    return out


@pytest.mark.parametrize("name", CORPUS)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_scrollback_is_what_printing_leaves(name: str, width: int, height: int) -> None:
    text = CORPUS[name]

    assert streamed(pieces(text, 29), width, height, status=True).cells == printed(text, width, height).cells


@pytest.mark.parametrize("name", CORPUS)
def test_what_comes_at_once_leaves_what_printing_leaves(name: str) -> None:
    for width, height in ((80, 24), (10, 3)):
        shown = streamed([CORPUS[name]], width, height, status=True)
        assert shown.cells == printed(CORPUS[name], width, height).cells


@pytest.mark.parametrize("width", [1, 2, 5, 9])
@pytest.mark.parametrize("height", [1, 2, 3])
def test_on_the_smallest_terminal_it_is_the_same(width: int, height: int) -> None:
    text = CORPUS["everything"]

    assert streamed(pieces(text, 60), width, height, status=True).cells == printed(text, width, height).cells


@pytest.mark.parametrize("name", ["sorting", "scripts"])
def test_letter_by_letter_it_is_the_same(name: str) -> None:
    text = CORPUS[name]

    assert streamed(list(text), 80, 24, status=True).cells == printed(text, 80, 24).cells


@pytest.mark.parametrize("name", ["code", "items", "rows", "line", "nested code"])
def test_blocks_longer_than_the_screen_are_there_once(name: str) -> None:
    text = ENDLESS[name][:5000]

    assert streamed(pieces(text, 97), 40, 10).cells == printed(text, 40, 10).cells


@settings(max_examples=40)
@given(documents, st.sampled_from(SIZES), st.integers(0, 1000), st.booleans())
def test_any_document_in_any_chunks_leaves_the_same(text: str, size: tuple[int, int], seed: int, status: bool) -> None:
    assert streamed(ragged(text, seed), *size, status=status).cells == printed(text, *size).cells


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_newest_words_are_always_on_the_screen(width: int, height: int) -> None:
    out = Emulator(width, height)
    shown = live(out, status=True)
    for number in range(90):
        shown.feed(f"w{number}" + ("\n\n" if number % 40 == 39 else " "))
        shown.draw()
        assert any(re.search(rf"\bw{number}\b", line) for line in out.visible)
    shown.close()


def test_what_only_grows_is_only_written_on() -> None:
    out = Emulator(80, 24)
    shown = live(out)
    for word in ["Some", "words", "that", "fit", "into", "a", "single", "line", "of", "the", "terminal."]:
        shown.feed(word + " ")
        shown.draw()

    assert "".join(out.writes) == "Some words that fit into a single line of the terminal."


def test_a_frame_is_one_write_between_marks_and_leaves_every_mode_as_it_was() -> None:
    out = Emulator(80, 24)
    shown = live(out, status=True)
    for piece in pieces(CORPUS["scripts"], 40):
        shown.feed(piece)
        before = len(out.writes)
        shown.draw()
        assert len(out.writes) - before <= 1
        if len(out.writes) > before and "\x1b[?" in out.writes[-1]:
            assert re.fullmatch(r"\x1b\[\?2026h.*\x1b\[\?2026l", out.writes[-1], re.DOTALL)
            for mode in ("25", "7"):
                changes = re.findall(rf"\x1b\[\?{mode}([hl])", out.writes[-1])
                assert changes == [] or changes[-1] == "h"


def test_bytes_for_prose_are_at_most_three_times_those_of_printing() -> None:
    text = ("Prose that goes on for some time, *with* emphasis. " * 12 + "\n\n") * 5
    written = sum(map(len, streamed(pieces(text, 5), 80, 24, status=True).writes))

    assert written <= 3 * sum(map(len, printed(text, 80, 24).writes))


def test_the_last_tenth_of_a_long_answer_is_as_much_work_as_the_first_and_nothing_is_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work: Counter[str] = Counter()

    def counted(source: str, *rest: object, **named: Any) -> list[Token]:
        work["parsed"] += len(source)
        return structure.parsed(source, *rest, **named)  # type: ignore[arg-type]

    class Terminal(Emulator):
        def write(self, text: str) -> int:
            work["written"] += len(text)
            return len(text)

    monkeypatch.setattr(blocks, "parsed", counted)
    answer = (
        "Words of prose, *and more* of them. " * 30
        + "\n\n```python\nx = [1, 'two']\n```\n\n- item\n"
        + "y " * 2000
        + "\n\n"
    )
    shown, tenths, held = live(Terminal(80, 24), status=True), list[Counter[str]](), list[int]()
    for _ in range(10):
        work.clear()
        for piece in pieces(answer * (40_000 // len(answer)), 2500):
            shown.feed(piece)
            shown.draw()
        tenths.append(Counter(work))
        gc.collect()
        held.append(sys.getallocatedblocks())
    shown.close()

    assert tenths[-1]["parsed"] == tenths[1]["parsed"]
    assert tenths[-1]["written"] <= 1.01 * tenths[1]["written"]  # the numbers of code blocks have more digits
    assert held[-1] - held[1] < 2500  # bounded caches of Rich's fill up by 200 in each tenth


@pytest.mark.parametrize("mode", ["blocks", "whole"])
def test_without_redrawing_it_is_the_same(mode: str) -> None:
    text = CORPUS["everything"]
    out = Emulator(80, 24)
    with LiveMarkdown(out, width=80, color="always", mode=mode) as shown:  # type: ignore[arg-type]
        for piece in pieces(text, 11):
            shown.feed(piece)

    assert out.cells == printed(text, 80, 24).cells
    assert not re.search(r"\x1b\[[0-9;?]*[A-Zhl]", "".join(out.writes))


def test_a_terminal_that_cannot_move_its_cursor_gets_no_redrawing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LiveMarkdown(Emulator(80, 24)).mode == "live"
    monkeypatch.setenv("TERM", "dumb")
    assert LiveMarkdown(Emulator(80, 24)).mode == "blocks"


def test_blocks_are_printed_as_they_finish() -> None:
    out = Emulator(80, 24)
    shown = LiveMarkdown(out, width=80, mode="blocks")
    shown.feed("# One\n\nTwo\n\nThr")
    shown.draw()
    assert out.lines == [" " * 38 + "One", "", "Two"]
    shown.feed("ee")
    shown.close()
    assert out.lines[-1] == "Three"


def test_colours_are_left_out_where_they_are_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Emulator(80, 24)
    print_markdown(CORPUS["everything"], out, color="never")
    assert "\x1b" not in "".join(out.writes)

    colour = re.compile(r"\x1b\[[0-9;]*3[0-8]")
    monkeypatch.setenv("NO_COLOR", "1")
    for color, wanted in (("auto", False), ("always", True)):
        out = Emulator(80, 24)
        print_markdown(CORPUS["languages"], out, color=color)  # type: ignore[arg-type]
        assert bool(colour.search("".join(out.writes))) is wanted, "what was asked for is stronger than NO_COLOR"


@pytest.mark.parametrize("sizes", [((80, 24), (120, 24)), ((20, 5), (80, 24), (200, 60))])
def test_on_a_larger_terminal_the_tail_is_drawn_anew(sizes: tuple[tuple[int, int], ...]) -> None:
    out = Emulator(*sizes[0])
    shown = LiveMarkdown(out, color="always", mode="live", reflow=False)
    shown._fixed = sizes[0]
    for number in range(60):
        size = sizes[min(number // 7, len(sizes) - 1)]
        if shown._fixed != size:
            out.screen.resize(size[1], size[0])
            shown._fixed = size
        shown.feed(f"w{number} and more words\n\n" if number % 3 == 2 else f"w{number} ")
        shown.draw()
    shown.close()

    assert re.findall(r"\bw\d+", " ".join(out.lines)) == [f"w{number}" for number in range(60)]


def events(*found: Event) -> Iterator[Event]:
    yield from found


def test_a_reply_is_shown_with_a_footer() -> None:
    out = Emulator(80, 24)
    reply = Reply(provider="demo", model="one")
    parts: tuple[Event, ...] = (
        Reasoning("hm"),
        Text("# A\n\nb"),
        Usage(input_tokens=1, output_tokens=2),
        Stop("length"),
    )
    for event in parts:
        reply.add(event)
    LiveView(out, title="demo · one", note="expect mistakes").show(events(*parts), reply)

    footer = out.lines[-1]
    assert "b" in out.lines
    for said in ("demo · one", "length", "expect mistakes"):
        assert said in footer


def test_a_silence_is_said_once_it_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(panel, "time", SimpleNamespace(monotonic=lambda: now[0]))
    out = Emulator(80, 24)
    view = LiveView(out, title="p · m", mode="live")
    view.begin(Reply())
    view.take(Text("Some words"))
    now[0] += 9
    before = until(out, "9 s")
    now[0] += 3
    after = until(out, "nothing came for 12 s")
    view.take(Text(" and more"))
    again = until(out, "and more")
    view.end()

    assert "nothing came" not in before
    assert "Some words" in after
    assert "nothing came" not in again


def until(out: Emulator, text: str) -> str:
    """What is on the screen as soon as this is."""
    end = time.monotonic() + 30
    while text not in (seen := "\n".join(out.visible)):
        assert time.monotonic() < end, seen
        threading.Event().wait(0.01)
    return seen


def test_without_a_footer_only_the_answer_stays() -> None:
    out = Emulator(80, 24)
    reply = Reply()
    reply.add(Text("a"))
    LiveView(out, footer=False).show(events(Text("a")), reply)

    assert out.lines == ["a"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_what_had_come_stays_when_the_events_break_off(error: type[BaseException]) -> None:
    def breaking() -> Iterator[Event]:
        yield Text("# One\n\nand *tw")
        raise error

    out = Emulator(80, 24)
    with pytest.raises(error):
        LiveView(out, footer=False).show(breaking(), Reply())

    assert out.lines == [" " * 38 + "One", "", "and *tw"]


def test_who_stops_an_answer_need_not_read_the_megabytes_of_it_that_had_come() -> None:
    """They went on being painted for seconds."""

    def much() -> Iterator[Event]:
        for number in range(1000):
            yield Text(f"{number}: " + "word " * 400 + "\n\n")
        raise KeyboardInterrupt

    out = Emulator(80, 24)
    with pytest.raises(KeyboardInterrupt):
        LiveView(out, footer=False).show(much(), Reply())

    assert len(out.lines) < 1000
    assert out.lines[-1].startswith("… ") and out.lines[-1].endswith(" more characters had come")


def test_of_an_answer_that_is_shown_when_it_is_whole_all_is_shown_that_had_come() -> None:
    def much() -> Iterator[Event]:
        for number in range(300):
            yield Text(f"{number}: words\n\n")
        raise KeyboardInterrupt

    out = Emulator(80, 24)
    with pytest.raises(KeyboardInterrupt):
        LiveView(out, footer=False, mode="whole").show(much(), Reply())

    assert out.lines[-1] == "299: words"


def test_a_terminal_that_takes_nothing_does_not_hold_up_who_feeds() -> None:
    class Stuck(Emulator):
        free = threading.Event()

        def write(self, text: str) -> int:
            self.free.wait(20)
            return super().write(text)

    out = Stuck(80, 24)
    shown = LiveMarkdown(out, width=80, height=24, color="never", mode="live")
    shown.start()
    for number in range(2000):
        shown.feed(f"w{number} ")
    assert out.writes == []
    out.free.set()
    shown.close()

    assert " ".join(out.lines).split() == [f"w{number}" for number in range(2000)]
    assert len(out.writes) < 20


def test_much_that_comes_at_once_is_shown_bit_by_bit_and_whole() -> None:
    text = ENDLESS["items"] * 2
    out = Emulator(80, 24)
    shown = live(out)
    shown.feed(text)
    for _ in range(2):
        before = len(out.lines)
        shown.draw()
        assert before < len(out.lines) < len(text.splitlines())
    shown.close()

    assert out.cells == printed(text, 80, 24).cells


def test_an_error_of_the_terminal_reaches_who_feeds() -> None:
    class Gone(Emulator):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    shown = LiveMarkdown(Gone(80, 24), width=80, height=24, mode="live")
    shown.start()
    shown.feed("a")
    with pytest.raises(BrokenPipeError):
        shown.close()


def test_the_example_of_the_documentation_works(capsys: pytest.CaptureFixture[str]) -> None:
    import streamchat.views as documented

    assert documented.__doc__ is not None
    example = textwrap.dedent(documented.__doc__.partition(":\n\n")[2])
    exec(example, {"chunks": ["# T", "itle\n\n", "text"]})

    assert capsys.readouterr().out.split() == ["Title", "text"]


TYPED = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(TYPED, TYPED, st.integers(4, 40))
def test_of_a_line_that_is_typed_the_part_around_the_cursor_is_seen(typed: str, behind: str, width: int) -> None:
    """In one row, whatever its letters are; what is behind the cursor stands where the cursor is."""
    before = f"> {typed}"  # without the prompt a letter that joins the one before it would join the row above
    out = Emulator(width, 5)
    shown = LiveMarkdown(
        out, width=width, height=5, mode="live", status=lambda _: [], below=lambda: (["one", before + behind], behind)
    )
    shown.draw()
    cursor, rows = out.screen.cursor, out.visible
    row = rows[cursor.y]

    assert rows == ["", "one", row, "", ""] and cursor.x < width
    if not (before + behind).isascii() or not (before + behind).isprintable():
        return
    if len(before + behind) < width:
        assert (row, cursor.x) == ((before + behind).rstrip(), len(before))
    else:
        seen = out.screen.display[cursor.y]
        assert before.endswith(seen[: cursor.x].removeprefix("…"))
        there = seen[cursor.x :].rstrip()
        assert behind.startswith(there) and len(there) >= len(behind[: width // 3].rstrip())
        assert cursor.x >= min(len(before), width - 1 - len(behind[: width // 3]))


def test_the_cursor_stands_where_it_is_behind_a_tab_that_was_pasted_too() -> None:
    out = Emulator(40, 5)
    below = ["queued: a\tb", "> if x:\ty = 1"], "= 1"
    shown = LiveMarkdown(out, width=40, height=5, mode="live", status=lambda _: [], below=lambda: below)

    shown.draw()

    assert out.visible[1:3] == ["queued: a⇥b", "> if x:⇥y = 1"]
    assert out.visible[2][out.screen.cursor.x :] == "= 1"


@pytest.mark.parametrize("letters", ["a ", "日本", "e\u0301"])
def test_what_is_typed_below_costs_a_frame_the_same_however_long_it_is(letters: str) -> None:
    """A long message in the queue held up the answer for seconds in each frame."""
    out = Emulator(80, 24)
    text = letters * 3_000
    below = [f"queued: {text}", f"queued: {text}", f"> {text}"], text[:2_000]
    shown = LiveMarkdown(out, width=80, height=24, mode="live", status=lambda _: [], below=lambda: below)

    begun = time.process_time()
    shown.draw()

    assert time.process_time() - begun < 1
    assert [row[:8] for row in out.visible[1:4]] == ["queued: ", "queued: ", "…" + out.visible[3][1:8]]
