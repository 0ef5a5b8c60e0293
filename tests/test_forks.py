"""A forked run is what a started one is: to its terminal, its parent, its signals, and in all that it says."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from streamchat.cli.front import COMMANDS
from tests import forks
from tests.program import DEADLINE, Program, Result, run
from tests.wire.answers import chat_answer
from tests.wire.scenario import Stall, Wait, stream
from tests.wire.server import Server

RUNS: list[tuple[list[str], bytes | None]] = [
    (["--version"], None),
    (["--help"], None),
    (["ask", "-n", "-m", "echo", "Grüße, 日本"], None),
    (["ask", "-n", "-m", "echo", "What is this?"], b"piped \xff\r\n"),
    (["ask", "-n", "-m", "echo", "--dry-run", "hi"], None),
    (["ask", "--nonsense", "hi"], None),
    (["ask", "-m", "nobody/at-all", "hi"], None),
    (["ask"], b""),
    (["ask", "-n", "-m", "replay/showcase", "--speed", "0", "hi"], None),
    (["chat", "-m", "echo", "--nonsense"], None),
    (["history", "list"], None),
    (["history", "show", "nothing"], None),
    (["models", "default"], None),
    (["keys", "list"], None),
    (["config", "show", "--origin"], None),
    (["config", "get", "nothing"], None),
    (["doctor", "--help"], None),
    (["help", "pipes"], None),
    (["completion", "bash"], None),
    (["completion", "--words", "--", "ask", "--st"], None),
    (["usage"], None),
    (["serve", "--port", "many"], None),
    (["local", "list"], None),
    (["loacl"], None),
]
"""Arguments and what is piped in; every command is there."""

BOTH = pytest.mark.parametrize("fresh", [False, True], ids=["forked", "started"])


@pytest.mark.parametrize(("words", "stdin"), RUNS, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_it_says_the_same_and_ends_the_same(words: list[str], stdin: bytes | None) -> None:
    started, forked = (run(*words, stdin=stdin, fresh=fresh) for fresh in (True, False))

    assert forked == started
    assert forked.stdout or forked.stderr


def test_every_command_was_tried() -> None:
    assert {words[0] for words, _ in RUNS} >= set(COMMANDS)


@pytest.mark.parametrize("words", [["history", "list"], ["ask", "--nonsense"], ["help", "pipes"], ["--help"]], ids=str)
def test_on_a_terminal_it_says_the_same(words: list[str]) -> None:
    started, forked = (run(*words, terminal=(64, 20), fresh=fresh) for fresh in (True, False))

    assert forked == started
    assert b"\r\n" in forked.screen


def test_some_streams_are_a_terminal_and_some_are_files(tmp_path: Path) -> None:
    results = []
    for fresh in (True, False):
        with open(tmp_path / "in", "w+b") as source:
            source.write(b"from a file")
            source.seek(0)
            words = ("ask", "-n", "-m", "echo", "--usage", "hi")
            results.append(run(*words, stdin=source.fileno(), terminal=(64, 20), tty=("stderr",), fresh=fresh))

    assert [b"from a file" in result.stdout for result in results] == [True, True]
    assert results[0].stdout == results[1].stdout
    assert [result.screen.split()[:2] for result in results] == [results[0].screen.split()[:2]] * 2


@BOTH
def test_it_is_forked_unless_a_start_is_asked_for(fresh: bool) -> None:
    with Program("--version", fresh=fresh) as program:
        assert isinstance(program.process, subprocess.Popen if fresh else forks.Forked)


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONUTF8": "1"},
        {"PYTHONPATH": "/nowhere"},
        {"LC_ALL": "C"},
        {"LANG": None},
        {"OPENAI_LOG": "debug"},
        {"STREAMCHAT_PLAIN_IMPORTS": "1"},
    ],
    ids=str,
)
def test_what_is_loaded_differently_is_started(env: dict[str, str | None]) -> None:
    with Program("--version", env=env) as program:
        assert isinstance(program.process, subprocess.Popen)


def test_programs_that_it_starts_have_its_environment_and_its_directory(tmp_path: Path) -> None:
    """The C library's environment too, which is what they inherit."""
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\n{ env; pwd; } > $0.$TOLD\n")
    editor.chmod(0o755)
    (tmp_path / "below").mkdir()
    told = {}
    for fresh in (True, False):
        env = {"EDITOR": str(editor), "TOLD": str(fresh), "NEW": "ü\udcff", "COLORFGBG": None}
        result = run("config", "edit", env=env, cwd=tmp_path / "below", terminal=(80, 24), fresh=fresh)
        assert result.status == 0, result
        lines = (tmp_path / f"editor.{fresh}").read_bytes().splitlines()
        told[fresh] = {line for line in lines if not line.startswith((b"TOLD=", b"_=", b"OLDPWD="))}

    assert told[False] == told[True]
    assert {b"NEW=\xc3\xbc\xff", os.fsencode(tmp_path / "below")} <= told[False]


def stalled(server: Server, **how: object) -> Program:
    """In the middle of an answer that does not go on."""
    server.play(stream(chat_answer(["Half an answer"])[:2], Stall()))
    program = Program("ask", "-m", "vllm/m", "--base-url", server.v1, "x", **how)  # type: ignore[arg-type]
    program.wait_for(b"Half an answer")
    return program


def signals_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t") for line in lines if line.startswith(("SigBlk", "SigIgn", "SigCgt")))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="shown by /proc")
@pytest.mark.parametrize("terminal", [None, (80, 24)], ids=["pipes", "terminal"])
def test_the_system_sees_no_difference(server: Server, terminal: tuple[int, int] | None) -> None:
    """Signals, descriptors, session, process group, what the terminal takes for its foreground."""

    def seen(program: Program) -> object:
        pid = program.process.pid
        own = {pid: "own", os.getpgrp(): "the tests'", os.getsid(0): "the tests'"}
        foreground = os.tcgetpgrp(program._master.fileno()) if program._master else None
        descriptors = sorted(os.path.basename(path) for path in os.listdir(f"/proc/{pid}/fd"))
        return (signals_of(pid), descriptors, *map(own.get, (os.getpgid(pid), os.getsid(pid), foreground)))

    with (
        stalled(server, terminal=terminal, fresh=True) as fresh,
        stalled(server, terminal=terminal, fresh=False) as forked,
    ):
        until(lambda: seen(fresh) == seen(forked))  # a module may be open that one of them is just importing


@BOTH
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_is_its_death(server: Server, number: int, fresh: bool) -> None:
    with stalled(server, fresh=fresh) as program:
        assert program.process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            program.process.wait(0.01)
        program.signal(number)
        result = program.end()

    assert result.status == program.process.returncode == program.process.poll() == -number
    assert result.out.startswith("Half an answer")


@BOTH
def test_a_reader_that_leaves_is_its_death(server: Server, fresh: bool) -> None:
    gate, packets = threading.Event(), chat_answer(["Half", " tide"])
    server.play(stream(packets[:2], Wait(gate), packets[2:]))
    with Program("ask", "-m", "vllm/m", "--base-url", server.v1, "x", fresh=fresh) as program:
        program.wait_for(b"Half")
        program.hang_up()
        gate.set()
        assert program.end() == Result(program._output["stdout"], b"", -signal.SIGPIPE)


@BOTH
def test_the_terminal_is_its_own(server: Server, fresh: bool) -> None:
    """Ctrl-C on it is SIGINT, a resize is heard, a window that is closed is SIGHUP."""
    with stalled(server, terminal=(80, 24), fresh=fresh) as program:
        program.press(b"\x03")
        assert program.end().status == -signal.SIGINT
    with stalled(server, terminal=(80, 24), tty=("stdin", "stdout"), fresh=fresh) as program:
        program.close_terminal()
        assert program.end().status == -signal.SIGHUP


def test_each_of_many_at_once_gets_its_own_end() -> None:
    lines: list[tuple[list[str], int]] = [
        (["--version"], 0),
        (["ask", "--nonsense"], 2),
        (["ask", "-m", "a/b", "x"], 2),
    ]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda number: run(*lines[number % 3][0]), range(60)))

    assert [result.status for result in results] == [lines[number % 3][1] for number in range(60)]
    assert len({(result.stdout, result.stderr) for result in results}) == 3


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="shown by /proc")
def test_nothing_is_left_of_a_run() -> None:
    """Neither a descriptor on either side, nor a process that nobody has asked for its end."""
    pid = forks.server()._process.pid

    def running() -> str:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text()

    def held() -> tuple[int, int]:
        return len(os.listdir("/proc/self/fd")), len(os.listdir(f"/proc/{pid}/fd"))

    run("--version")
    until(lambda: not running())
    before = held()
    for _ in range(5):
        run("--version", terminal=(80, 24))

    # The server closes its side when it has said how a run ended: also that of the first, perhaps after `before`.
    until(lambda: not running() and all(now <= then for now, then in zip(held(), before, strict=True)))


ALONE = """
import os, sys
from tests import forks
from tests.program import Program
program = Program("chat", "-m", "echo", terminal=(80, 24))
program.wait_for(b"/help")
print(forks.server()._process.pid, program.process.pid, flush=True)
os.kill(os.getpid(), int(sys.argv[1]))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_server_and_its_runs_end_with_the_process_that_asked(number: int) -> None:
    """However that ends: it need not get round to anything."""
    command = [sys.executable, "-c", ALONE, str(int(number))]
    done = subprocess.run(command, cwd=forks.ROOT, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == -number, done
    pids = [int(word) for word in done.stdout.split()]

    assert len(pids) == 2
    until(lambda: not any(alive(pid) for pid in pids))


def test_a_run_whose_server_is_gone_is_an_error() -> None:
    """And no run that is waited for as long as it pleases."""
    server = forks.Server(dict(os.environ))
    empty = os.open(os.devnull, os.O_RDWR)
    reading, writing = os.pipe()  # on which nothing comes
    try:
        held = server.fork(["ask", "-m", "echo", "--stdin", "x"], [reading, empty, empty], os.environ, "/", None)
        server._process.kill()
        with pytest.raises(RuntimeError, match="is gone"):
            held.wait(DEADLINE)
        os.kill(held.pid, signal.SIGKILL)
    finally:
        for number in (empty, reading, writing):
            os.close(number)
        server.close()


def alive(pid: int) -> bool:
    """Whether it runs: one whose end nobody has asked for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not done():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)
