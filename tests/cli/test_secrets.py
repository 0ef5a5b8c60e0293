"""A key is seen by the provider that it is for, and by nobody and nothing else: not on a screen, not in a file."""

import os
from pathlib import Path

import pytest

from tests.program import run
from tests.wire.answers import FORMATS, MESSAGES, RESPONSES, Format, chat_answer
from tests.wire.scenario import document, stream
from tests.wire.server import Server

KEY = "sk-very-secret-0123456789abcdef"
PASSWORD = "pass-of-the-proxy-42"
LOUD = {"OPENAI_LOG": "debug", "ANTHROPIC_LOG": "debug", "STREAMCHAT_DEBUG": "1"}

COMMANDS = (
    ("ask", "hello", "--record", "wire.jsonl", "--save", "all.md", "-o", "answer.md", "-u"),
    ("ask", "hello", "-m", "wire/gone"),
    ("models", "list", "--refresh"),
)
"""What asks the provider, with all that it writes."""
AROUND = (
    ("ask", "hello", "--format", "jsonl"),
    ("ask", "hello", "--dry-run"),
    ("doctor",),
    ("config", "show", "--origin"),
    ("config", "check"),
    ("keys", "list"),
    ("history", "export", "@-1", "-o", "all.html"),
    ("history", "show", "@-1"),
    ("-m", "replay/wire.jsonl", "again"),
)


def configured(form: Format, server: Server) -> None:
    place = Path(os.environ["XDG_CONFIG_HOME"], "streamchat")
    place.mkdir(parents=True)
    url = server.url if form is MESSAGES else server.v1
    (place / "config.toml").write_text(
        f"[defaults]\nprovider = 'wire'\nretries = 0\n[providers.wire]\nmodel = 'm'\nbase_url = {url!r}\n"
        f"kind = {'anthropic' if form is MESSAGES else 'openai'!r}\napi_key_env = 'WIRE_KEY'\n"
        f"api = {'responses' if form is RESPONSES else 'chat'!r}\n"
    )


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_no_command_shows_or_keeps_it_however_much_is_logged(server: Server, form: Format) -> None:
    configured(form, server)
    quoting = document(f'{{"error": {{"message": "Incorrect API key: {KEY}", "type": "x"}}}}'.encode(), status=401)
    answer = stream(form.answer(["Your key is ", "not known to me."]))
    server.play(answer, quoting, answer)
    for command in (*COMMANDS, *(AROUND if form is FORMATS[0] else ())):
        done = run(*command, env={"WIRE_KEY": KEY, **LOUD})
        assert KEY not in done.out + done.err, command
        assert "Traceback" not in done.err, command
        assert done.status != 2, (command, done.err)

    assert any(KEY in str(exchange.headers) for exchange in server.exchanges)
    for file in Path(os.environ["HOME"]).parent.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file


def test_the_password_of_a_proxy_is_not_shown_and_the_key_goes_through_it_to_nobody_else(
    server: Server, other_server: Server
) -> None:
    proxy = f"http://someone:{PASSWORD}@127.0.0.1:{other_server.port}"
    server.play(stream(chat_answer(["fine"])))
    configured(FORMATS[0], server)
    for command in (("doctor",), ("ask", "hello"), ("config", "show", "--origin")):
        done = run(*command, env={"WIRE_KEY": KEY, "HTTPS_PROXY": proxy, "ALL_PROXY": proxy, **LOUD}, timeout=30)
        assert PASSWORD not in done.out + done.err, command
        assert KEY not in done.out + done.err, command
