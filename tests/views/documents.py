"""Markdown to render: answers as they come, documents made by hypothesis, and text cut in pieces."""

import random
from pathlib import Path

from hypothesis import strategies as st

CORPUS = {
    path.stem: path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "corpus").glob("*.md"))
}
PROSE = {name: text for name, text in CORPUS.items() if name != "hostile"}

_WORDS = (
    "word", "two", "*em*", "**b**", "`code`", "long" * 9, "日本語", "x_y_z", "a*b", "it's", "**", "`", "(", ")", "\\*",
    "&amp;", "~~s~~", "e\u0301", "👍🏽", "שלום", "https://example.org/a",
)  # fmt: skip
_MORE_WORDS = (
    "<b>", "<kbd>k</kbd>", "1.", "-", "+", "#", "|", "[label]", "[text][label]", "[t](http://x/y)", "![i](s.png)",
    "\ttab", "[^1]", "$x$", "<https://a.b>", "[x]", "</kbd>", "\x1b[31m", "\u202e", "*[l", "](u",
)  # fmt: skip
_STARTS = ("- ", "* ", "1. ", "2. ", "10. ", "> ", "  ", "   ")
_LINES = ("---", "***", "===", "", "", "", "", "| a | b |", "|---|:-:|", "| 1 | 2 |", "> ", "-", "1.", "   ", "#", "+ ")
_MORE_LINES = (
    "```", "```py", "~~~", "    code", "<div>", "</div>", "[label]: http://z", "- [ ] task", "> [!NOTE]", "[label]:",
    "  ```", "x = '''", "/* c", "<!-- x", "-->", "\t", "-\tx", "#### Four", "<br>", "\\",
)  # fmt: skip


def _documents(words: tuple[str, ...], starts: tuple[str, ...], lines: tuple[str, ...]) -> st.SearchStrategy[str]:
    text = st.lists(st.sampled_from(words), min_size=1, max_size=6).map(" ".join)
    line = st.one_of(text, text, text.map("# {}".format), st.sampled_from(lines), st.sampled_from(lines))
    start = st.lists(st.sampled_from(starts), max_size=3).map("".join)
    return st.lists(st.tuples(start, line).map("".join), min_size=1, max_size=10).map("\n".join)


plain_documents = _documents(_WORDS, _STARTS, _LINES)
"""Documents in which nothing is shown otherwise than by Rich, as long as there is room."""

documents = _documents(_WORDS + _MORE_WORDS, (*_STARTS, "    "), _LINES + _MORE_LINES)
"""Documents of every construct, most of them broken."""


def pieces(text: str, size: int) -> list[str]:
    """The text in pieces of one size."""
    return [text[start : start + size] for start in range(0, len(text), size)]


def ragged(text: str, seed: int, longest: int = 30) -> list[str]:
    """The text in pieces of changing sizes."""
    choice = random.Random(seed)
    result = []
    while text:
        size = choice.choice((1, 2, 5, longest))
        result.append(text[:size])
        text = text[size:]
    return result


ENDLESS = {
    "code": "```python\n" + "".join(f"x{i} = 'a' + {i}  # c\n" for i in range(500)) + "```\n",
    "items": "".join(f"- item {i} with *some* text\n" for i in range(300)),
    "numbers": "".join(f"{i}. item {i}\n\n   a paragraph\n" for i in range(1, 150)),
    "rows": "| a | b | c |\n|---|---|---|\n" + "".join(f"| row {i} | `v{i}` | {i * i} |\n" for i in range(160)),
    "line": "This is a sentence with *emphasis* and `code` in it, number. " * 160,
    "lines": ("This is a sentence with *emphasis* and `code` in it. " * 3 + "\n") * 50,
    "wide": "日本語のテキストも表示できます。" * 300,
    "never closed": "*open " + "word and word " * 1000,
    "one word": "x" * 12000,
    "quotes": "".join(f"> > line {i} of *quoted*\n> >\n" for i in range(150)),
    "nested items": "1. a\n" + "".join(f"   - sub {i}\n     - below\n" for i in range(150)),
    "nested code": "1. a\n\n   ```js\n" + "".join(f"   x = {i} /* c\n   d */\n" for i in range(150)) + "   ```\n2. b\n",
    "html": "<div>\n" + "".join(f"<p>line {i}</p>\n" for i in range(260)) + "</div>\n",
    "indented": "".join(f"    code {i}\n" for i in range(300)),
    "long heading": "word " * 1000 + "\n---\n\nnext",
    "quoted line": "> " + "word and more " * 500 + "\n",
    "second paragraph": "- x\n\n  " + "word and more " * 500 + "\n- z\n",
}  # fmt: skip
"""Blocks that go on for long."""
