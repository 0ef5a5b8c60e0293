"""Markdown: Rich's own lines wherever nothing is shown otherwise, and what is shown otherwise."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.views.documents import ENDLESS, plain_documents
from tests.views.render import by_rich, plain, streamed

CODE = re.compile(r"^[ ▌•\d]*── \d", re.MULTILINE)


@given(plain_documents, st.sampled_from((40, 80, 200)))
def test_lines_and_styles_are_those_of_rich(text: str, width: int) -> None:
    ours = streamed([text], width)
    assume(not CODE.search("\n".join(plain(ours))))  # indented code is shown otherwise
    assume(not any(line.startswith("▌ ---") for line in plain(ours)))  # and a quote that ends in a rule

    theirs = by_rich(text, width)

    assert _without_end(ours) == _without_end(theirs)


@pytest.mark.parametrize("name", ["items", "line", "lines", "wide", "never closed", "one word", "nested items"])
def test_long_blocks_are_those_of_rich(name: str) -> None:
    assert _without_end(streamed([ENDLESS[name]], 80)) == _without_end(by_rich(ENDLESS[name], 80))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("```py\nx = 1\n```", ["── 1 · py", "x = 1"]),
        ("```\na\n\n\nb\n\n```\n\n    c", ["── 1", "a", "", "", "b", "", "── 2", "c"]),
        ("1. a\n   ```sh\n   ls\n   ```\n   b", ["", " 1 a", "   ── 1 · sh", "ls", "   b"]),
        ("> ```\n> code\n> ```", ["", "▌ ── 1", "code"]),
        ("```\n" + "x" * 50 + "\n```", ["── 1", "x" * 50]),
        ("a <b>c</b> d", ["a <b>c</b> d"]),
        ("a<br>b<br/>c", ["a", "b", "c"]),
        ("<kbd>a</kbd> </kbd>", ["<kbd>a</kbd> </kbd>"]),
        ("<div>\nx *y*\n</div>\n\nz", ["<div>", "x *y*", "</div>", "", "z"]),
        ("[text](http://a.b)", ["text (http://a.b)"]),
        ("<http://a.b>", ["http://a.b"]),
        ("[https://bank](https://evil)", ["https://bank (https://evil)"]),
        ("a ![alt](x.png) b", ["a 🌆 alt (x.png) b"]),
        ("- [ ] a\n- [x] b\n- [X] c\n- [y] d", ["", " • ☐ a", " • ☑ b", " • ☑ c", " • [y] d"]),
        ("> [!NOTE]\n> text", ["", "▌ Note", "▌ text"]),
        ("> [!NOTE] text", ["", "▌ [!NOTE] text"]),
        ("a\\[b [bold]c[/bold] :skull: [/red]", ["a[b [bold]c[/bold] :skull: [/red]"]),
    ],
)
def test_what_is_shown_otherwise_than_by_rich(text: str, lines: list[str]) -> None:
    assert plain(streamed([text], 40)) == lines
    assert plain(streamed(text, 40)) == lines


def test_numbers_have_the_column_of_rich_up_to_two_digits_and_grow_by_themselves_from_there() -> None:
    text = "".join(f"{number}. a\n" for number in range(1, 120))
    lines = plain(streamed(text, 40))

    assert lines[1] == "  1 a"
    assert lines[99:101] == [" 99 a", " 100 a"]


def test_items_beyond_two_thousand_characters_do_not_count_for_the_column() -> None:
    near = "".join(f"{number}. a\n" for number in range(1, 12))
    far = "".join(f"{number}. {'word ' * 100}\n" for number in range(1, 12))

    assert plain(streamed(near, 200))[1] == "  1 a"
    assert plain(streamed(far, 200))[1].startswith(" 1 word")
    assert plain(streamed(far, 200))[-1] == plain(streamed([far], 200))[-1]


def test_rows_beyond_the_hundredth_are_laid_out_like_those_before() -> None:
    text = "| a | b |\n| - | - |\n" + "| 1 | 2 |\n" * 100 + "| a word | 2 |\n"
    lines = plain(streamed(text, 40))

    assert lines[2:5] == [" a  b", " ────", " 1  2"]
    assert lines[104:] == [" a  2", " w", " o", " r", " d", ""]


def test_nested_text_keeps_room_for_words() -> None:
    lines = plain(streamed(["> " * 8 + "word"], 12))

    assert lines == ["", "▌ " * 8 + "word"]


def _without_end(lines: list[list[tuple[str, str]]]) -> list[list[tuple[str, str]]]:
    while lines and not lines[-1]:
        lines = lines[:-1]
    return lines
