"""Where a provider is does not leave the process, whatever happens to it, in whatever format and framework."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from streamchat.config import load
from streamchat.web.app import App
from streamchat.web.flask import blueprint
from streamchat.web.guard import LOOPBACK, Guard
from streamchat.web.limits import Limits
from streamchat.web.unplaced import Unplaced
from tests.engines import free_port
from tests.program import run
from tests.web import sites
from tests.web.site import Site
from tests.web.wsgi import TOKEN
from tests.wire.answers import CHAT, openai_error_body
from tests.wire.case import begun
from tests.wire.scenario import Reset, document, redirect, stream
from tests.wire.server import Server

SAID = [{"role": "user", "content": "Hi"}]
LIMITS = Limits(per_minute=0, concurrent_per_user=64)


def config(home: Path, server: Server) -> str:
    dead = free_port()
    return "".join(
        f'[providers.{name}]\nkind = "{kind}"\nbase_url = "http://127.0.0.1:{port}/secret/v1"\nretries = {retries}\n'
        for name, kind, port, retries in (
            ("dead", "openai", dead, 0),
            ("gone", "anthropic", dead, 0),
            ("again", "openai", server.port, 1),
            ("refusing", "openai", server.port, 0),
        )
    )


@contextmanager
def fastapi(home: Path, server: Server) -> Iterator[Any]:
    with Site(config=config(home, server), limits=LIMITS, home=home) as site:
        yield site


@contextmanager
def flask(home: Path, server: Server) -> Iterator[Any]:
    path = home / "serve.toml"
    path.write_text(config(home, server))
    guard = Guard(TOKEN, hosts=frozenset(LOOPBACK), any_port=True)
    app = Flask("own")
    app.register_blueprint(blueprint(App(load(config=path, nearby=False), guard=guard, limits=LIMITS)))
    with sites.werkzeug(app) as site:
        yield site


def asks(model: str) -> Iterator[tuple[str, Any]]:
    """The same question at every door."""
    yield "/api/chat", {"model": model, "input": "Hi"}
    yield "/api/chat", {"model": model, "messages": SAID, "view": "page"}
    yield "/stream", {"message": "Hi", "model": model}
    for streamed in (True, False):
        yield "/v1/chat/completions", {"model": model, "messages": SAID, "stream": streamed}
        yield "/v1/messages", {"model": model, "messages": SAID, "max_tokens": 9, "stream": streamed}
    yield "/v1/messages/count_tokens", {"model": model, "messages": SAID}


@pytest.mark.parametrize("served", [fastapi, flask])
def test_no_answer_says_where_a_provider_is(tmp_path: Path, server: Server, served: Callable[..., Any]) -> None:
    refusals = (
        document(openai_error_body(f"ask http://{server.host}/secret/v1, not {server.host}", "x"), status=401),
        redirect("http://inner.example:9000/v1"),
        stream(begun(CHAT), Reset()),
    )
    heard: list[bytes] = []
    with ExitStack() as stack:
        site = stack.enter_context(served(tmp_path, server))
        for model in ("dead/m", "gone/m"):
            heard += [site.ask("POST", path, body).body for path, body in asks(model)]
        later = document(openai_error_body(f"later at {server.host}", "x"), status=503, headers={"retry-after": "1.1"})
        server.play(later, later)
        heard.append(site.ask("POST", "/api/chat", {"model": "again/m", "input": "Hi"}).body)
        for refusal in refusals:
            for path, body in asks("refusing/m"):
                server.forget()
                server.play(refusal)
                heard.append(site.ask("POST", path, body).body)
        run("ask", "Hi", env={"STREAMCHAT_MODEL": "dead/m", "STREAMCHAT_CONFIG": str(tmp_path / "serve.toml")})
        kept = json.loads(site.ask("GET", "/api/conversations").body)["conversations"]
        heard += [site.ask("GET", f"/api/conversations/{each['id']}").body for each in kept]
        heard += [site.ask("GET", f"/api/conversations/{each['id']}/export?format=json").body for each in kept]
        heard.append(site.ask("GET", "/api/config").body)

    told = b"".join(heard)
    for place in (b"127.0.0.1", b"secret", b"inner.example", b":9000", str(server.port).encode() + b"/"):
        assert place not in told
    assert b"event: retry" in told and b"its server refused the connection" in told
    assert b"redirects elsewhere" in told and b"its server broke" in told
    assert len(kept) >= 5 and any(b"Hi" in each and b"refused" in each for each in heard[-1 - 2 * len(kept) :])


@pytest.fixture(scope="module")
def unplaced(tmp_path_factory: pytest.TempPathFactory) -> Unplaced:
    path = tmp_path_factory.mktemp("unplaced") / "c.toml"
    path.write_text(
        '[providers.a]\nkind = "openai"\nbase_url = "https://gpu.corp.example/v1"\n'
        '[providers.b]\nkind = "openai"\nbase_url = "http://10.1.2.3:8000/v1"\n'
    )
    return Unplaced(load(config=path, environ={}, nearby=False))


@given(
    before=st.sampled_from(["", "vllm: ", "no connection to ", "(", "'"]),
    scheme=st.sampled_from(["", "http://", "https://user:pass@"]),
    host=st.sampled_from(["gpu.corp.example", "10.1.2.3", "localhost"]),
    port=st.sampled_from(["", ":8000"]),
    path=st.sampled_from(["", "/v1", "/v1/chat?x=1"]),
    after=st.sampled_from(["", " refused", ")", "', 1)", "."]),
)
def test_however_a_place_is_written_it_is_not_there(
    unplaced: Unplaced, before: str, scheme: str, host: str, port: str, path: str, after: str
) -> None:
    said = unplaced.words(f"{before}{scheme}{host}{port}{path}{after} and notgpu.corp.example.org, 110.1.2.34, see a.b")

    assert host not in said.removesuffix("notgpu.corp.example.org, 110.1.2.34, see a.b")
    assert "8000" not in said and "pass" not in said
    assert said.endswith("notgpu.corp.example.org, 110.1.2.34, see a.b")
