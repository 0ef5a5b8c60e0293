"""A client that somebody else wrote, as a program: `llm` (pip install llm) asks through this server."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.web.providing import Served
from tests.web.serving import TOKEN
from tests.wire.answers import CHAT, MESSAGES
from tests.wire.chat import chat_answer, chat_chunk
from tests.wire.scenario import document, stream
from tests.wire.server import DEADLINE

LLM = shutil.which("llm")
pytestmark = pytest.mark.skipif(LLM is None, reason="the program llm is not installed: pip install llm")
ENTRY = """
- model_id: {name}
  model_name: {model}
  api_base: {base}
  api_key_name: streamchat
  supports_tools: true
"""
TOOL = "def double(number: int) -> int:\n    'Twice the number.'\n    return 2 * number\n"


@pytest.fixture
def home(public: Served, tmp_path: Path) -> Path:
    models = {"chat": "chat/m", "claude": "messages/m", "played": "replay/reasoning"}
    entries = "".join(ENTRY.format(name=name, model=model, base=public.v1) for name, model in models.items())
    (tmp_path / "extra-openai-models.yaml").write_text(entries)
    (tmp_path / "keys.json").write_text(json.dumps({"streamchat": TOKEN}))
    return tmp_path


def llm(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert LLM is not None
    environ = {**os.environ, "LLM_USER_PATH": str(home)}
    command = [LLM, *arguments]
    return subprocess.run(
        command, env=environ, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=3 * DEADLINE
    )


def test_it_reaches_providers_of_every_kind(public: Served, home: Path) -> None:
    public.wire.play(stream(MESSAGES.answer(["wörld ", "🙂"])))
    translated = llm(home, "-m", "claude", "-s", "be brief", "hello")
    assert (translated.stdout, translated.returncode) == ("wörld 🙂\n", 0), translated.stderr
    assert public.wire.exchanges[-1].json["system"] == "be brief"

    played = llm(home, "-m", "played", "--no-stream", "which is larger")
    assert played.stdout.startswith("**9.9 is larger.**"), played.stderr


def test_its_tools_work_through_the_server(public: Served, home: Path) -> None:
    call = {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": "double", "arguments": '{"number": 21}'},
    }
    asking = [
        chat_chunk({"role": "assistant", "tool_calls": [call]}),
        chat_chunk({}, "tool_calls"),
        b"data: [DONE]\n\n",
    ]
    public.wire.play(stream(asking), stream(chat_answer(["It is 42."])))
    done = llm(home, "-m", "chat", "--functions", TOOL, "what is twice 21")

    assert (done.stdout, done.returncode) == ("It is 42.\n", 0), done.stderr
    assert public.wire.exchanges[-1].json["messages"][-1]["content"] == "42"


def test_its_user_reads_why_it_failed(public: Served, home: Path) -> None:
    public.wire.play(document(CHAT.error_body("This is too much.", "invalid_request_error"), status=400))
    done = llm(home, "-m", "chat", "hello")

    assert done.returncode == 1 and "This is too much." in done.stderr
