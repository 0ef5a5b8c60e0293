"""`streamchat models` by the real program: what is asked of whom, what is kept, what is shown."""

import json
import os
import sys
import time
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from streamchat.catalogue import described
from tests.program import Program, run
from tests.wire.payload import ANTHROPIC_MODEL, OPENAI_MODEL
from tests.wire.scenario import Scenario, Stall, Wait, document
from tests.wire.server import Server

PRICED = {
    "id": "maker/model",
    "context_length": 131072,
    "pricing": {"prompt": "0.0000025", "completion": "0.00001"},
    "architecture": {"input_modalities": ["text", "image"]},
    "supported_parameters": ["reasoning", "temperature"],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "home" / ".config" / "streamchat" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


def far(server: Server) -> str:
    """The server under a name that is not taken for this machine's own."""
    return f"http://127.1:{server.port}"


def cache(tmp_path: Path) -> Path:
    return tmp_path / "home" / ".cache" / "streamchat" / "models.json"


def test_each_vendor_is_asked_in_its_own_way_and_its_list_is_kept(server: Server, file: Path, tmp_path: Path) -> None:
    file.write_text(
        f'[providers.a]\nkind = "anthropic"\nbase_url = "{far(server)}"\n'
        f'[providers.o]\nkind = "openai"\nbase_url = "{far(server)}/v1"\n'
    )
    first = run("models", "list", "-q")
    assert first.status == 0, first.err
    assert {f"a/{ANTHROPIC_MODEL}", f"o/{OPENAI_MODEL}", "echo/echo"} <= set(first.out.splitlines())
    assert len(server.exchanges) == 2
    assert run("models", "list", "-q").out == first.out
    assert len(server.exchanges) == 2, "the kept lists were taken"
    run("models", "list", "-q", "--refresh", "o")
    assert len(server.exchanges) == 3
    assert cache(tmp_path).stat().st_mode & 0o777 == 0o600


def test_a_kept_list_is_shown_with_its_age_when_there_is_no_newer_one(
    server: Server, file: Path, tmp_path: Path
) -> None:
    file.write_text(f'[providers.o]\nkind = "openai"\nbase_url = "{far(server)}/v1"\n')
    run("models", "list", "o")
    kept = json.loads(cache(tmp_path).read_text())
    kept["o"]["asked"] = time.time() - 3 * 86400
    cache(tmp_path).write_text(json.dumps(kept))
    server.close()
    done = run("models", "list", "o")
    assert done.status == 0
    assert OPENAI_MODEL in done.out
    assert "refused the connection; the list of 3 d ago is shown" in done.err
    cache(tmp_path).write_text("{damaged")
    assert run("models", "list", "o").status == 5


def test_a_list_of_another_address_is_not_taken(server: Server, other_server: Server, file: Path) -> None:
    for one in (server, other_server):
        file.write_text(f'[providers.o]\nkind = "openai"\nbase_url = "{far(one)}/v1"\n')
        run("models", "list", "o")
    assert len(other_server.exchanges) == 1


def test_a_refusal_of_one_named_provider_is_the_error_and_of_one_among_all_a_notice(server: Server, file: Path) -> None:
    server.routes["/v1/models"] = document({"error": {"message": "no such key", "type": "auth"}}, status=401)
    file.write_text(f'[providers.o]\nkind = "openai"\nbase_url = "{far(server)}/v1"\napi_key_env = "O_KEY"\n')
    alone = run("models", "list", "o", env={"O_KEY": "sk-0123456789"})
    assert (alone.status, alone.out) == (3, "")
    assert "The key is from O_KEY" in alone.err
    among = run("models", env={"O_KEY": "sk-0123456789"})
    assert among.status == 0
    assert "o: o refused the request: no such key" in among.err
    assert "echo/echo" in among.out


PATIENT = """
import sys
from streamchat import catalogue
from streamchat.__main__ import main
catalogue.LOCAL_BUDGET = 60.0
sys.argv[0] = "streamchat"
main()
"""
"""The program, with more time for the servers on this machine than any of them needs here."""


def near(*servers: Server) -> str:
    """A configuration with these as p0, p1 and so on."""
    return "".join(
        f'[providers.p{number}]\nkind = "openai"\nbase_url = "http://localhost:{one.port}/v1"\n'
        for number, one in enumerate(servers)
    )


def test_servers_on_this_machine_are_asked_at_once(server: Server, other_server: Server, file: Path) -> None:
    gate = Event()
    other_server.routes["/v1/models"] = Scenario(steps=(Wait(gate),))
    file.write_text(near(server, *[other_server] * 8))
    with Program("-c", PATIENT, "models", "list", "-q", command=(sys.executable,)) as program:
        other_server.exchange(7)
        gate.set()
        done = program.end()
    assert f"p0/{OPENAI_MODEL}" in done.out.splitlines()
    assert "p1/" not in done.out


def test_a_server_on_this_machine_that_stalls_is_soon_left(server: Server, file: Path) -> None:
    server.routes["/v1/models"] = Scenario(steps=(Stall(),))
    file.write_text(near(server))
    done = run("models", "list", "-q")
    assert "echo/echo" in done.out.splitlines() and "p0/" not in done.out


def test_what_is_known_stands_beside_the_name(server: Server, file: Path) -> None:
    server.routes["/v1/models"] = document({"object": "list", "data": [PRICED]})
    file.write_text(f'[providers.o]\nkind = "openai"\nbase_url = "{far(server)}/v1"\n')
    assert run("models", "list", "o").out == "o/maker/model    131k  $2.5 / $10       images, thinking\n"
    shown = json.loads(run("models", "list", "o", "--json").out)
    assert shown[0]["models"] == [{
        "id": "maker/model", "context": 131072, "input_price": 2.5, "output_price": 10.0,
        "abilities": ["images", "thinking"],
    }]  # fmt: skip


def test_the_price_table_fills_in_what_a_list_does_not_say(server: Server, file: Path) -> None:
    server.routes["/v1/models"] = document({"object": "list", "data": [{"id": "gpt-5-mini"}, {"id": "no-such"}]})
    done = run("models", "list", "openai", env={"OPENAI_BASE_URL": f"{far(server)}/v1", "OPENAI_API_KEY": "sk-1234567"})
    known, unknown = done.out.splitlines()
    assert known.split()[:3] == ["openai/gpt-5-mini", "400k", "$0.25"]
    assert unknown == "openai/no-such"


@pytest.mark.parametrize(
    ("entry", "context"),
    [
        ({"id": "a", "max_model_len": 4096}, 4096),
        ({"id": "a", "meta": {"n_ctx_train": 8192}}, 8192),
        ({"id": "a", "max_input_tokens": 200000, "capabilities": {"image_input": {"supported": True}}}, 200000),
        ({"id": "a", "context_length": "many", "pricing": [], "capabilities": 3, "architecture": "x"}, None),
    ],
)
def test_the_words_of_every_vendor_are_understood(entry: dict[str, Any], context: int | None) -> None:
    model = described(entry)
    assert model is not None
    assert model.context == context
    assert ("images" in model.abilities) == ("capabilities" in entry and context is not None)


def test_names_from_a_server_cannot_steer_the_terminal(server: Server, file: Path) -> None:
    server.routes["/v1/models"] = document({"data": [{"id": "a\x1b]0;owned\x07b"}]})
    file.write_text(f'[providers.o]\nkind = "openai"\nbase_url = "http://localhost:{server.port}/v1"\n')
    for args in (["o"], ["o", "-q"], ["o", "--json"]):
        assert "\x1b" not in run("models", "list", *args).out


def test_the_default_is_set_shown_and_refused_when_it_is_nobodys(file: Path) -> None:
    file.write_text("# mine\n")
    assert run("models", "default", "anthropic/claude-x").status == 0
    assert run("models", "default").out == "anthropic/claude-x\n"
    assert file.read_text() == '# mine\n\n[defaults]\nmodel = "anthropic/claude-x"\n'
    assert run("models", "default", "claude-x").status == 2
    stronger = run("models", "default", "echo", env={"STREAMCHAT_MODEL": "groq/x"})
    assert "STREAMCHAT_MODEL is stronger and says groq/x" in stronger.err


def test_aliases_are_set_used_listed_and_taken_out(file: Path) -> None:
    assert run("models", "alias", "say", "echo/echo").status == 0
    assert run("models", "alias").out == "say  echo/echo\n"
    assert json.loads(run("ask", "-m", "say", "-q", "Hi").out)["messages"][0]["content"] == "Hi"
    assert run("models", "alias", "again", "say").status == 0, "an alias of an alias is one of its model"
    assert run("models", "alias", "again").out == "echo/echo\n"
    assert run("models", "alias", "openai", "echo/echo").status == 2
    assert run("models", "alias", "other", "opnai/x").status == 2
    assert run("models", "alias", "--rm", "say").status == 0
    assert run("models", "alias", "say").status == 2
    assert os.access(file, os.R_OK)
