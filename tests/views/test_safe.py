"""The sanitiser: nothing that a terminal acts on gets through, nothing that people write is harmed."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.views.safe import Growing, joined_surrogates, one_line, safe, told_apart
from tests.views.documents import CORPUS, ragged
from tests.views.render import plain, streamed

UNHARMED = (
    "plain text\twith\ntabs and lines",
    "עברית \u200e \u200f \u061c",
    "می\u200cخواهم",
    "👩\u200d👩\u200d👧\u200d👦 👍🏽 🏳\ufe0f\u200d🌈 ❤\ufe0f 1\ufe0f\u20e3",
    "🇩🇪 \U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "क्\u200dष",
    "漢字かな交じり文 한국어",
    "┌─┐ ▁▂▃ █",
    "a\u00a0b",
    r"\x1b[31m and \033[0m as they are written",
    "葛\U000e0100飾",
)


@pytest.mark.parametrize("text", UNHARMED)
def test_what_people_write_passes(text: str) -> None:
    assert safe(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("a\x00\x08\x0b\x0c\x7f", "a␀␈␋␌␡"),
        ("good\revil", "good␍evil"),
        ("one\r\ntwo", "one\ntwo"),
        ("\x9b31m\x85", "\ufffd31m\ufffd"),
        ("\u202eabc\u202c \u2066x\u2069", "\ufffdabc\ufffd \ufffdx\ufffd"),
        ("a\u200bb\u2060c\ufeffd\u2063e", "a\ufffdb\ufffdc\ufffdd\ufffde"),
        ("x\U000e0041\U000e0042", "x\ufffd\ufffd"),
        ("x\ufe0f\ufe0e\ufe00", "x\ufe0f\ufffd\ufffd"),
        ("\ufe0f", "\ufffd"),
        ("a\U000e0100", "a\ufffd"),
        ("\u2028\u2029", "\ufffd\ufffd"),
        ("\ud83d", "\ufffd"),
    ],
)
def test_what_steers_a_terminal_is_marked(text: str, shown: str) -> None:
    assert safe(text) == shown


@given(st.text(st.characters(exclude_characters="\r")))
def test_one_character_in_is_one_character_out_and_twice_is_once(text: str) -> None:
    shown = safe(text)

    assert len(shown) == len(text)
    assert safe(shown) == shown
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)


_TRICKY = st.text(
    st.sampled_from(
        "a \r\n\t\x1b\u200d\ufe0f\ufe0e\u202e❤👍\ud83d\ude00\U0001f3f4\U000e0067\U000e0062\U000e007f\U000e0100葛"
    )
)


@given(_TRICKY, st.integers(0, 1000))
def test_growing_text_is_as_safe_as_the_whole(text: str, seed: int) -> None:
    growing = Growing()
    shown = "".join(growing.feed(piece) for piece in ragged(text, seed)) + growing.close()

    assert shown == safe(joined_surrogates(text))


@given(_TRICKY)
def test_the_marks_are_told_apart_from_what_is_shown_as_it_was(text: str) -> None:
    pieces = list(told_apart(text))
    before = text.replace("\r\n", "\n")

    assert sum(len(piece) for piece, _ in pieces) == len(before)
    for piece, mark in pieces:
        assert safe(piece) == piece
        assert (piece != before[: len(piece)]) == mark
        before = before[len(piece) :]


def test_of_all_of_unicode_nothing_reaches_a_terminal_that_it_acts_on() -> None:
    text = "".join(f"a{chr(point)}" for point in range(0x110000))
    shown = safe(text)

    assert len(shown) == len(text)
    assert shown[::2] == "a" * 0x110000
    for before, after in zip(text[1::2], shown[1::2], strict=True):
        kind = unicodedata.category(after)
        assert kind not in ("Cc", "Cs", "Zl", "Zp") or after in "\n\t", hex(ord(before))
        assert unicodedata.bidirectional(after) not in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        assert after == before or after in "\ufffd\u2421" or after == chr(0x2400 + ord(before))


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_hostile_markdown_is_harmless_in_every_place(size: int) -> None:
    text = CORPUS["hostile"]
    shown = "\n".join(plain(streamed([text[i : i + size] for i in range(0, len(text), size)], 80)))

    assert shown == safe(shown)
    assert "␛[31mred" in shown
    assert "https://bank.example (https://evil.example)" in shown


def test_an_error_is_one_line_of_bounded_length() -> None:
    assert one_line("a\n\n  b\x1b") == "a b␛"
    assert one_line("x" * 1000) == "x" * 499 + "…"


def test_halves_of_a_character_that_belong_together_are_joined() -> None:
    assert joined_surrogates("a\ud83d\ude00b\ud83d") == "a😀b\ufffd"
