"""`streamchat serve`: the chat page, the native API and the vendors' public ones, on this machine."""

import os
import secrets
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streamchat.cli.exits import notice, say
from streamchat.config import load
from streamchat.config.settings import Settings
from streamchat.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from streamchat.web.app import App

HELP = """Serve the chat page and the APIs: open the address that it prints.

\b
  streamchat serve
  streamchat serve --port 9000 --open

Any OpenAI or Anthropic client can be pointed at its /v1, with the token as its key: that of STREAMCHAT_SERVE_TOKEN, or
one that is made and kept. More settings stand in [serve] of the configuration.
"""

TOKEN = "STREAMCHAT_SERVE_TOKEN"
_SHORTEST = 16
"""Characters of a token that nobody guesses."""

serve_app = typer.Typer(
    rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]}
)


@serve_app.command(help=HELP)
def serve(
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Listen there; for others to reach it.")] = (
        "127.0.0.1"
    ),
    port: Annotated[
        int | None, typer.Option("--port", metavar="N", help="0: any free one.", show_default=False)
    ] = None,
    uds: Annotated[
        Path | None, typer.Option("--uds", metavar="PATH", help="Listen on a Unix socket, for a proxy.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", metavar="NAME", help="Another name that it goes by.")
    ] = None,
    cors_origin: Annotated[
        list[str] | None, typer.Option("--cors-origin", metavar="URL", help="A site whose pages may ask /v1.")
    ] = None,
    drain: Annotated[
        float | None, typer.Option("--drain", metavar="SECONDS", help="For answers under way, at the end.")
    ] = None,
    docs: Annotated[bool, typer.Option("--docs", help="The APIs, documented at /docs.")] = False,
    access_log: Annotated[bool, typer.Option("--access-log", help="A line on stderr for each request.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="This configuration file.", show_default=False)
    ] = None,
    env_file: Annotated[
        Path | None, typer.Option("--env-file", metavar="FILE", help="This .env file too.", show_default=False)
    ] = None,
) -> None:
    flags = {
        "serve.port": port,
        "serve.allow_host": tuple(allow_host) if allow_host else None,
        "serve.cors_origin": tuple(cors_origin) if cors_origin else None,
        "serve.drain": drain,
    }
    settings = load(flags=flags, config=config, env_file=env_file, nearby=False)
    try:
        from streamchat.web import server
    except ImportError as exc:
        raise ConfigError(
            f"the server's parts are not installed: {exc.name}", "Install them: pip install 'streamchat[web]'"
        ) from exc
    token = _token(settings)
    listener = _listener(host, settings.serve.port, uds)
    there = listener.getsockname()[1] if uds is None else 80  # that of the proxy before it
    app = _app(settings, token, host, there)

    def ready() -> None:
        _announce(app, host, there, uds, open_page=open_)

    server.serve(app, listener, drain=settings.serve.drain, docs=docs, access_log=access_log, ready=ready)


def _app(settings: Settings, token: str, host: str, port: int) -> "App":
    from streamchat.web.app import App
    from streamchat.web.guard import Guard, hosts_of

    names = settings.serve.allow_host if host in ("0.0.0.0", "::") else (host, *settings.serve.allow_host)
    guard = Guard(token, hosts=hosts_of(port, *names), cors=frozenset(settings.serve.cors_origin))
    return App(settings, guard=guard)


def _announce(app: "App", host: str, port: int, uds: Path | None, *, open_page: bool) -> None:
    if uds is not None:
        notice(f"serving on {uds}; the token of its API is in {TOKEN} or {_place(app.settings)}")
        return
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    base = f"http://{shown}:{port}/"
    page = f"{base}#token={app.guard.code()}"
    if _is_exposed(host):
        notice(f"everybody who reaches {host}:{port} sees the page; only the token opens it, and nothing is encrypted")
    say(f"streamchat: the page, for one browser: {page}")
    say(f"  for programs: {base}v1, with the key in {TOKEN if os.environ.get(TOKEN) else _place(app.settings)}")
    if open_page:
        import webbrowser

        webbrowser.open(page)


def _is_exposed(host: str) -> bool:
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def _place(settings: Settings) -> Path:
    return settings.files.state / "serve-token"


def _token(settings: Settings) -> str:
    """The server's token: the variable's, else the kept one, else a new one, which is kept for this person alone."""
    given = settings.variables.get(TOKEN)
    if given:
        if len(given) < _SHORTEST:
            raise ConfigError(f"{TOKEN} is shorter than {_SHORTEST} characters", "Make one: openssl rand -hex 24")
        return given
    path = _place(settings)
    try:
        kept = path.read_text().strip() if path.exists() else ""
        if len(kept) >= _SHORTEST:
            return kept
        from streamchat.history.files import write
        from streamchat.history.journal import make_private

        made = secrets.token_urlsafe(32)
        make_private(path.parent)
        write(path, f"{made}\n".encode(), overwrite=True)
        path.chmod(0o600)
    except OSError as exc:
        raise ConfigError(f"the token cannot be kept in {path}: {exc.strerror}", f"Set {TOKEN}.") from exc
    return made


def _listener(host: str, port: int, uds: Path | None) -> socket.socket:
    """The bound socket: what stands in the way is said before anything else happens."""
    try:
        if uds is not None:
            uds.unlink(missing_ok=True) if uds.is_socket() else None
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(uds))
            uds.chmod(0o600)
            return listener
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as exc:
        where = uds or f"{host}:{port}"
        why = os.strerror(exc.errno) if exc.errno else exc
        raise UsageError(f"cannot listen on {where}: {why}", "Choose another with --port N.") from exc
