"""An error in the program itself: one line, a terminal as it was, and what was said is kept."""

import sys

import pytest

from tests.repl.person import ANSWERED, Person
from tests.repl.test_chat import questions

PLANTED = {
    "a key": "from streamchat.repl import typeahead, keys; keys.broken = lambda text: 1 / 0",
    "the line of state": "from streamchat.repl import state; state.used = lambda *_: 1 / 0",
    "completion": "from streamchat.repl import completion; completion.files = lambda *_: 1 / 0",
    "a command": "from streamchat.repl.commands import about; about.find = lambda *_: 1 / 0",
}
TYPED = {"a key": "x\r", "the line of state": "second\r", "completion": "see @x", "a command": "/help help\r"}
SHELL = 'before=$(stty -g); "$@"; echo "status $?"; [ "$before" = "$(stty -g)" ] && echo same'


@pytest.mark.parametrize("place", PLANTED)
def test_a_bug_is_one_line_and_the_terminal_is_as_it_was(place: str) -> None:
    """The bug is planted when the first answer has come, so that there is something to be kept."""
    script = (
        "import sys; from streamchat.repl import loop; ask = loop.Repl.ask\n"
        "def once(repl, text, **how):\n"
        "    reply = ask(repl, text, **how)\n"
        f"    exec({PLANTED[place]!r})\n"
        "    return reply\n"
        "loop.Repl.ask = once; sys.argv[0] = 'streamchat'\n"
        "from streamchat.__main__ import main; main()"
    )
    with Person("-m", "echo", command=("/bin/sh", "-c", SHELL, "sh", sys.executable, "-c", script)) as person:
        person.prompted()
        person.press("first\r")
        if place != "the line of state":
            person.prompted(ANSWERED)
            person.press(TYPED[place])
        rows = person.sees("an error in streamchat itself: ZeroDivisionError", "status 1", "same")
    seen = "\n".join(rows)
    assert "Traceback" not in seen and "File " not in seen and "Press ENTER" not in seen
    written = person.written
    assert written.rfind(b"\x1b[?25l") <= written.rfind(b"\x1b[?25h")
    assert written.rfind(b"\x1b[?2004h") < written.rfind(b"\x1b[?2004l")
    assert b"\x1b[?1049h" not in written
    assert questions()[0] == "first"


def test_a_path_of_a_person_who_is_not_here_is_a_name_like_any_other() -> None:
    with Person("-m", "echo") as person:
        person.prompted()
        person.press("/file ~nosuchperson/x")
        person.sees("> /file ~nosuchperson/x")
        person.press("\r")
        person.prompted("~nosuchperson/x cannot be read")
        person.press(b"caf\xe9 @~nosuchperson/\r")  # not UTF-8
        person.prompted(ANSWERED)
        person.press("\x04")
        assert person.program.end().status == 0
    assert questions()[0].endswith("@~nosuchperson/")
