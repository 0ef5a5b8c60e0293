"""Where an API key is looked for, in order: environment, the person's `.env`, `api_key_cmd`, the keyring, and last a
`.env` in the current directory. Nothing is run and no keyring is opened before the key is needed, and then once."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from streamchat.config.environment import Variables
from streamchat.config.schema import ProviderTable
from streamchat.config.target import printable
from streamchat.errors import AuthError, ConfigError, UsageError

SERVICE = "streamchat"
"""The keyring's name for what `streamchat keys set` keeps; the user name is the provider's."""
PATIENCE = 10.0
"""Seconds that `api_key_cmd` may take."""
_NAMES = "keyring.json"


class Place(Struct, frozen=True):
    """One place that was looked at: its words, and whether the key was there."""

    words: str
    found: bool = False


class Vault:
    """What this run knows of keyring and commands. The names of kept keys stand in a file of ours, for no keyring can
    be asked for a list; the keys themselves stand in the keyring alone."""

    __slots__ = ("_directory", "_entries", "_printed", "names")

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._entries: dict[tuple[str, str], str | None] = {}
        self._printed: dict[str, str] = {}
        self.names: frozenset[str] = _read_names(directory / _NAMES) if directory else frozenset()

    def __repr__(self) -> str:
        return f"Vault({', '.join(sorted(self.names))})"

    def get(self, service: str, user: str) -> str | None:
        """The entry's text, None where there is none. AuthError when the keyring refuses."""
        if (service, user) not in self._entries:
            with _Keyring() as ring:
                self._entries[service, user] = ring.get_password(service, user)
        return self._entries[service, user]

    def keep(self, name: str, key: str) -> None:
        """Keep a provider's key in the keyring, and its name in our list."""
        with _Keyring() as ring:
            ring.set_password(SERVICE, name, key)
        self._write_names(self.names | {name})

    def drop(self, name: str) -> None:
        """Forget a provider's key; UsageError where there is none."""
        if name not in self.names:
            raise UsageError(f"the keyring holds no key for {printable(name)}", "see: streamchat keys list")
        with _Keyring() as ring:
            if ring.get_password(SERVICE, name) is not None:
                ring.delete_password(SERVICE, name)
        self._write_names(self.names - {name})

    def printed_by(self, command: str, name: str) -> str:
        """What the command prints, its first line. AuthError when it fails or takes too long."""
        if command not in self._printed:
            self._printed[command] = _run(command, name)
        return self._printed[command]

    def _write_names(self, names: frozenset[str]) -> None:
        from streamchat.config.writing import make_directory
        from streamchat.history.files import write

        assert self._directory is not None, "a vault without a directory only looks"
        make_directory(self._directory)
        write(self._directory / _NAMES, json.dumps(sorted(names)).encode(), overwrite=True)
        self.names = names


def places(
    name: str, table: ProviderTable, own: Variables, nearby: Variables, vault: Vault
) -> Iterator[tuple[Place, str | None]]:
    """Each place that is looked at for this provider's key, in order, and what is there; ends with the first key."""
    for place, key in _looked(name, table, own, nearby, vault):
        yield place, key
        if key:
            return


def origin(name: str, table: ProviderTable, own: Variables, nearby: Variables, vault: Vault) -> str:
    """The place that has or should have this provider's key, "" for none; nothing is run and no keyring is opened."""
    if own.get(table.api_key_env):
        return own.origin(table.api_key_env)
    if table.api_key_cmd:
        return "api_key_cmd"
    if table.api_key_keyring or name in vault.names:
        return "keyring"
    return nearby.origin(table.api_key_env) if nearby.get(table.api_key_env) else ""


def _looked(
    name: str, table: ProviderTable, own: Variables, nearby: Variables, vault: Vault
) -> Iterator[tuple[Place, str | None]]:
    if variable := table.api_key_env:
        key = own.get(variable)
        where = own.origin(variable) if key else f"{variable} ({own.where()})"
        yield Place(where, bool(key)), key or None
    if table.api_key_cmd:
        yield Place("api_key_cmd", found=True), vault.printed_by(table.api_key_cmd, name)
    service, _, user = table.api_key_keyring.partition("/")
    if table.api_key_keyring:
        entry = vault.get(service, user)
        yield Place(f"keyring ({table.api_key_keyring})", bool(entry)), entry or None
    else:
        entry = vault.get(SERVICE, name) if name in vault.names else None
        yield Place("keyring", bool(entry)), entry or None
    if key := nearby.get(table.api_key_env):
        yield Place(nearby.origin(table.api_key_env), found=True), key


def _run(command: str, name: str) -> str:
    """The command's first line of output. What it says on stderr, it says to the person."""
    import shlex  # only where there is a command
    import subprocess

    try:
        words = shlex.split(command)
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise AuthError(f"api_key_cmd of {name} printed no key within {PATIENCE:g} s") from None
    except OSError as error:
        raise AuthError(f"api_key_cmd of {name} does not start: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"api_key_cmd of {name} is no command line: a quotation mark is missing") from None
    if done.returncode:
        raise AuthError(f"api_key_cmd of {name} ended with {done.returncode}", "try it in the shell")
    key = done.stdout.decode("utf-8", "replace").partition("\n")[0].strip()
    if not key:
        raise AuthError(f"api_key_cmd of {name} printed nothing", "it must print the key as its first line")
    return key


class _Keyring:
    """The system's keyring, with its exceptions as ours."""

    def __enter__(self) -> Any:
        try:
            import keyring  # 130 ms and an extra
        except ImportError:
            raise ConfigError("the keyring needs one more package", "install it: pip install keyring") from None
        return keyring

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is None or not isinstance(error, Exception):
            return
        from keyring.errors import KeyringError, NoKeyringError

        if isinstance(error, NoKeyringError):
            raise AuthError(
                "there is no keyring on this system", "name a variable (api_key_env) or a command (api_key_cmd) instead"
            ) from None
        if isinstance(error, KeyringError):
            raise AuthError(
                f"the keyring did not do it: {printable(str(error) or type(error).__name__, 200)}"
            ) from None


def _read_names(path: Path) -> frozenset[str]:
    try:
        names = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return frozenset()
    return frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()
