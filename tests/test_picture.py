"""The README's picture shows what the program shows."""

import html
import re

from tests import picture


def words(drawing: str) -> str:
    """The text in the picture, without the spaces that place it."""
    return "".join(html.unescape("".join(re.findall(r"<text[^>]*>([^<]*)</text>", drawing))).split())


def test_the_picture_is_what_the_program_shows_now() -> None:
    kept = picture.PICTURE.read_text("utf-8")
    assert words(kept) == words(picture.picture("--speed", "0")), "draw it again: python -m tests.picture"
    assert not re.search(r"(href|src)=|url\((?!#)|@import|@font-face", kept), "nothing is fetched from elsewhere"


def test_the_picture_has_the_styles_of_the_terminal() -> None:
    assert re.search(r"font-weight: bold", picture.PICTURE.read_text("utf-8"))
    bold = [line for line in picture.lines("--speed", "0") if any("bold" in str(span.style) for span in line.spans)]
    assert bold
