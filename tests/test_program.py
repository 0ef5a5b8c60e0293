"""The runner of the real program: what a test asks it for is what the program gets, and all of it comes back."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.program import Program, Result, run

PYTHON = (sys.executable, "-c")
SIZE = "import os, sys; print(*os.get_terminal_size(), sys.stdin.isatty(), sys.stdout.isatty(), sys.stderr.isatty())"
ECHO = "import sys; sys.stdout.write(sys.stdin.read().upper())"


def python(code: str, **how: object) -> Result:
    return run(code, command=PYTHON, **how)  # type: ignore[arg-type]


def test_output_and_status() -> None:
    """Both streams byte for byte, and the exit status."""
    result = python(r"import os; os.write(1, b'a\xff\n'); os.write(2, b'b\r\n'); os._exit(7)")

    assert result == Result(b"a\xff\n", b"b\r\n", 7)
    assert (result.out, result.err) == ("a�\n", "b\r\n")


def test_piped_input() -> None:
    """Given bytes are piped; nothing given is an empty pipe; a lot given and not read is no error."""
    assert python(ECHO, stdin=b"hello").stdout == b"HELLO"
    assert python(ECHO).stdout == b""
    assert python("print(1)", stdin=b"x" * 10_000_000).stdout == b"1\n"


def test_the_environment_can_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the clean one of the test; None takes a variable out."""
    monkeypatch.setenv("GONE", "1")
    code = "import os; print(os.environ.get('GONE'), os.environ['NEW'], os.environ['HOME'])"

    assert python(code, env={"GONE": None, "NEW": "2"}).out == f"None 2 {os.environ['HOME']}\n"


def test_the_environment_is_clean() -> None:
    """No key, no setting, no proxy of the person who runs the tests; an empty home and an empty directory."""
    foreign = ("KEY", "STREAMCHAT", "PROXY", "proxy", "BASE_URL", "COLUMNS", "NO_COLOR")

    assert [name for name in os.environ if any(word in name for word in foreign)] == []
    assert os.listdir(os.environ["HOME"]) == os.listdir(".") == []


@pytest.mark.parametrize("turn", [1, 2])
def test_nothing_is_left_for_the_next_test(turn: int) -> None:
    """What one test writes into its home and its directory is gone in the next."""
    home, here = Path.home(), Path.cwd()
    assert (list(home.iterdir()), list(here.iterdir())) == ([], [])

    for place in (home, here):
        (place / "folder").mkdir()
        (place / "folder" / "file").write_text("x")


def test_a_terminal_of_a_given_size() -> None:
    """All three streams are the terminal, with what is typed echoed by it."""
    result = python(SIZE, terminal=(43, 12))

    assert result == Result(b"", b"", 0, b"43 12 True True True\r\n")


def test_some_streams_are_a_terminal() -> None:
    """The others are pipes of their own."""
    code = "import sys; print(sys.stdin.isatty(), sys.stdout.isatty(), sys.stderr.isatty()); print(2, file=sys.stderr)"

    result = python(code, terminal=(80, 24), tty=("stderr", "stdin"))
    assert result == Result(b"True False True\n", b"", 0, b"2\r\n")
    assert python(code, terminal=(80, 24), tty=("stdout",), stdin=b"").stderr == b"2\n"


def test_keys_and_control_characters() -> None:
    """The terminal is the program's own: Ctrl-C on it is SIGINT."""
    code = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
print(input().upper(), flush=True)
print("came:", signal.sigwait({signal.SIGINT}), flush=True)
"""
    with Program(code, command=PYTHON, terminal=(80, 24), stdin=b"hi\n") as program:
        program.wait_for(b"HI\r\n")
        program.press(b"\x03")
        result = program.end()

    assert result.screen.endswith(b"came: %d\r\n" % signal.SIGINT)
    assert result.status == 0


def test_a_resize_reaches_the_program() -> None:
    """SIGWINCH and the new size."""
    code = """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})
print("ready", flush=True)
signal.sigwait({signal.SIGWINCH})
print(os.get_terminal_size().columns)
"""
    with Program(code, command=PYTHON, terminal=(80, 24)) as program:
        program.wait_for(b"ready")
        program.resize(33, 10)
        assert program.end().screen.endswith(b"33\r\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_after_some_output(number: int) -> None:
    """Sent when the text is there, not before; the status tells it."""
    code = "import signal, time; signal.signal(2, signal.SIG_DFL); print('a b', flush=True); time.sleep(60)"
    result = python(code, after=b"a b", signal=number)

    assert result == Result(b"a b\n", b"", -number)


def test_a_reader_that_leaves() -> None:
    """A closed pipe is a closed pipe."""
    code = "import signal\nsignal.signal(signal.SIGPIPE, signal.SIG_DFL)\nwhile True: print('x' * 99)"
    with Program(code, command=PYTHON) as program:
        program.wait_for(b"x")
        program.hang_up()
        assert program.end().status == -signal.SIGPIPE


def test_a_program_that_hangs_is_an_assertion() -> None:
    """With what it had written."""
    with Program("import time; print('begun', flush=True); time.sleep(60)", command=PYTHON) as program:
        program.wait_for(b"begun")
        with pytest.raises(AssertionError, match=r"still running after 0\.1 s.*begun"):
            program.end(timeout=0.1)


def test_text_that_never_comes_is_an_assertion() -> None:
    """At once when the program ends, not after the deadline."""
    with Program("print(1)", command=PYTHON) as program, pytest.raises(AssertionError, match="was not written"):
        program.wait_for(b"2")
