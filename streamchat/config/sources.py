"""Everything that settings are made from, and the reading of it: environment, the person's files, the directory's."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from streamchat.config.environment import Variables, read_env_file
from streamchat.config.file import ConfigFile, read_config
from streamchat.config.keys import Vault
from streamchat.config.nearby import ENV_NAME, Nearby, read_nearby
from streamchat.paths import Files, expanded, files

CONFIG_NAME = "config.toml"


class Sources(Struct, frozen=True):
    """Everything that settings are made from. Flags and resumed values go by a setting's dotted name, those of
    [defaults] by the name alone as well; None means not given."""

    flags: Mapping[str, Any] = {}
    profile: str | None = None
    resumed: Mapping[str, Any] = {}
    variables: Variables = Variables()
    file: ConfigFile = ConfigFile(Path(CONFIG_NAME))
    nearby: Nearby = Nearby(Path())
    files: Files = Files(Path(), Path(), Path(), Path())
    vault: Vault = Vault()

    def __repr__(self) -> str:
        return f"Sources({str(self.file.path)!r})"


def read_sources(
    *,
    config: Path | None = None,
    env_file: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    nearby: bool = True,
) -> Sources:
    """Everything that is read: the environment, the person's own files and, unless told not to, what the current
    directory holds."""
    where = files(environ)
    env_files = _env_files(env_file, where)
    variables = _variables(env_files, environ)
    path, named = _config_path(config, variables, where)
    found = _nearby([*env_files, path]) if nearby else Nearby(Path())
    file = read_config(path, required=named)
    return Sources(variables=variables, file=file, nearby=found, files=where, vault=Vault(where.data))


def config_path(
    *, config: Path | None = None, env_file: Path | None = None, environ: Mapping[str, str] = os.environ
) -> Path:
    """Where the configuration file is, or would be."""
    where = files(environ)
    return _config_path(config, _variables(_env_files(env_file, where), environ), where)[0]


def _env_files(named: Path | None, where: Files) -> list[Path]:
    """The `.env` files that are the person's own, strongest first."""
    own = where.config / ENV_NAME
    return [*([named] if named else []), *([own] if own.is_file() else [])]


def _variables(env_files: Sequence[Path], environ: Mapping[str, str]) -> Variables:
    return Variables(("", dict(environ)), *((str(path), read_env_file(path)) for path in env_files))


def _config_path(config: Path | None, variables: Variables, where: Files) -> tuple[Path, bool]:
    """The configuration file's path, and whether a person named it."""
    named = config or variables.get("STREAMCHAT_CONFIG")
    return (expanded(named), True) if named else (where.config / CONFIG_NAME, False)


def _nearby(trusted: Sequence[Path]) -> Nearby:
    try:
        return read_nearby(Path.cwd(), trusted)
    except FileNotFoundError:  # the current directory has been deleted
        return Nearby(Path())
