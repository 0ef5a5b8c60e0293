"""Tab completes what can be named: commands, models, profiles, kept conversations and files."""

import os
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from streamchat.attachments import mentioned
from streamchat.repl.completion import Completions
from tests.repl.person import ANSWERED, Person
from tests.repl.test_any_line import chat
from tests.repl.test_chat import leave


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("see @", ["@file.txt", '@"my folder/', '@"two words.txt"']),
        ("see (@fi", ["@file.txt"]),
        ('see @"my folder/', ['@"my folder/inside.txt"']),
        ("me@fi", []),
        ('"@file.txt" fi', []),
        ("/system fi", []),
        ("/system @fi", ["@file.txt"]),
    ],
)
def test_what_is_offered_for_a_name_can_be_sent(typed: str, offered: list[str]) -> None:
    Path("file.txt").write_text("x")
    Path("two words.txt").write_text("x")
    Path("my folder").mkdir()
    Path("my folder", "inside.txt").write_text("x")
    with chat() as (repl, _):
        found = list(Completions(repl).get_completions(Document(typed), CompleteEvent()))
    assert [each.text for each in found] == offered
    for each in found:
        whole = typed[: len(typed) + each.start_position] + each.text
        assert mentioned(whole)[0] or each.text.endswith("/")


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ("/comp", "/compare"),
        ("/model sec", "/model second"),
        ("/profile ter", "/profile terse"),
        ("/resume tid", "/resume tides"),
        ("what is in @not", "what is in @notes.txt"),
        ("/file not", "/file notes.txt"),
        ("/file my o", "/file my other.txt"),
        ("what is in @my", 'what is in @"my other.txt"'),
        ('what is in @"my o', 'what is in @"my other.txt"'),
        ("/system @not", "/system @notes.txt"),
    ],
)
def test_tab_completes_it(typed: str, whole: str) -> None:
    Path("notes.txt").write_text("line one\n")
    Path("my other.txt").write_text("line two\n")
    config = Path(os.environ["XDG_CONFIG_HOME"], "streamchat", "config.toml")
    config.parent.mkdir(parents=True)
    config.write_text('[profiles.terse]\nsystem = "Be terse."\n[aliases]\nsecond = "echo/echo"\n')
    with Person("-m", "echo", "--name", "tides") as person:
        person.prompted()
        person.press("kept\r")
        person.prompted(ANSWERED)
        person.press("/new\r")
        person.prompted("> /new")
        person.press(typed)
        person.sees(f"> {typed}", whole.rpartition(" ")[2].strip('@"'))
        person.press("\t")
        person.prompted(draft=whole)
        person.press("\x15")
        assert leave(person) == 0
