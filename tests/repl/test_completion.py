"""Tab completes what can be named: commands, models, profiles, kept conversations and files."""

import os
from pathlib import Path

import pytest

from tests.repl.person import Person
from tests.repl.test_chat import leave


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ("/comp", "/compare"),
        ("/model sec", "/model second"),
        ("/profile ter", "/profile terse"),
        ("/resume tid", "/resume tides"),
        ("what is in @not", "what is in @notes.txt"),
        ("/file not", "/file notes.txt"),
    ],
)
def test_tab_completes_it(typed: str, whole: str) -> None:
    Path("notes.txt").write_text("line one\n")
    config = Path(os.environ["XDG_CONFIG_HOME"], "streamchat", "config.toml")
    config.parent.mkdir(parents=True)
    config.write_text('[profiles.terse]\nsystem = "Be terse."\n[aliases]\nsecond = "echo/echo"\n')
    with Person("-m", "echo", "--name", "tides") as person:
        person.prompted()
        person.press("kept\r")
        person.prompted("first token")
        person.press("/new\r")
        person.prompted("> /new")
        person.press(typed)
        person.sees(f"> {typed}", whole.rpartition(" ")[2].lstrip("@"))
        person.press("\t")
        person.prompted(draft=whole)
        person.press("\x15")
        assert leave(person) == 0
