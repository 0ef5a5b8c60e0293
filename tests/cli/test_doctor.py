"""`streamchat doctor` by the real program: what it finds, what it leaves alone, what it never says."""

import json
import socket
from pathlib import Path

import pytest

from tests.program import run
from tests.wire.payload import OPENAI_MODEL
from tests.wire.server import Server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "home" / ".config" / "streamchat" / "config.toml"
    path.parent.mkdir(parents=True, mode=0o700)
    path.touch(0o600)
    return path


def test_a_clean_home_needs_nobody() -> None:
    done = run("doctor")
    assert (done.status, done.err) == (0, "")
    assert done.out.endswith("\nnothing needs you\n")
    about = {line.split()[0] for line in done.out.splitlines() if line and not line.startswith(" ")}
    assert about >= {"program", "terminal", "config", "data", "state", "cache", "store", "keys", "TLS", "local"}
    assert not list(Path.home().rglob("*.toml")), "it makes nothing"


def test_it_says_what_is_wrong_where_and_what_to_do(file: Path, tmp_path: Path) -> None:
    file.write_text("[defaults]\nmodle = 1\n")
    file.chmod(0o644)
    done = run("doctor", env={"SSL_CERT_FILE": str(tmp_path / "none.pem"), "STREAMCHAT_IDLE_TIMEOUT": "soon"})
    assert done.status == 2
    assert f"bad   {file}:2:1: [defaults] has no setting `modle`; did you mean `model`?" in done.out
    assert "STREAMCHAT_IDLE_TIMEOUT: expected a number" in done.out
    assert f"chmod 600 '{file}'" in done.out
    assert "none.pem is not there" in done.out
    assert done.out.endswith("\n3 need you\n")


@pytest.mark.parametrize(
    ("theme", "advice"), [("monokia", "did you mean monokai"), ("nothing-like-it", "there are abap"), ("ansi_dark", "")]
)
def test_a_style_of_code_that_there_is_not_is_bad(theme: str, advice: str, file: Path) -> None:
    file.write_text(f'[ui]\ncode_theme = "{theme}"\n')
    done = run("doctor")

    assert (done.status, f"there is no style `{theme}`" in done.out) == ((2, True) if advice else (0, False))
    assert advice in done.out


@pytest.mark.parametrize(("file", "wrong"), [(".local", 2), (".cache/streamchat", 1)])
def test_a_file_where_a_directory_should_be_is_bad(file: str, wrong: int, tmp_path: Path) -> None:
    place = tmp_path / "home" / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.touch()
    done = run("doctor", env=dict.fromkeys(("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")))

    assert done.status == 2
    assert done.out.count(f"{place} is no directory") == wrong


@pytest.mark.parametrize("text", ["[ui", "\x00", '[providers.x]\nkind = "nothing"'])
def test_a_file_that_cannot_be_read_does_not_stop_it(text: str, file: Path) -> None:
    file.write_text(text)
    done = run("doctor", "--json")
    assert done.status == 2
    found = json.loads(done.out)
    assert [finding["about"] for finding in found if finding["state"] == "bad"] == ["config"]
    assert found[-1]["about"] == "local"


def test_no_secret_is_in_it_wherever_somebody_put_it(file: Path) -> None:
    (file.parent / ".env").write_text("GROQ_API_KEY=hush-hush-1\nHTTP_PROXY=http://u:hush-hush-2@p:1\n")
    Path(".env").write_text("XAI_API_KEY=hush-hush-3\n")
    file.write_text(
        '[defaults]\nproxy = "http://u:hush-hush-4@proxy:1"\n[providers.mine]\nkind = "openai"\n'
        'base_url = "https://hush-hush-5@h/v1?token=hush-hush-6"\nheaders = {X = "hush-hush-7"}\n'
        'api_key_cmd = "echo hush-hush-8"\n'
    )
    env = {
        "OPENAI_API_KEY": "hush-hush-9",
        "ANTHROPIC_API_KEY": "sk-a",
        "TERM_PROGRAM": "hush-hush-9",
        "NO_PROXY": "a,b",
    }
    for args in ([], ["--json"]):
        done = run("doctor", *args, env={**env, "HTTPS_PROXY": "http://u:hush-hush-0@p:1"})
        assert "hush" not in done.out + done.err
        assert all(word in done.out for word in ("OPENAI_API_KEY", "GROQ_API_KEY", "api_key_cmd", "http://proxy:1"))
        assert "NO_PROXY: a,b" in done.out


def test_the_network_is_asked_only_online_and_within_a_budget(server: Server, file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        file.write_text(
            f'[providers.good]\nkind = "openai"\nbase_url = "http://127.1:{server.port}/v1"\n'
            f'[providers.gone]\nkind = "openai"\nbase_url = "http://127.1:1/v1"\n'
            f'[providers.near]\nkind = "openai"\nbase_url = "http://localhost:{mute.getsockname()[1]}/v1"\n'
        )
        assert run("doctor").status == 0
        assert server.exchanges == []
        done = run("doctor", "--online")
    assert done.status == 2
    assert "ok    good: 2 models" in done.out
    assert "bad   gone: 127.1:1 refused the connection" in done.out
    assert OPENAI_MODEL not in done.out


def test_a_key_on_an_open_line_is_noted(file: Path) -> None:
    file.write_text(
        '[providers.far]\nkind = "openai"\nbase_url = "http://llm.example.com/v1"\napi_key_env = "FAR_KEY"\n'
    )
    done = run("doctor", env={"FAR_KEY": "k" * 20})
    assert "note  far: http://llm.example.com/v1" in done.out
    assert "use https://" in done.out
    assert "kkkk" not in done.out


def test_on_a_terminal_it_says_size_and_background() -> None:
    done = run("doctor", terminal=(100, 30), env={"COLORFGBG": "0;15"})
    assert b"100 columns, 30 lines, light background" in done.screen
