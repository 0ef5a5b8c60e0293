"""The end that is still being written looks finished: no half marker flashes by, and nothing is taken back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.views.blocks import Blocks
from streamchat.views.guess import closed, guessed
from streamchat.views.markdown import Sheet
from tests.views.render import Letters, console, letters, plain, streamed

ANSWER = """\
## A heading with `code`

Some **bold words** and *emphasis with `code` in it*, ~~gone~~ and [a link](https://example.org/a/path).

1. The first item:
   - **a label** for this
   - another one
2. **The second** item

> A quote with *emphasis*
> on two lines

| Tide | When it **comes** |
|:-----|------------------:|
| low  | `06:12` |
| high | 12:25 |

The end of it.
"""


def shown(text: str, width: int = 60) -> list[Letters]:
    """All rows while a text has come so far."""
    sheet, blocks = Sheet(console(width)), Blocks()
    blocks.feed(text)
    done = [line for block in blocks.take() for line in sheet.lines(block)]
    return letters([*done, *sheet.preview(*blocks.tail())])


def test_at_every_letter_what_is_shown_is_a_beginning_of_what_stays() -> None:
    at_last = re.findall(r"\w+", " ".join(plain(streamed([ANSWER], 60))))
    for end in range(1, len(ANSWER) + 1):
        now = re.findall(r"\w+", " ".join(plain(shown(ANSWER[:end]))))
        *whole, growing = now or [""]
        assert whole == at_last[: len(whole)]
        assert at_last[len(whole)].startswith(growing)


def test_at_no_letter_a_marker_is_seen() -> None:
    for end in range(1, len(ANSWER) + 1):
        assert not re.search(r"[*`|~#\[]|\]\(|--", "\n".join(plain(shown(ANSWER[:end]))))


def test_an_item_is_never_taken_for_a_heading_while_its_marker_comes() -> None:
    (heading,) = {style for row in streamed(["Heading\n---\n"], 60) for _, style in row}
    for end in range(ANSWER.index("1. The"), ANSWER.index("> A quote")):
        assert not any(style == heading for row in shown(ANSWER[:end])[3:] for _, style in row)


@pytest.mark.parametrize("text", ["2 * 3 = 6 and 4 * 5", "snake_case_name", "a ~ b", "2. ", r"\*not", "costs $5 ` or"])
def test_what_is_no_marker_stays_as_it_is(text: str) -> None:
    assert closed(f"{text} more words") in (f"{text} more words", f"{text} more words`")


def test_a_mark_that_nobody_closes_is_given_up_after_a_while() -> None:
    assert closed("a *b" + " word" * 10).endswith("*")
    assert not closed("a *b" + " word" * 100).endswith("*")


@given(st.text(alphabet="ab *_~`[](|)#-=.1>\n\\", max_size=60))
def test_a_guess_changes_no_words(text: str) -> None:
    assert re.findall("[ab]", closed(text)) == re.findall("[ab]", guessed(text)) == re.findall("[ab]", text)
