"""Trees: the same whatever the chunking, what Markdown says, and nothing that could harm a page."""

import json
import re
import time
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pygments.token import STANDARD_TYPES

from streamchat.views.lexing import _Lexing
from streamchat.views.nodes import Node, joined
from streamchat.views.prose import text_of
from streamchat.views.safe import safe
from streamchat.views.structure import parser
from streamchat.views.trees import LONGEST_OPEN, Trees, trees
from tests.views.documents import CORPUS, ENDLESS, documents, pieces, plain_documents, ragged

C_D = "https://a.b/c_d_e?x=1&y=2"
CLASSES = {
    "span": {"removed", *filter(None, STANDARD_TYPES.values())} - {"w"},
    "li": {"task", "task done"},
    "blockquote": {f"alert {kind}" for kind in ("note", "tip", "important", "warning", "caution")},
    "th": {"left", "center", "right"},
    "td": {"left", "center", "right"},
}
TAGS = {*"p h1 h2 h3 h4 h5 h6 ul ol li blockquote pre code em strong s a br hr".split()} | {  # noqa: SIM905
    *"table thead tbody tr th td span kbd".split()  # noqa: SIM905
}


def streamed(chunks: Iterable[str], *, tails: bool = False) -> list[Node]:
    """The finished nodes, part by part as they came; tails are looked at in between if that is wished."""
    made, found = Trees(), []
    for chunk in chunks:
        made.feed(chunk)
        found += made.take()
        if tails:
            check(made.tail())
    made.close()
    return found + made.take()


def check(nodes: list[Node]) -> None:
    """Nothing is in a tree that may not be in one."""
    for node in nodes:
        if isinstance(node, str):
            assert safe(node) == node
            continue
        tag, attributes, children = node
        assert tag in TAGS
        assert set(attributes) <= {"+", "class", "href", "start", "lang"}
        assert attributes.get("+", 1) == 1
        assert "class" not in attributes or attributes["class"] in CLASSES[tag]
        assert "href" not in attributes or (
            tag == "a" and re.fullmatch("(?i)(https?://|mailto:)[!-~]*", attributes["href"])
        )
        assert "start" not in attributes or (tag == "ol" and isinstance(attributes["start"], int))
        assert "lang" not in attributes or (tag == "pre" and re.fullmatch(r"[\w+#.-]{1,40}", attributes["lang"]))
        check(children)


def _item(text: str) -> Node:
    return "li", {}, [("p", {}, [text])]


def _span(kind: str, text: str) -> Node:
    return "span", {"class": kind}, [text]


@settings(max_examples=max(60, settings().max_examples // 2))
@given(documents, st.integers(0, 1000))
@example("---\n# |\n---\n---", 85)
def test_finished_nodes_do_not_depend_on_the_chunks(text: str, seed: int) -> None:
    parts = streamed([text])

    assert streamed(text, tails=seed % 2 == 0) == parts
    assert streamed(ragged(text, seed), tails=seed % 4 == 0) == parts
    assert joined(parts) == trees(text)
    check(parts)


@pytest.mark.parametrize("name", CORPUS)
def test_an_answer_is_the_same_by_letters_lines_and_at_once(name: str) -> None:
    text = CORPUS[name]
    parts = streamed(text)

    assert streamed([text], tails=True) == parts
    assert streamed(text.splitlines(keepends=True), tails=True) == parts
    assert joined(parts) == trees(text)
    check(parts)


@pytest.mark.parametrize("name", ENDLESS)
def test_long_blocks_leave_in_parts_that_make_the_whole(name: str) -> None:
    text = ENDLESS[name]
    made, parts, held = Trees(), [], 0
    for piece in pieces(text, 150):
        made.feed(piece)
        parts += made.take()
        held = max(held, len(text_of(made.tail())))
    made.close()
    parts += made.take()

    assert streamed([text]) == parts
    assert joined(parts) == trees(text)
    assert held <= (8500 if name in ("never closed", "one word") else 3200)


@given(plain_documents)
def test_the_structure_is_that_of_the_parsers_own_html(text: str) -> None:
    assume(not re.search(r"\[ ?[xX ]\]", text))

    assert unlinked(trees(text)) == unlinked(by_parser(text))


@pytest.mark.parametrize("name", ["sorting", "scripts", "languages"])
def test_the_text_of_an_answer_is_all_there(name: str) -> None:
    assert text_of(trees(CORPUS[name])).split() == text_of(by_parser(CORPUS[name])).split()


@given(documents, st.integers(1, 40))
def test_finished_nodes_and_the_tail_are_what_there_is_to_see(text: str, size: int) -> None:
    made, parts = Trees(), []
    for piece in pieces(text, size):
        made.feed(piece)
        parts += made.take()
    tail = made.tail()
    assert not any(isinstance(node, tuple) and "+" in node[1] for node in joined(parts + tail))
    assert made.tail() == tail

    made.close()
    parts += made.take()
    assert made.tail() == []
    assert joined(parts) == trees(text)


@pytest.mark.parametrize(
    ("text", "tail"),
    [
        ("Some **bo", [("p", {}, ["Some ", ("strong", {}, ["bo"])])]),
        ("- a\n- b\n- *c", [("ul", {"+": 1}, [_item("b"), ("li", {}, [("p", {}, [("em", {}, ["c"])])])])]),
        (
            "```py\nx = 1\nif",
            [("pre", {"+": 1}, [("code", {"+": 1}, [("span", {"class": "k"}, ["if"])])])],
        ),
        ("> a\n>\n> b\n>\n> c", [("blockquote", {"+": 1}, [("p", {}, ["b"]), ("p", {}, ["c"])])]),
        ("- a\n\n  b\n\n  c", [("ul", {"+": 1}, [("li", {"+": 1}, [("p", {}, ["b"]), ("p", {}, ["c"])])])]),
        ("a\n| b | c |", [("p", {}, ["a\n| b | c |"])]),
        ("- [x] done", [("ul", {}, [("li", {"class": "task done"}, [("p", {}, ["☑ done"])])])]),
    ],
)
def test_the_tail_goes_on_with_what_is_finished_and_looks_finished(text: str, tail: list[Node]) -> None:
    made = Trees()
    made.feed(text)

    assert made.tail() == tail


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("a <b>c</b>", [("p", {}, ["a <b>c</b>"])]),
        ("a<br>b", [("p", {}, ["a", ("br", {}, []), "b"])]),
        ("*a <kbd>b* c</kbd>", [("p", {}, [("em", {}, ["a <kbd>b"]), " c</kbd>"])]),
        ("<kbd>b <kbd>c</kbd>", [("p", {}, ["<kbd>b ", ("kbd", {}, ["c"])])]),
        ("[a](javascript:x)", [("p", {}, ["[a](javascript:x)"])]),
        ("[a](b.md)", [("p", {}, ["a (b.md)"])]),
        ("[a](//evil.example)", [("p", {}, ["a (//evil.example)"])]),
        ("![a](data:image/png;base64,AA)", [("p", {}, ["🌆 a (data:image/png;base64,AA)"])]),
        ("![a](http://b/c)", [("p", {}, [("a", {"href": "http://b/c"}, ["🌆 a"])])]),
        ("[![a](http://b/c)](http://d)", [("p", {}, [("a", {"href": "http://d"}, ["🌆 a"])])]),
        ("[http://a](http://b)", [("p", {}, [("a", {"href": "http://b"}, ["http://a"]), " (http://b)"])]),
        ("See https://a.b/c_d_e?x=1&y=2.", [("p", {}, ["See ", ("a", {"href": C_D}, [C_D]), "."])]),
        ("(http://a.b/c_(d))", [("p", {}, ["(", ("a", {"href": "http://a.b/c_(d)"}, ["http://a.b/c_(d)"]), ")"])]),
        ("**http://a.b**", [("p", {}, [("strong", {}, [("a", {"href": "http://a.b"}, ["http://a.b"])])])]),
        ("[see http://a.b](http://a.b)", [("p", {}, [("a", {"href": "http://a.b"}, ["see http://a.b"])])]),
        ("http://a.b/\u05e9 http://", [("p", {}, ["http://a.b/\u05e9 http://"])]),
        ("http://a.b/" + "c" * 3000, [("p", {}, ["http://a.b/" + "c" * 3000])]),
        ("xhttp://a.b `http://a.b`", [("p", {}, ["xhttp://a.b ", ("code", {}, ["http://a.b"])])]),
        ("[www.a.b](http://www.a.b)", [("p", {}, [("a", {"href": "http://www.a.b"}, ["www.a.b"])])]),
        ("<a@b.c>", [("p", {}, [("a", {"href": "mailto:a@b.c"}, ["a@b.c"])])]),
        ("```\n\ta\n\n\n```", [("pre", {}, [("code", {}, ["\ta\n\n\n"])])]),
        ("```make\na:\n\tb", [("pre", {"lang": "make"}, [("code", {}, [_span("nf", "a"), _span("o", ":"), "\n\tb"])])]),
        ("```c++ {x}\n```", [("pre", {"lang": "c++"}, [("code", {}, [])])]),
        ("3) a\n4) b", [("ol", {"start": 3}, [_item("a"), _item("b")])]),
        ("> [!TIP]", [("blockquote", {"class": "alert tip"}, [("p", {}, [("strong", {}, ["Tip"])])])]),
        ("<div>\n  a\n</div>\n", [("pre", {}, ["<div>\n  a\n</div>"])]),
        ("a\x1bb\u202ec", [("p", {}, ["a", _span("removed", "␛"), "b", _span("removed", "\ufffd"), "c"])]),
        ("a \ud83d", [("p", {}, ["a \ufffd"])]),
        ("a \ud83d\ude00", [("p", {}, ["a 😀"])]),
    ],
)  # fmt: skip
def test_how_each_thing_is_shown(text: str, nodes: list[Node]) -> None:
    assert joined(trees(text)) == joined(nodes)
    assert joined(streamed(text)) == joined(nodes)


def test_a_long_paragraph_is_not_parted_where_a_key_is_open() -> None:
    text = "word " * 398 + "<kbd>Ctrl and Alt</kbd>, " + "word " * 300

    assert joined(streamed(pieces(text, 40))) == trees(text) == joined(trees(f"{text}\n\nend")[:1])


def test_code_is_exactly_what_was_written() -> None:
    for language, code in re.findall(r"```(\w+)\n(.*?)```", CORPUS["languages"] * 2, re.DOTALL):
        (node,) = joined(streamed(f"```{language}\n{code}```\n"))

        assert text_of([node]) == code
        assert isinstance(node, tuple) and node[1] == {"lang": language}


_TRICKY = st.text(
    st.sampled_from(
        "aab *`_<>[]()!#|-\n\r\t&;:/\x1b\u202e\ufe0f\u200d\u200b\ufeff\u2028\ud83d\ude00葛\U000e0100\U000e0041"
    )
)


@given(st.one_of(st.text(max_size=300), _TRICKY), st.integers(1, 20))
def test_any_text_is_harmless(text: str, size: int) -> None:
    check(streamed(pieces(text, size), tails=True))


@pytest.mark.parametrize(
    "text",
    [
        "*a **b " * 3000,
        "*a " * 300 + "a* " * 300,
        "> " * 3000 + "a",
        "- " * 3000 + "a",
        "[" * 5000,
        "![[](" * 2000,
        "<kbd>" * 3000,
        "`" * 5000 + "a",
    ],
    ids=lambda text: text[:6],
)
def test_nothing_nests_so_deep_that_it_could_not_be_walked(text: str) -> None:
    parts = streamed([text])

    assert depth(parts) <= 80
    assert json.dumps(parts)
    check(parts)


@pytest.mark.parametrize("kind", ["code", "items", "lines", "rows", "line"])
def test_the_work_per_character_does_not_grow_with_the_text(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = (work(kind, size, monkeypatch) for size in (7_000, 21_000))

    assert large <= 3.5 * small


@pytest.mark.parametrize("start", ["```\n", "```js\n", "# ", "    ", "<div>", "| a |\n|---|\n| "])
def test_a_line_without_end_costs_no_more_than_its_length(start: str) -> None:
    begun = time.process_time()
    made = Trees()
    for piece in pieces(start + "var x='y';" * 40_000, 20_000):
        made.feed(piece)
        made.take()
        assert len(text_of(made.tail())) <= LONGEST_OPEN
    made.close()

    assert len(text_of(made.take())) >= 400_000
    assert time.process_time() - begun < 10


def work(kind: str, size: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many characters were parsed, lexed and joined while a text came in pieces, with a tail for each."""
    seen = 0
    text = (
        (ENDLESS[kind].removesuffix("```\n") * (size // 5000))[:size]
        if kind != "code"
        else ENDLESS[kind][:10] + "x = 'a' + 1  # c\n" * (size // 17)
    )

    def counting(function: Any, measure: Any) -> Any:
        def counted(*arguments: Any, **rest: Any) -> Any:
            nonlocal seen
            seen += measure(arguments)
            return function(*arguments, **rest)

        return counted

    block, inline = parser().block, parser().inline
    with monkeypatch.context() as patch:
        patch.setattr(block, "parse", counting(block.parse, lambda given: len(given[0])))
        patch.setattr(inline, "parse", counting(inline.parse, lambda given: len(given[0])))
        patch.setattr("streamchat.views.lexing._Lexing.run", counting(_Lexing.run, lambda given: len(given[1])))
        streamed(pieces(text, 500), tails=True)
    return seen


def depth(nodes: list[Node]) -> int:
    return 1 + max((depth(node[2]) for node in nodes if isinstance(node, tuple)), default=0)


def by_parser(text: str) -> list[Node]:
    """The structure as markdown-it's own HTML has it, with a paragraph in every item."""
    made = MarkdownIt("commonmark", {"html": False}).enable("strikethrough").enable("table")
    tokens = made.parse(text)
    for token in tokens:
        token.hidden = False
    reader = _Html()
    reader.feed(made.renderer.render(tokens, made.options, {}))
    return joined(_without_blanks(reader.root))


def unlinked(nodes: list[Node]) -> list[Node]:
    """With addresses that are links to themselves as texts: the parser leaves those that stand bare alone."""
    found: list[Node] = []
    for node in nodes:
        if isinstance(node, str):
            found.append(node)
        elif node[0] == "a" and node[2] == [node[1]["href"]]:
            found += node[2]
        else:
            found.append((node[0], node[1], unlinked(node[2])))
    return joined(found)


class _Html(HTMLParser):
    """HTML as nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.root: list[Node] = []
        self.open: list[list[Node]] = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        attributes: dict[str, str | int] = {}
        if "style" in found:
            attributes["class"] = str(found["style"]).removeprefix("text-align:")
        if "start" in found:
            attributes["start"] = int(found["start"] or 0)
        if "href" in found:
            attributes["href"] = str(found["href"])
        children: list[Node] = []
        self.open[-1].append((tag, attributes, children))
        if tag not in ("br", "hr"):
            self.open.append(children)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].append((tag, {}, []))

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].append(data)


def _without_blanks(nodes: list[Node], parent: str = "") -> Iterator[Node]:
    """Without the line ends that the renderer puts between elements."""
    for index, node in enumerate(nodes):
        if isinstance(node, tuple):
            yield node[0], node[1], list(_without_blanks(node[2], node[0]))
        elif parent not in ("", "ul", "ol", "li", "blockquote", "table", "thead", "tbody", "tr") or node.strip():
            before = nodes[index - 1] if index else None
            yield node.removeprefix("\n") if isinstance(before, tuple) and before[0] == "br" else node
