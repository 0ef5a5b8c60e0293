"""Keys by the real program: from a keyring, from a command, and what is said where one is missing or refused."""

import json
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.program import Program, Result, run
from tests.wire.scenario import document
from tests.wire.server import Server

SECRET = "sk-secret-0123456789"


@pytest.fixture(autouse=True)
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A keyring in a file."""
    path = tmp_path / "ring.json"
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.file_keyring.Keyring")
    monkeypatch.setenv("TEST_KEYRING", str(path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return path


def configured(text: str, tmp_path: Path) -> None:
    path = tmp_path / "home" / ".config" / "streamchat" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def asked(server: Server, *args: str) -> Result:
    return run("ask", "--retries", "0", "--base-url", f"{server.url}/v1", *args, "Hi")


def test_a_key_is_kept_found_named_and_taken_out_again(ring: Path) -> None:
    assert run("keys", "set", "openai", stdin=f"{SECRET}\n".encode()).status == 0
    assert json.loads(ring.read_text()) == {"streamchat/openai": SECRET}
    assert run("keys").out == "openai  keyring\n"
    shown = run("ask", "-m", "openai/x", "--dry-run", "Hi")
    assert json.loads(shown.out)["api_key"] == "Secret(***)"
    assert "its key is in the keyring" in run("ask", "--dry-run", "Hi").err, "a kept key makes a provider ready"
    assert run("keys", "rm", "openai").status == 0
    assert json.loads(ring.read_text()) == {}
    assert run("keys", "rm", "openai").status == 2
    assert run("keys", "list", "--json").out == "[]\n"


def test_a_key_is_typed_unseen_on_a_terminal(ring: Path) -> None:
    with Program("keys", "set", "openai", terminal=(80, 24)) as program:
        program.wait_for(b"it is not shown")
        program.press(f"{SECRET}\r".encode())
        done = program.end()
    assert done.status == 0
    assert SECRET.encode() not in done.screen
    assert json.loads(ring.read_text()) == {"streamchat/openai": SECRET}


@pytest.mark.parametrize("key", ["", "\n", "two words\n", "schlüssel\n"])
def test_what_is_no_key_is_not_kept(key: str, ring: Path) -> None:
    done = run("keys", "set", "openai", stdin=key.encode())
    assert done.status == 2
    assert not ring.exists()


def test_a_key_is_never_an_argument() -> None:
    done = run("keys", "set", "openai", SECRET)
    assert done.status == 2


def test_the_order_is_variable_env_file_command_keyring(ring: Path, tmp_path: Path) -> None:
    ring.write_text('{"streamchat/groq": "sk-from-the-keyring"}')
    run("keys", "set", "groq", stdin=b"sk-from-the-keyring\n")
    assert run("keys").out == "groq  keyring\n"
    configured('[providers.groq]\napi_key_cmd = "echo sk-from-the-command"', tmp_path)
    assert run("keys").out == "groq  api_key_cmd\n"
    own = tmp_path / "home" / ".config" / "streamchat" / ".env"
    own.write_text("GROQ_API_KEY=sk-from-the-file")
    assert run("keys").out == f"groq  GROQ_API_KEY ({own})\n"
    assert run("keys", env={"GROQ_API_KEY": "sk-from-the-environment"}).out == "groq  GROQ_API_KEY\n"


def test_the_command_is_run_once_without_a_shell_and_only_when_its_key_is_needed(
    server: Server, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    script = tmp_path / "a script"
    script.write_text(f'#!/bin/sh\necho "$@" >> {log}\nprintf "{SECRET}\\nsecond line\\n"\n')
    script.chmod(0o700)
    configured(
        f"""[providers.mine]\nkind = "openai"\nbase_url = "{server.url}/v1"\n"""
        f"""api_key_cmd = "'{script}' '$HOME; `id`' two"\n""",
        tmp_path,
    )
    run("keys"), run("config", "show"), run("models", "list", "echo"), run("ask", "-m", "echo", "Hi")
    assert not log.exists()
    tested = run("keys", "test", "mine")
    assert tested.status == 0, tested.err
    assert log.read_text() == "$HOME; `id` two\n"
    assert server.exchanges[-2].headers["authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize(
    ("command", "said"),
    [("false", "ended with 1"), ("true", "printed nothing"), ("/no/such/program", "does not start")],
)
def test_a_command_that_fails_is_an_authentication_error(command: str, said: str, tmp_path: Path) -> None:
    configured(f'[providers.groq]\napi_key_cmd = "{command}"', tmp_path)
    done = run("ask", "-m", "groq/x", "Hi")
    assert done.status == 3
    assert f"api_key_cmd of groq {said}" in done.err


def test_a_directory_cannot_bring_a_command(tmp_path: Path) -> None:
    Path(".streamchat.toml").write_text(
        f'model = "groq/x"\n[providers.groq]\napi_key_cmd = "touch {tmp_path / "owned"}"'
    )
    done = run("ask", "Hi")
    assert done.status == 3
    assert not (tmp_path / "owned").exists()


def test_a_key_of_the_directory_does_not_come_before_one_in_the_keyring(tmp_path: Path) -> None:
    run("keys", "set", "groq", stdin=f"{SECRET}\n".encode())
    Path(".env").write_text("GROQ_API_KEY=sk-of-a-stranger")
    shown = run("ask", "-m", "groq/x", "--dry-run", "Hi")
    assert "GROQ_API_KEY" not in shown.err


def test_an_entry_of_another_program_can_be_named(ring: Path, server: Server, tmp_path: Path) -> None:
    ring.write_text(json.dumps({"work llm/me@x": SECRET}))
    configured(
        f'[providers.mine]\nkind = "openai"\nbase_url = "{server.url}/v1"\napi_key_keyring = "work llm/me@x"', tmp_path
    )
    assert run("keys", "test", "mine").status == 0
    assert server.exchanges[0].headers["authorization"] == f"Bearer {SECRET}"


def test_a_missing_key_says_where_it_was_looked_for() -> None:
    done = run("ask", "-m", "groq/x", "Hi")
    assert done.status == 3
    assert "no API key for groq; looked for in GROQ_API_KEY (environment), keyring" in done.err
    assert "streamchat keys set groq" in done.err


def test_a_refused_key_says_where_it_is_from(server: Server) -> None:
    refusal = {"error": {"message": f"Incorrect API key provided: {SECRET}", "type": "invalid_request_error"}}
    server.play(document(refusal, status=401))
    run("keys", "set", "groq", stdin=f"{SECRET}\n".encode())
    done = asked(server, "-m", "groq/x")
    assert done.status == 3
    assert "The key is from keyring; looked for before in GROQ_API_KEY (environment)" in done.err
    assert SECRET not in done.err + done.out


def test_a_test_of_a_key_says_when_it_proves_nothing(server: Server, tmp_path: Path) -> None:
    table = f'[providers.mine]\nkind = "openai"\nbase_url = "{server.url}/v1"\napi_key_env = "MINE_KEY"'
    configured(table, tmp_path)
    done = run("keys", "test", "mine", env={"MINE_KEY": SECRET})
    assert done.status == 0
    assert "this says nothing about it" in done.out


def test_no_keyring_and_no_library_are_said_in_a_line() -> None:
    done = run(
        "keys", "set", "openai", stdin=b"sk-abcdef\n", env={"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    )
    assert done.status == 3
    assert "there is no keyring on this system" in done.err
    code = "import sys; sys.modules['keyring'] = None; from streamchat.__main__ import main; main()"
    bare = run("-c", code, "keys", "set", "openai", stdin=b"sk-abcdef\n", command=(sys.executable,))
    assert bare.status == 2
    assert "pip install keyring" in bare.err
