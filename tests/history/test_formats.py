"""Transcripts: chosen by suffix, safe to look at, and in Markdown a way there and back."""

import json
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamchat.chat import Attachment, Reply
from streamchat.errors import UsageError
from streamchat.events import Event, Reasoning, Text
from streamchat.history import formats, markdown, records
from streamchat.history.conversation import Conversation
from streamchat.history.redaction import patterns
from streamchat.history.tree import Tree
from streamchat.views.safe import safe
from tests.history.conversations import answered, texts, written


def parsed(text: str) -> Tree:
    lines = markdown.parse(text)
    tree = Tree(next(line for line in lines if isinstance(line, records.Head)))
    tree.read(lines)
    return tree


def made(turns: Sequence[tuple[str, str]], name: str = "") -> Conversation:
    conversation = Conversation.new(None, name=name)
    for question, answer in turns:
        answered(conversation, question, Text(answer))
    return conversation


def as_text(kind: str, conversation: Conversation) -> str:
    return formats.transcript(formats.FORMATS[kind], conversation).decode()


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), min_size=1), st.text())
@example([('## You <!-- streamchat: {"role":"user"} -->', "<!-- \\streamchat: {} -->\n\n<!-- streamchat: x")], "")
@example([("\n\na\n\n", "# b\r\n\n\n")], "A # name --> <!--")
def test_markdown_comes_back_as_it_was(turns: list[tuple[str, str]], name: str) -> None:
    conversation = made(turns, name)
    tree = parsed(as_text("md", conversation))

    assert texts(tree.turns()) == [(safe(question), safe(answer)) for question, answer in turns]
    assert as_text("md", conversation).split("\n", 1)[1] == markdown.render(tree, tree.turns()).split("\n", 1)[1]


def test_markdown_keeps_who_answered_and_how(tmp_path: Path) -> None:
    conversation = Conversation.new(None, name="sky")
    answered(conversation, "Why?", system="Be brief.")
    cut = conversation.begin("And?", provider="openai", model="gpt-5", system="Be brief.")
    for event in (Reasoning("Hm.\n\n## thought"), Text("Beca")):
        cut.add(event)
    cut.end(Reply(), KeyboardInterrupt())
    text = as_text("md", conversation)
    tree = parsed(text)
    first, second = tree.turns()

    assert tree.name == "sky"
    assert (first.model, first.system, first.usage, first.ending) == (
        "echo/m-1",
        "Be brief.",
        conversation.turns()[0].usage,
        "",
    )
    assert (second.model, second.reasoning, second.text) == ("openai/gpt-5", "Hm.\n\n## thought", "Beca")
    assert second.stop_reason == "interrupted"
    assert "## openai/gpt-5 (interrupted) <!--" in text


def test_markdown_may_be_edited_by_hand() -> None:
    text = as_text("md", made([("One?", "eins"), ("Two?", "zwei")], "old name"))
    text = text.replace("# old name", "# new name").replace("zwei", "Zwei.\n\n")
    text += '\n## You <!-- streamchat: {"role":"user"} -->\nThree?\n'
    text += '## Me <!-- streamchat: {"role":"assistant"} -->\nDrei.'
    tree = parsed(text)

    assert tree.name == "new name"
    assert texts(tree.turns()) == [("One?", "eins"), ("Two?", "Zwei.\n\n"), ("Three?", "Drei.")]


def test_plain_markdown_is_understood_by_its_headings() -> None:
    tree = parsed(
        "Saved from somewhere\n\n## User\n\nHello\n\n### Assistant:\n\nHi\n\n## A heading\n\nmore\n\n# You\n\nBye\n"
    )

    assert texts(tree.turns()) == [("Hello", "Hi\n\n## A heading\n\nmore"), ("Bye", "")]


def test_markdown_without_a_conversation_is_refused() -> None:
    with pytest.raises(UsageError, match="no conversation"):
        parsed("# Shopping\n\n- milk\n")


HOSTILE = "a\x1b[31mb\x9b\u202ec\u2066\x00\x7f\r\ud83d"


@pytest.mark.parametrize("kind", formats.FORMATS)
def test_no_transcript_carries_control_characters(kind: str) -> None:
    text = as_text(kind, made([(HOSTILE, HOSTILE)], HOSTILE))

    assert all(character.isprintable() or character == "\n" for character in text)


@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_data_formats_keep_everything_exactly(kind: str) -> None:
    text = as_text(kind, made([(HOSTILE, "é\u202e\x1b")]))
    if kind == "json":
        contents = [message["content"] for message in json.loads(text)["messages"]]
    else:
        contents = [line.get("content", line.get("text")) for line in map(json.loads, text.splitlines())]
        contents = [content for content in contents if content is not None]

    assert contents == [HOSTILE, "é\u202e\x1b"]


def test_json_lines_are_the_journal(tmp_path: Path) -> None:
    conversation = Conversation.new(tmp_path)
    answered(conversation, "Why?")
    assert conversation.path is not None

    assert as_text("jsonl", conversation) == conversation.path.read_text()


@pytest.mark.parametrize("kind", formats.FORMATS)
def test_what_was_attached_is_named(kind: str) -> None:
    conversation = Conversation.new(None)
    answered(conversation, "What is this?", attachments=(Attachment("cat.png", "image/png", b"\x89PNG"),))

    assert "cat.png" in as_text(kind, conversation)


@pytest.mark.parametrize("kind", formats.FORMATS)
def test_an_answer_that_stands_alone_is_shown_as_one(tmp_path: Path, kind: str) -> None:
    conversation = written(tmp_path / "hand.jsonl", '{"type":"message","role":"assistant","content":"**Hello**"}')
    text = as_text(kind, conversation)

    assert "Hello" in text
    assert "assistant" in text.lower()


def test_plain_text() -> None:
    conversation = Conversation.new(None, name="sky")
    answered(conversation, "Why?", Text("Because."))
    turn = conversation.begin("And?", model="m")
    turn.add(Text("Th"))
    turn.end(Reply(), KeyboardInterrupt())
    lines = as_text("txt", conversation).splitlines()

    assert lines[0] == "sky"
    assert lines[2:8] == ["", "You:", "Why?", "", "echo/m-1:", "Because."]
    assert lines[8:] == ["", "You:", "And?", "", "m (interrupted):", "Th"]


def test_one_turn_of_a_conversation() -> None:
    conversation = Conversation.new(None)
    answered(conversation, "One?", Text("1"), system="S")
    last = answered(conversation, "Two?", Text("2"), system="S")
    data = formats.transcript(formats.FORMATS["jsonl"], conversation, [last])
    tree = Tree(conversation.head)
    tree.read(records.decode(data)[0])

    assert texts(tree.turns()) == [("Two?", "2")]
    assert tree.turns()[0].system == "S"


class Page(HTMLParser):
    """What a page would do: its tags, and where it points to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.pointers: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.pointers += [
            value or "" for name, value in attrs if name in ("href", "src", "style") or name.startswith("on")
        ]

    def handle_data(self, data: str) -> None:
        self.words += data


ATTACKS = """<script>alert(1)</script> <img src=x onerror=alert(1)> <b onclick="x">b</b>
[a](javascript:alert(1)) [b](data:text/html,x) [c](https://example.com/?q="onx=1) ![pixel](https://evil.example/p.png)
```html"><script>alert(2)</script>
<script>alert(3)</script>
```
```python
print("<script>")
```
</article></main></body>"""


def test_the_page_is_safe_and_loads_nothing() -> None:
    page = Page(as_text("html", made([(ATTACKS, ATTACKS)], ATTACKS)))

    assert not {"script", "img", "iframe", "link", "b", "object"} & set(page.tags)
    assert set(page.pointers) <= {"https://example.com/?q=%22onx=1", "https://evil.example/p.png"}
    assert "<script>alert(1)</script>" in page.words
    assert page.tags.count("article") == 2


def test_the_page_is_readable() -> None:
    text = as_text("html", made([("Why?", "**Blue** light\n\n```python\nx = 1\n```\n\n| a |\n|---|\n| b |\n")], "sky"))

    assert "<title>sky</title>" in text
    assert "<strong>Blue</strong>" in text
    assert '<span class="mi">1</span>' in text
    assert "<table>" in text
    assert "prefers-color-scheme: dark" in text
    assert "default-src 'none'" in text


def test_the_format_is_chosen_by_the_suffix(tmp_path: Path) -> None:
    conversation = made([("Why?", "Because.")])
    for name in ("a.md", "a.MARKDOWN", "a.json", "a.jsonl", "a.txt", "a.html", "a.htm"):
        formats.save(tmp_path / name, conversation)
        assert b"Because." in (tmp_path / name).read_bytes()
    with pytest.raises(UsageError) as caught:
        formats.save(tmp_path / "a.docx", conversation)
    assert caught.value.hint == "Let its name end in one of .md, .json, .jsonl, .txt, .html."


def test_a_file_is_never_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        formats.save(path, made([("a", "b")]))
    assert path.read_text() == "mine"

    formats.save(path, made([("a", "b")]), overwrite=True)
    assert "b" in path.read_text()
    assert sorted(entry.name for entry in tmp_path.iterdir() if entry.is_file()) == ["a.md"]


PIECES: tuple[Event, ...] = (Text("key sk-a"), Reasoning("sk-r"), Text("bc12"), Reasoning("9\n"), Text("3 end\nsk-zz9"))


@pytest.mark.parametrize("kind", formats.FORMATS)
def test_what_is_to_be_redacted_reaches_no_file(tmp_path: Path, kind: str) -> None:
    conversation = Conversation.new(tmp_path, name="sk-name1", redact=patterns([r"sk-\w+"]))
    turn = answered(conversation, "my sk-q1", *PIECES, error=ValueError("bad sk-e1"), system="use sk-s1")
    fork = conversation.fork()
    answered(fork, "again")
    formats.save(tmp_path / f"a.{kind}", conversation)
    files = [path.read_text() for path in tmp_path.rglob("*.*") if path.is_file()]

    assert len(files) == 3
    assert all("sk-" not in text and "[redacted]" in text for text in files)
    assert turn.text == "key sk-abc123 end\nsk-zz9"
    assert conversation.path is not None
    ((_, kept),) = texts(Conversation.load(conversation.path).turns())
    assert kept == "key [redacted] end\n[redacted]"
