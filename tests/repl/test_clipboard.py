"""/copy and /paste by the real tools: X's and Wayland's clipboards, tmux's buffer, the terminal's own."""

import base64
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.repl.person import Person
from tests.repl.test_chat import at, leave
from tests.repl.test_commands import PNG, asked
from tests.repl.window import Window, needs_tmux
from tests.wire.answers import chat_answer
from tests.wire.scenario import Stall, stream
from tests.wire.server import Server

TOOLS = {
    "xclip": ("xclip", "-selection", "clipboard", "-out"),
    "xsel": ("xsel", "--clipboard", "--output"),
    "wl-copy": ("wl-paste", "--no-newline"),
}
"""Each tool that copies, with the command that shows what it copied."""


def needs(*tools: str) -> pytest.MarkDecorator:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}")


@contextmanager
def running(line: list[str], env: Mapping[str, str], **how: object) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(line, env={**os.environ, **env}, stderr=subprocess.DEVNULL, **how)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextmanager
def x_display() -> Iterator[dict[str, str]]:
    """A display of nobody's; Xvfb says its number when it takes connections."""
    reading, writing = os.pipe()
    line = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "16x16x24", "-nolisten", "tcp"]
    with running(line, {}, pass_fds=(writing,), stdout=subprocess.DEVNULL):
        os.close(writing)
        with open(reading, "rb") as told:
            yield {"DISPLAY": f":{told.readline().decode().strip()}"}


@contextmanager
def wayland_display() -> Iterator[dict[str, str]]:
    """A compositor without a screen. It does not run as root; who is root runs it as nobody."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        place = Path(folder)
        os.mkfifo(place / "told")
        (place / "config").write_text(f"exec echo $WAYLAND_DISPLAY > {place}/told\nxwayland disable\n")
        line = ["sway", "-c", str(place / "config")]
        if os.geteuid() == 0:
            line = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *line]
            for path in (place, place / "told", place / "config"):
                os.chown(path, 65534, 65534)
        env = {"XDG_RUNTIME_DIR": folder, "WLR_BACKENDS": "headless", "WLR_LIBINPUT_NO_DEVICES": "1"}
        env |= {"WLR_RENDERER": "pixman", "HOME": folder}
        stack.enter_context(running(line, env, stdout=subprocess.DEVNULL))
        with open(place / "told", "rb") as told:
            yield {"XDG_RUNTIME_DIR": folder, "WAYLAND_DISPLAY": told.readline().decode().strip()}


def only(folder: Path, *tools: str) -> dict[str, str]:
    """A path on which nothing is found but these, and Python and a shell."""
    folder.mkdir()
    for tool in (*tools, "sh", "cat"):  # wl-copy and wl-paste call cat
        (folder / tool).symlink_to(shutil.which(tool) or "")
    return {"PATH": str(folder)}


def holds(text: bytes, tool: str, env: Mapping[str, str]) -> bool:
    """Whether the clipboard has this, or has it soon: xsel leaves before what it left behind owns the clipboard."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        done = subprocess.run(TOOLS[tool], env={**os.environ, **env}, capture_output=True, check=False, timeout=10)
        if done.stdout == text:
            return True
    return False


@pytest.mark.parametrize(
    "tool",
    [
        pytest.param("xclip", marks=needs("Xvfb", "xclip")),
        pytest.param("xsel", marks=needs("Xvfb", "xsel")),
        pytest.param("wl-copy", marks=needs("sway", "wl-copy", "setpriv")),
    ],
)
def test_what_is_copied_is_in_the_desktops_clipboard_and_stays_there(tool: str, server: Server, tmp_path: Path) -> None:
    """Also after a Ctrl+C, which the terminal sends to everything that was started on it, and after the chat."""
    server.play(stream(chat_answer(["Grüße, 世界.\n\n```py\nx = 1\n```\n"])), stream(chat_answer(["No"])[:2], Stall()))
    display = wayland_display() if tool == "wl-copy" else x_display()
    with display as env:
        with Person(*at(server), env={**env, **only(tmp_path / "bin", tool)}) as person:
            person.prompted()
            person.press("hello\r")
            person.prompted("x = 1")
            person.press("/copy\r")
            person.prompted("copied 28 characters", gone="by the terminal")
            assert holds("Grüße, 世界.\n\n```py\nx = 1\n```\n".encode(), tool, env)
            person.press("/copy code\r")
            person.prompted("copied 6 characters")
            person.press("more\r")
            person.sees("> more", "No")
            person.press("\x03")
            person.prompted("interrupted")
            assert holds(b"x = 1\n", tool, env)
            assert leave(person) == 0
        assert holds(b"x = 1\n", tool, env)
        assert b"\x1b]52" not in person.written


@pytest.mark.parametrize(
    ("tool", "copying"),
    [
        pytest.param(
            "xclip", ("xclip", "-selection", "clipboard", "-target", "image/png"), marks=needs("Xvfb", "xclip")
        ),
        pytest.param("wl-paste", ("wl-copy", "--type", "image/png"), marks=needs("sway", "wl-copy", "setpriv")),
    ],
)
def test_an_image_in_the_clipboard_goes_with_the_next_message(
    tool: str, copying: tuple[str, ...], server: Server, tmp_path: Path
) -> None:
    server.play(stream(chat_answer(["A dot."])))
    display = wayland_display() if tool == "wl-paste" else x_display()
    with display as env, Person(*at(server), env={**env, **only(tmp_path / "bin", tool)}) as person:
        person.prompted()
        person.press("/paste\r")
        person.prompted("there is no image in the clipboard")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(copying, input=PNG, env={**os.environ, **env}, check=True, timeout=10, **quiet)  # type: ignore[call-overload]
        person.press("/paste\r")
        person.prompted("with the next message: clipboard.png", "1 file")
        person.press("what is it?\r")
        person.prompted("A dot.")
        assert leave(person) == 0
    (_, content) = asked(server)[0][0]
    assert content[0]["image_url"]["url"] == f"data:image/png;base64,{base64.b64encode(PNG).decode()}"


def test_a_tool_that_fails_gives_way_to_the_terminal_and_one_that_is_missing_is_named(
    server: Server, tmp_path: Path
) -> None:
    server.play(stream(chat_answer(["Hello."])))
    path = only(tmp_path / "bin")
    (tmp_path / "bin" / "xclip").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin" / "xclip").chmod(0o755)
    with Person(*at(server), env={"DISPLAY": ":987", "TMUX": None, **path}) as person:
        person.prompted()
        person.press("hello\r")
        person.prompted("Hello.")
        person.press("/copy\r")
        person.prompted("copied 6 characters, by the terminal")
        (tmp_path / "bin" / "xclip").unlink()
        person.press("/paste\r")
        person.prompted("there is no clipboard to ask here", "wl-paste, xclip or pngpaste")
        assert leave(person) == 0
    assert b"\x1b]52;c;" + base64.b64encode(b"Hello.") in person.written


@needs_tmux
@pytest.mark.parametrize("over_ssh", [False, True])
def test_in_tmux_what_is_copied_is_in_its_buffer_and_goes_to_the_terminal_around_it(
    over_ssh: bool, server: Server, tmp_path: Path
) -> None:
    """As tmux is when nobody has set it up: an OSC 52 of a program's own would go no further than to it."""
    server.play(stream(chat_answer(["Hello from inside."])))
    chat = f"{sys.executable} -m streamchat chat --base-url {server.v1} --retries 0 -m vllm/m"
    left = "-u DISPLAY -u WAYLAND_DISPLAY " + ("SSH_CONNECTION=x" if over_ssh else "-u SSH_CONNECTION")
    with (
        Window(tmp_path / "tmux", 70, 20, f"env {left} {chat}") as window,
        Person(chat=False, size=(70, 20), command=(*window.call, "attach")) as around,
    ):
        window.prompted()
        window.type("hello", "Enter")
        window.prompted("Hello from inside.")
        around.sees(
            "Hello from inside."
        )  # before it is drawn there, the terminal around would make a new line of Enter
        around.press("/copy\r")  # tmux passes it on to the terminal that was used last
        window.prompted("copied 18 characters, by tmux")
        assert window.run("show-buffer") == "Hello from inside."
        around.program.wait_for(b"\x1b]52;;" + base64.b64encode(b"Hello from inside."))
