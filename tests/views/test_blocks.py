"""The blocks: the same whatever the chunking, given out as soon as they can be, and no more held than is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.views import blocks as module
from streamchat.views.blocks import Block, Blocks
from streamchat.views.structure import parser
from tests.views.documents import CORPUS, ENDLESS, documents, pieces, ragged
from tests.views.render import plain, streamed


@given(documents, st.sampled_from((12, 20, 40, 80)), st.integers(0, 1000))
def test_the_lines_do_not_depend_on_the_chunks(text: str, width: int, seed: int) -> None:
    whole = streamed([text], width)

    assert streamed(text, width) == whole
    assert streamed(ragged(text, seed), width, previews=seed % 4 == 0) == whole


@pytest.mark.parametrize("name", CORPUS)
@pytest.mark.parametrize("width", [20, 80])
def test_an_answer_is_the_same_by_letters_lines_and_at_once(name: str, width: int) -> None:
    text = CORPUS[name]
    whole = streamed([text], width)

    assert streamed(text, width) == whole
    assert streamed(text.splitlines(keepends=True), width, previews=True) == whole


@pytest.mark.parametrize("name", ENDLESS)
def test_long_blocks_leave_while_they_are_open_and_are_the_same(name: str) -> None:
    text = ENDLESS[name]
    blocks = Blocks()
    held = 0
    for piece in pieces(text, 150):
        blocks.feed(piece)
        blocks.take()
        held = max(held, sum(_size(block) for part in blocks.tail() for block in part))

    assert streamed(pieces(text, 150), 80) == streamed([text], 80)
    assert held <= (8500 if name in ("never closed", "one word") else 3000)


def test_a_definition_counts_for_what_stands_not_too_far_before_it() -> None:
    near = "see [it]\n\n" + "word\n\n" * 100 + "[it]: https://example.org/\n"
    far = "see [it]\n\n" + "word\n\n" * 400 + "[it]: https://example.org/\n"

    for text, line in ((near, "see it (https://example.org/)"), (far, "see [it]")):
        assert plain(streamed([text], 80))[0] == line
        assert plain(streamed(text, 80))[0] == line


def test_a_paragraph_of_two_thousand_characters_is_no_heading_any_more() -> None:
    text = "word " * 500 + "\n---\n\nnext"
    whole = streamed([text], 80)

    assert plain(whole)[-5:] == ["word word word word", "", "-" * 80, "", "next"]
    assert streamed(pieces(text, 7), 80) == whole


@pytest.mark.parametrize("text", ["1. a\n2. |\n---\nb", "- a\n- b | c\n--- | ---\nd", "1. x\n   - a\n   - b|\n   -|\n"])
def test_an_item_is_an_item_although_alone_it_would_be_the_head_of_a_table(text: str) -> None:
    assert streamed(text, 40) == streamed([text], 40)


@pytest.mark.parametrize("end", ["", " ", "\n"])
def test_html_in_a_quoted_item_may_end_with_a_line_that_is_shorter_than_its_indent(end: str) -> None:
    assert plain(streamed(f"> - <!-- x\n>{end}", 40, previews=True)) == ["", "▌  • <!-- x"]


def test_line_ends_and_characters_may_be_cut_in_half() -> None:
    text = "one\r\ntwo\rthree\n\nfour \ud83d\ude00 five\r\n"

    assert plain(streamed(text, 40)) == ["one two three", "", "four 😀 five"]


def test_half_a_character_at_the_end_is_a_replacement() -> None:
    assert plain(streamed(["a \ud83d"], 40)) == ["a \ufffd"]


def test_blocks_are_given_once_and_are_final() -> None:
    blocks = Blocks()
    blocks.feed("# One\n\ntwo\n\nthr")

    taken = blocks.take()
    assert [block.tokens[0].type for block in taken] == ["heading_open", "paragraph_open"]
    assert all(block.final for block in taken)
    assert blocks.take() == []
    waiting, opened = blocks.tail()
    assert (waiting, [block.final for block in opened]) == ([], [False])


@pytest.mark.parametrize("name", ["items", "numbers", "lines", "code"])
def test_the_work_per_character_does_not_grow_with_the_text(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    once, thrice = (_parsed_characters((ENDLESS[name] * 3)[:size], monkeypatch) for size in (5000, 15000))

    assert thrice <= 3.5 * once  # numbers grow longer, too


def _parsed_characters(text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many characters the parser was given while the text came in pieces of forty, with a frame for each."""
    count = 0

    def counting(source: str, *rest: object) -> object:
        nonlocal count
        count += len(source)
        return parse(source, *rest)

    parse = type(parser().block).parse.__get__(parser().block)
    with monkeypatch.context() as patch:
        patch.setattr(parser().block, "parse", counting)
        blocks = module.Blocks()
        for piece in pieces(text, 40):
            blocks.feed(piece)
            blocks.take()
            blocks.tail()
    return count


def _size(block: Block) -> int:
    return sum(len(token.content) for token in block.tokens)
