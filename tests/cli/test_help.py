"""Help: every page fits a screen or says where the rest is, its examples come first, and topics are the docs' text."""

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from streamchat.cli.app import COMMANDS, app
from streamchat.cli.front import outline
from streamchat.cli.help import TOPICS, topic, tree
from streamchat.cli.outline import found, slip
from streamchat.cli.pages import paragraphs
from tests.conftest import ROOT
from tests.program import run


def commands() -> list[tuple[str, Any]]:
    """Every command with the words that call it."""
    top = typer.main.get_command(app)
    context = typer.Context(top, info_name="streamchat")  # type: ignore[arg-type]  # the parser is Typer's own
    return [(inner.command_path.partition(" ")[2], command) for command, inner in tree(top, context)]


PAGES = commands()


@pytest.mark.parametrize("path", [path for path, _ in PAGES])
def test_the_page_of_a_command_fits_a_screen(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert app([*path.split(), "--help"], prog_name="streamchat", standalone_mode=False) == 0
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert shown.err == ""
    assert lines[0].startswith("Usage: streamchat")
    assert len(lines) <= 23
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(("path", "command"), [page for page in PAGES if not hasattr(page[1], "lines")])
def test_a_command_opens_with_two_examples(path: str, command: Any) -> None:
    examples = [text for text, as_it_is in paragraphs(command) if as_it_is]
    assert examples, f"{path} has no example"
    lines = examples[0].splitlines()
    assert len(lines) == 2
    assert all("streamchat" in line for line in lines)


@pytest.mark.parametrize(("path", "command"), [page for page in PAGES if not hasattr(page[1], "lines")])
def test_its_examples_name_commands_and_options_that_there_are(path: str, command: Any) -> None:
    lines = next(text for text, as_it_is in paragraphs(command) if as_it_is).splitlines()
    for line in lines:
        for called in re.findall(r"\bstreamchat ([^|>)]*)", line.split("#")[0]):
            words = shlex.split(called.strip().rstrip('"')) if called.count('"') % 2 else shlex.split(called)
            assert words[0] in COMMANDS
            assert slip(outline(), words) is None
            assert found(outline(), [word for word in words[: path.count(" ") + 1] if word.isalpha()])


def test_no_option_is_left_out_of_the_whole_page() -> None:
    page = run("help", "ask").out
    ask = dict(PAGES)["ask"]
    for parameter in ask.params:
        for name in parameter.opts if parameter.param_type_name == "option" else ():
            assert re.search(rf"(^|[ /]){re.escape(name)}\b", page, re.MULTILINE), name
    assert page.index("What is asked:") < page.index("What is shown:") < page.index("How it is reached:")


def test_a_page_that_is_too_long_says_where_every_option_is() -> None:
    page = run("ask", "-h", env={"COLUMNS": "80"}).out
    assert page.splitlines()[-1] == "Every option: streamchat help ask"
    assert "--dry-run" not in page


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_is_the_text_of_the_docs(name: str) -> None:
    shown = run("help", name)
    assert shown.out.startswith(topic(name))
    rendered = run("help", name, terminal=(80, 24))
    assert rendered.status == 0
    assert b"```" not in rendered.screen
    assert set(TOPICS) == {path.stem for path in (ROOT / "streamchat" / "cli" / "topics").iterdir()}


def test_the_readme_says_the_same_as_the_topics() -> None:
    readme = Path(ROOT / "README.md").read_text("utf-8")
    rules = topic("pipes").partition("1. ")[2].partition("\n\n")[0]
    codes = topic("exit-codes").partition("| exit")[2].partition("\n\n")[0]
    assert f"1. {rules}\n" in readme
    assert f"| exit{codes}\n" in readme


def test_what_there_is_no_help_for_is_answered_with_the_nearest() -> None:
    assert "did you mean pipes?" in run("help", "pipe").err
    assert "did you mean list?" in run("help", "models", "lst").err
    sentence = run("help", "me", "with", "this")
    assert sentence.status == 2
    assert "streamchat ask help me with this" in sentence.err


def test_a_command_with_none_below_it_is_not_answered_with_an_empty_list() -> None:
    assert run("help", "ask", "speed").err.splitlines() == [
        "streamchat: there is no command or topic 'speed'",
        "  what there is about it: streamchat help ask",
    ]


def test_what_is_both_a_command_and_a_topic_is_listed_once() -> None:
    (_, hint) = run("help", "zzzzzzz").err.splitlines()
    assert hint.count(" serve,") == hint.count(" keys,") == hint.count(" config,") == 1
    assert "pipes" in hint and "ask" in hint


def test_help_names_every_command_and_loads_no_rich() -> None:
    page = run("--help").out
    assert all(re.search(rf"^  {name} ", page, re.MULTILINE) for name in COMMANDS)
    code = (
        "import sys; sys.argv = ['streamchat', 'ask', '--help']\n"
        "from streamchat.cli.app import app\n"
        "try: app(['ask', '--help'], standalone_mode=False)\n"
        "finally: print(sorted({'rich', 'openai', 'anthropic', 'prompt_toolkit'} & set(sys.modules)))"
    )
    done = run("-c", code, command=(sys.executable,))
    assert done.out.splitlines()[-1] == "[]"
