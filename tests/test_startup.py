"""What must not be loaded, and what must not be done for each token: guards that measure no time."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.program import Program, run
from tests.wire.answers import chat_answer, messages_answer
from tests.wire.scenario import stream
from tests.wire.server import Server

SHOWING = {"rich", "markdown_it", "pygments"}
TYPING = {"prompt_toolkit"}
SDKS = {"openai", "anthropic"}
NEVER = {
    "fastapi",
    "flask",
    "uvicorn",
    "keyring",
    "sqlite3",
    "platformdirs",
    "tomlkit",
    "genai_prices",
    "aiohttp",
    "typer",
}
"""What only some command needs, and no question."""

TOLD = """
import os, sys
from streamchat.cli import exits
def leave(code):
    sys.stdout.flush()
    os.write(2, f"loaded {' '.join(sys.modules)}\\n".encode())
    os._exit(code)
exits.leave = leave
sys.argv[0] = "streamchat"
from streamchat.__main__ import main
main()
"""
"""The program, which says at its end what was loaded."""


def loaded(*words: str, **how: Any) -> set[str]:
    said = run("-c", TOLD, *words, command=(sys.executable,), **how)
    text = said.err + said.screen.decode()
    assert "loaded " in text, said
    return set(text.rpartition("loaded ")[2].split())


def asked(url: str) -> dict[str, list[str]]:
    return {
        "openai": ["ask", "-m", "vllm/m", "--base-url", f"{url}/v1", "x"],
        "anthropic": ["ask", "-m", "anthropic/m", "--base-url", url, "x"],
    }


@pytest.mark.parametrize(("sdk", "answer"), [("openai", chat_answer), ("anthropic", messages_answer)])
def test_a_question_into_a_pipe_loads_one_sdk_and_nothing_that_shows(server: Server, sdk: str, answer: Any) -> None:
    server.play(stream(answer(["Spring."])))

    modules = loaded(*asked(server.url)[sdk], env={"ANTHROPIC_API_KEY": "k"})

    assert sdk in modules
    assert not modules & (SHOWING | TYPING | NEVER | SDKS - {sdk} | {"asyncio.events"})


@pytest.mark.parametrize(
    ("sdk", "answer", "most"),
    [("openai", chat_answer, 180), ("anthropic", messages_answer, 1100)],
)
def test_of_the_sdk_only_what_a_question_needs_is_loaded(server: Server, sdk: str, answer: Any, most: int) -> None:
    server.play(stream(answer(["Spring."])))

    modules = loaded(*asked(server.url)[sdk], env={"ANTHROPIC_API_KEY": "k"})

    assert len([name for name in modules if name.startswith(f"{sdk}.")]) <= most  # plainly: about 1,000 and 2,500


def test_a_question_on_a_terminal_loads_no_line_editor(server: Server) -> None:
    server.play(stream(chat_answer(["Spring."])))

    modules = loaded(*asked(server.url)["openai"], terminal=(80, 24))

    assert modules & SHOWING
    assert not modules & (TYPING | NEVER | {"anthropic"})


def test_the_first_word_on_a_terminal_does_not_wait_for_rich(server: Server, tmp_path: Path) -> None:
    """Rich cannot be imported before the word is seen: the import waits for a fifo that is opened then."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    held = (
        "import sys\n"
        "class Held:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name.partition('.')[0] in ('rich', 'markdown_it', 'pygments'):\n"
        "            sys.meta_path.remove(self)\n"
        f"            open({str(gate)!r}).close()\n"
        "sys.meta_path.insert(0, Held())\n" + TOLD
    )
    server.play(stream(chat_answer(["Spring", " tides."])))

    with Program("-c", held, *asked(server.url)["openai"], command=(sys.executable,), terminal=(80, 24)) as program:
        program.wait_for(b"Spring tides.")
        os.close(os.open(gate, os.O_WRONLY))
        said = program.end()

    assert said.status == 0 and set(said.screen.decode().rpartition("loaded ")[2].split()) >= SHOWING


@pytest.mark.parametrize("model", ["echo/echo", "replay/showcase"])
def test_a_model_without_a_server_loads_no_sdk(model: str) -> None:
    modules = loaded("ask", "-m", model, "--speed", "0", "x")

    assert not modules & (SDKS | {"httpx2"} | SHOWING | TYPING | NEVER)


def test_version_loads_nothing() -> None:
    code = (
        "import os, sys\nfrom streamchat.__main__ import main\nos._exit = print\n"
        "sys.argv[1:] = ['--version']\nbefore = set(sys.modules)\nmain()\n"
    )
    said = run("-c", f"{code}print(sorted(set(sys.modules) - before))", command=(sys.executable,))
    plain = run("-c", "import sys; print(sorted(sys.modules))", command=(sys.executable,))
    ours = run("-c", "import sys, streamchat.__main__; print(sorted(sys.modules))", command=(sys.executable,))

    assert said.out.splitlines()[-1] == "[]"
    new = {word.strip("[]',") for word in ours.out.split()} - {word.strip("[]',") for word in plain.out.split()}
    assert new <= {"streamchat", "streamchat.__main__"}


@pytest.mark.parametrize("words", [(), ("chat",), ("chat", "-m", "vllm/m")])
def test_a_chat_shows_its_prompt_before_anything_heavy_is_loaded(words: tuple[str, ...]) -> None:
    """By the whole way to it, from the words on."""
    code = (
        "import os, sys\nfrom streamchat.repl.early import Early\npaint = Early._paint\n"
        "def painted(self):\n    paint(self)\n    sys.stdout.write(f\"loaded {' '.join(sys.modules)}\\n\")\n"
        "    sys.stdout.flush()\n    os._exit(0)\n"
        "Early._paint = painted\nsys.argv[0] = 'streamchat'\nfrom streamchat.__main__ import main\nmain()\n"
    )
    said = run("-c", code, *words, command=(sys.executable,), terminal=(80, 24)).screen.decode()

    assert "\n> loaded " in said.replace("\r", "")
    modules = set(said.rpartition("loaded ")[2].split())
    assert "streamchat.repl.early" in modules
    heavy = SHOWING | TYPING | SDKS | NEVER | {"msgspec", "pydantic", "httpx2", "asyncio", "inspect", "json", "tomllib"}
    assert not modules & heavy
    assert not [name for name in modules if name.startswith(("streamchat.config", "streamchat.history"))]


def test_the_prompt_does_not_wait_for_an_sdk(server: Server) -> None:
    """Whatever the SDK needs is imported by another thread than the one that reads the keys."""
    code = (
        "import sys, threading\n"
        "class Watch:\n"
        "    names = []\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if threading.current_thread() is threading.main_thread():\n"
        "            self.names.append(name)\n"
        "sys.meta_path.insert(0, Watch())\n" + TOLD.replace("sys.modules", "Watch.names")
    )
    words = ("-c", code, "chat", "-m", "vllm/m", "--base-url", server.v1)
    with Program(*words, command=(sys.executable,), terminal=(80, 24)) as program:
        program.wait_for(b"\n> ")
        program.press(b"\x04")
        said = program.end()
    names = set(said.screen.decode().rpartition("loaded ")[2].split())

    assert "prompt_toolkit" in names
    assert not names & (NEVER - {"sqlite3"} | SDKS | {"httpx2", "httpcore2"})


WORK = """
import json, sys
from collections import Counter
import streamchat
from streamchat.firstuse import PACKAGES, defer
from streamchat.views.plain import PlainView
defer(*PACKAGES)
vendor, url = sys.argv[1:]
answer = streamchat.stream("x", model=vendor, base_url=url)
files, calls = Counter(), 0
def watch(frame, event, arg):
    global calls
    if event == "call":
        calls += 1
        files[frame.f_code.co_filename] += 1
    elif event == "c_call":
        calls += 1
        owner = getattr(arg, "__self__", None)
        files[str(getattr(arg, "__module__", None) or type(owner).__module__)] += 1
class Out:
    written = flushed = 0
    def write(self, data): Out.written += 1
    def flush(self): Out.flushed += 1
def watched(events):
    yield next(events)
    sys.setprofile(watch)
    yield from events
    sys.setprofile(None)
PlainView(Out()).show(watched(answer.events()), answer.reply)
sys.setprofile(None)
print(json.dumps([calls, Out.written, Out.flushed, files]))
"""
VENDORS = [
    pytest.param("vllm/m", "/v1", chat_answer, id="chat"),
    pytest.param("anthropic/m", "", messages_answer, id="messages"),
]


def work(server: Server, vendor: str, path: str, packets: list[bytes]) -> tuple[int, int, int, dict[str, int]]:
    """Calls, writes and flushes behind the first event, and the calls by where what was called is."""
    begins = 1 + next(place for place, packet in enumerate(packets) if b" tide" in packet)
    server.play(stream([b"".join(packets[:begins]), b"".join(packets[begins:])]))
    done = subprocess.run(
        [sys.executable, "-c", WORK, vendor, server.url + path], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return tuple(json.loads(done.stdout))  # type: ignore[return-value]


@pytest.mark.parametrize(("vendor", "path", "answer"), VENDORS)
def test_a_token_late_in_an_answer_is_no_more_work_than_an_early_one(
    server: Server, monkeypatch: pytest.MonkeyPatch, vendor: str, path: str, answer: Any
) -> None:
    """Counted in calls: were the answer so far looked at again for each token, the second slope would be four times
    the first. Nothing of it is the SDK's or its models': they only hand over the bytes."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    counts = {many: work(server, vendor, path, answer([" tide"] * many)) for many in (200, 800, 3200)}

    calls = {many: figures[0] for many, figures in counts.items()}
    assert (calls[3200] - calls[800]) / 2400 <= 1.2 * (calls[800] - calls[200]) / 600 <= 60
    for many, (_, written, flushed, files) in counts.items():
        assert written == flushed == many + 1  # each delta at once, and the newline at the end
        decoded = sum(count for name, count in files.items() if "json" in name.lower())
        assert many <= decoded <= many + 20, files
        models = [name for name in files if "pydantic" in name or "_models.py" in name or "/types/" in name]
        assert [name for name in models if "httpx2" not in name] == []
        assert (
            sum(count for name, count in files.items() if "/openai/" in name or "/anthropic/" in name) < 40 + many / 50
        )
