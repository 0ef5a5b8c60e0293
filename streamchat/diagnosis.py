"""What can be found out about this installation: each finding says what is there and whether that is well.

Nothing here asks the network but `online`. No finding holds a key, a password in an address, or a header's value.
"""

import os
import platform
import re
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct, structs

from streamchat.catalogue import NETWORK, catalogue
from streamchat.config.environment import Variables
from streamchat.config.file import ConfigFile
from streamchat.config.known import KNOWN
from streamchat.config.resolve import check, resolve
from streamchat.config.schema import shown_url
from streamchat.config.settings import Settings
from streamchat.config.sources import Sources, read_sources
from streamchat.config.target import nearest, printable
from streamchat.discovery import is_local
from streamchat.errors import ChatError
from streamchat.paths import expanded

State = Literal["ok", "note", "bad"]
"""As it should be; worth knowing; needs a person."""

PROXIES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
BUNDLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW", re.IGNORECASE)


class Finding(Struct, frozen=True):
    """One line: what it is about, what was found, how that is, and what to do about it."""

    about: str
    text: str
    state: State = "ok"
    hint: str = ""


def diagnosis(
    *, config: Path | None = None, env_file: Path | None = None, online: bool = False, background: str = ""
) -> Iterator[Finding]:
    """Every finding, in the order in which a person reads them; `background` is what the terminal was asked for."""
    secrets = _secrets(os.environ)
    for finding in _all(config, env_file, online, background):
        yield structs.replace(finding, text=_hidden(finding.text, secrets), hint=_hidden(finding.hint, secrets))


def _all(config: Path | None, env_file: Path | None, online: bool, background: str) -> Iterator[Finding]:
    yield from _program()
    yield from _terminal(background)
    sources, wrong = _sources(config, env_file)
    yield from wrong
    settings, wrong = _settings(sources)
    yield from wrong
    yield from _code_theme(settings.ui.code_theme)
    yield from _directories(settings)
    yield from _store(settings)
    yield from _keys(settings)
    yield from _addresses(settings)
    yield from _proxies(settings)
    yield from _certificates(settings.variables)
    yield from _embedded(settings)
    if online:
        yield from _online(settings)


def _program() -> Iterator[Finding]:
    yield Finding("program", f"streamchat {_version('streamchat')}, Python {platform.python_version()}")
    yield Finding("program", f"{platform.system()} {platform.release()}, {platform.machine()}")
    libraries = ("openai", "anthropic", "rich", "prompt-toolkit", "typer", "keyring", "xllamacpp")
    there = [f"{name} {found}" for name in libraries if (found := _version(name))]
    yield Finding("program", ", ".join(there))


def _terminal(background: str) -> Iterator[Finding]:
    kinds = [
        f"{name} is {'a terminal' if stream and stream.isatty() else 'no terminal'}"
        for name, stream in (("stdin", sys.stdin), ("stdout", sys.stdout), ("stderr", sys.stderr))
    ]
    yield Finding("terminal", ", ".join(kinds))
    size = shutil.get_terminal_size()
    yield Finding(
        "terminal",
        f"{size.columns} columns, {size.lines} lines" + (f", {background} background" if background else ""),
        "note" if size.columns < 40 else "ok",
    )
    names = ("TERM", "COLORTERM", "TERM_PROGRAM", "NO_COLOR", "FORCE_COLOR", "ACCESSIBLE", "TMUX", "SSH_CONNECTION")
    said = [f"{name}={os.environ[name]}" for name in names[:6] if os.environ.get(name)]
    said += [name for name in names[6:] if os.environ.get(name)]
    mute = os.environ.get("TERM", "") in ("", "dumb", "unknown")
    yield Finding("terminal", ", ".join(said) or "TERM is not set", "note" if mute else "ok")
    encoding = (getattr(sys.stdout, "encoding", None) or "none").lower()
    unicode = encoding.replace("-", "") == "utf8"
    yield Finding(
        "terminal", f"text is written as {encoding}", "ok" if unicode else "note", "" if unicode else "set LANG=C.UTF-8"
    )


def _sources(config: Path | None, env_file: Path | None) -> tuple[Sources, list[Finding]]:
    try:
        return read_sources(config=config, env_file=env_file), []
    except ChatError as error:
        trouble = Finding("config", error.message, "bad", error.hint or "")
    from streamchat.paths import files

    where = files()
    return Sources(variables=Variables(("", dict(os.environ))), files=where), [trouble]


def _settings(sources: Sources) -> tuple[Settings, list[Finding]]:
    """What holds, or what would hold without what is wrong."""
    found = [Finding("config", line, "bad") for line in check(sources)]
    try:
        settings = resolve(sources)
    except ChatError as error:
        if not found:
            found.append(Finding("config", error.message, "bad", error.hint or ""))
        bare = structs.replace(sources, file=ConfigFile(sources.file.path), variables=_without_settings(sources))
        return resolve(bare), found
    if not found:
        there = bool(sources.file.text)
        found.append(
            Finding("config", f"{sources.file.path}" + (" is right" if there else " is not there, nor needed"))
        )
    found += [Finding("config", notice, "note") for notice in settings.notices]
    return settings, found


def _without_settings(sources: Sources) -> Variables:
    names = [
        name for name in sources.variables if not name.startswith("STREAMCHAT_") and not name.endswith("_BASE_URL")
    ]
    return Variables(("", {name: sources.variables.get(name) for name in names}))


def _code_theme(name: str) -> Iterator[Finding]:
    if not name:
        return
    from streamchat.views.highlight import code_themes  # Pygments: not for who has set none

    known = code_themes()
    if name not in known:
        guesses = nearest(name, known)
        hint = f"did you mean {' or '.join(guesses)}?" if guesses else f"there are {', '.join(sorted(known))}"
        yield Finding("config", f"`ui.code_theme`: there is no style `{printable(name)}`", "bad", hint)


def _directories(settings: Settings) -> Iterator[Finding]:
    for kind in ("config", "data", "state", "cache"):
        path: Path = getattr(settings.files, kind)
        if not path.exists():
            parent = next(parent for parent in path.parents if parent.exists())
            wrong = "" if os.access(parent, os.W_OK) else f", and {parent} cannot be written"
            wrong = wrong if parent.is_dir() else f", and {parent} is no directory"
            yield Finding(kind, f"{path} is not there yet{wrong}", "bad" if wrong else "ok")
        elif not path.is_dir():
            yield Finding(kind, f"{path} is no directory", "bad")
        elif not os.access(path, os.W_OK):
            yield Finding(kind, f"{path} cannot be written", "bad")
        else:
            yield _private(kind, path)
    for path in (settings.sources.file.path, settings.files.config / ".env"):
        if path.is_file():
            yield _private("config", path)


def _private(about: str, path: Path) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077 and about in ("config", "data", "state"):
        right = "700" if path.is_dir() else "600"
        return Finding(about, f"{path} can be read by others (mode {mode:03o})", "note", f"chmod {right} '{path}'")
    return Finding(about, f"{path} is yours alone" if not mode & 0o077 else str(path))


def _store(settings: Settings) -> Iterator[Finding]:
    import sqlite3

    from streamchat.history.intake import files_under

    own = settings.history.dir
    where = expanded(own) if own else settings.files.data / "conversations"
    found = list(files_under(where)) if where.is_dir() else []
    size = sum(stamp[0] for _, stamp in found)
    saving = "" if settings.history.save else "; nothing more is kept"
    yield Finding("store", f"{len(found)} conversations, {size / 1e6:.1f} MB, in {where}{saving}")
    try:
        with sqlite3.connect(":memory:") as base:
            base.execute("CREATE VIRTUAL TABLE t USING fts5 (x)")
        yield Finding("store", f"SQLite {sqlite3.sqlite_version} with full-text search")
    except sqlite3.Error:
        yield Finding(
            "store", f"SQLite {sqlite3.sqlite_version} has no full-text search: history search cannot work", "bad"
        )


def _keys(settings: Settings) -> Iterator[Finding]:
    there = {name: place for name in settings.providers if (place := settings.key_origin(name))}
    for name, place in there.items():
        yield Finding("keys", f"{name}: {place}")
    if not there:
        yield Finding("keys", "no provider has a key", "note", "streamchat keys set PROVIDER; streamchat help keys")


def _addresses(settings: Settings) -> Iterator[Finding]:
    for name, table in settings.providers.items():
        if table.kind not in NETWORK or table.base_url == KNOWN.get(name, {}).get("base_url"):
            continue
        origin = settings.origin(f"providers.{name}.base_url")
        open_line = table.base_url.startswith("http://") and not is_local(table.base_url)
        yield Finding(
            "address",
            f"{name}: {shown_url(table.base_url)} ({origin})",
            "note" if open_line else "ok",
            "a key would go there unencrypted: use https://" if open_line and settings.key_origin(name) else "",
        )


def _proxies(settings: Settings) -> Iterator[Finding]:
    if settings.defaults.proxy:
        yield Finding("proxy", f"{shown_url(settings.defaults.proxy)} ({settings.origin('defaults.proxy')})")
    for name in PROXIES:
        for spelt in (name, name.lower()):
            if value := settings.variables.get(spelt):
                shown = value if name == "NO_PROXY" else shown_url(value)
                yield Finding("proxy", f"{settings.variables.origin(spelt)}: {shown}")


def _certificates(variables: Variables) -> Iterator[Finding]:
    import ssl

    named = [(name, value) for name in BUNDLES if (value := variables.get(name))]
    for name, value in named:
        there = Path(value).exists()
        yield Finding(
            "TLS", f"{variables.origin(name)}: {value}" + ("" if there else " is not there"), "ok" if there else "bad"
        )
    yield Finding("TLS", ssl.OPENSSL_VERSION)


def _embedded(settings: Settings) -> Iterator[Finding]:
    from streamchat.choice import local_options
    from streamchat.local.weights import find, missing

    match missing(local_options(settings)):
        case "engine":
            yield Finding("local", "the embedded model's engine is not installed; nothing else needs it")
        case "weights":
            yield Finding("local", "the embedded model has no weights yet", "note", "streamchat local install")
        case _:
            weights = find(local_options(settings))
            yield Finding("local", f"{weights.name}: {weights.path}" if weights else "no weights")


def _online(settings: Settings) -> Iterator[Finding]:
    for listing in catalogue(settings, refresh=True):
        if settings.providers[listing.provider].kind not in NETWORK:
            continue
        if listing.trouble:
            yield Finding("online", f"{listing.provider}: {listing.trouble}", "bad")
        else:
            yield Finding("online", f"{listing.provider}: {len(listing.models)} models")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _secrets(environ: Mapping[str, str]) -> list[str]:
    """The values of variables that are called like a secret: what somebody put in a wrong place is hidden there too."""
    return [value for name, value in environ.items() if _SECRET.search(name) and len(value) >= 6]


def _hidden(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text
