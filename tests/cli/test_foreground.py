"""What a person does at the terminal while `ask` answers: stops it, types for later, interrupts it."""

import re
import sys

import pytest

from tests.repl.person import Person

WORDS = " ".join(f"w{number}" for number in range(40))
STOPS = 'set -m; found=$(stty -g); "$@"; echo stopped; [ "$found" = "$(stty -g)" ] && echo same; fg; echo over'
SHELL = ("/bin/bash", "-c", STOPS, "sh")


def asking(*flags: str) -> tuple[str, ...]:
    return ("ask", "-n", "--opt", "delay=0.03", *flags, WORDS)


@pytest.mark.parametrize("models", [("echo",), ("echo", "echo")])
def test_ctrl_z_leaves_a_clean_screen_and_the_answer_goes_on_in_front_again(models: tuple[str, ...]) -> None:
    flags = [part for model in models for part in ("-m", model)]
    with Person(
        *asking(*flags), chat=False, size=(120, 24), command=(*SHELL, sys.executable, "-m", "streamchat")
    ) as person:
        person.sees("w3")
        person.press("\x1a")
        person.sees("over")
        rows = "\n".join(person.scrollback)

    assert rows.index("stopped") < rows.index("same") < rows.index("over")
    assert "first token" in rows
    for word in WORDS.split():
        assert len(re.findall(rf"\b{word}\b", rows)) == len(models)


def test_what_is_typed_meanwhile_is_not_in_the_answer_and_waits_for_the_shell() -> None:
    script = '"$@"; read -r line; echo "read: $line"'
    shell = ("/bin/bash", "-c", script, "sh", sys.executable, "-m", "streamchat")
    with Person(*asking("-m", "echo"), chat=False, command=shell) as person:
        person.sees("w3")
        person.press("for later\n")
        person.sees("read: for later")

        assert sum("for later" in row for row in person.scrollback) == 1


def test_an_interruption_gives_the_terminal_its_echo_back() -> None:
    shell = ("/bin/bash", "-c", 'trap : INT; found=$(stty -g); "$@"; [ "$found" = "$(stty -g)" ] && echo same', "sh")
    with Person(*asking("-m", "echo"), chat=False, command=(*shell, sys.executable, "-m", "streamchat")) as person:
        person.sees("w3")
        person.press("\x03")
        person.sees("same", "interrupted")


def test_in_the_background_it_leaves_the_terminal_alone() -> None:
    shell = ("/bin/bash", "-c", 'set -m; "$@" & wait; jobs; echo over', "sh", sys.executable, "-m", "streamchat")
    with Person(*asking("-m", "echo"), chat=False, command=shell) as person:
        rows = "\n".join(person.sees("over"))

    assert "Stopped" not in rows
    assert "w39" in rows
