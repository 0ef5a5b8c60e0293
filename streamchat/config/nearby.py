"""What files in the current directory may say. They may come from a stranger's repository, so they are hostile.

A `.env` supplies a key where the person has none, and nothing else. A `.streamchat.toml` sets the model, the system
prompt and parameters, and nothing else. Neither is looked for in a parent, neither can stop the program, and each
thing that it changes is said.
"""

import os
import stat
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from streamchat.config.checks import misfit
from streamchat.config.environment import Variables, parse_env, reason
from streamchat.config.file import parse_toml, syntax_error
from streamchat.config.schema import Defaults, ProviderTable
from streamchat.config.target import printable, split_model
from streamchat.errors import UsageError

ENV_NAME = ".env"
PROJECT_NAME = ".streamchat.toml"
PROJECT_SETTINGS = ("model", "system", "temperature", "max_tokens", "think")
_LARGEST = 64 * 1024


class Nearby(Struct, frozen=True):
    """The two files as they were found: variables and tables as written, and what could not be read."""

    directory: Path
    variables: dict[str, str] = {}
    project: dict[str, Any] = {}
    notices: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Nearby({str(self.directory)!r})"


def read_nearby(directory: Path, trusted: Collection[Path]) -> Nearby:
    """What stands in this directory; `trusted` files are the person's own and are read elsewhere."""
    notices: list[str] = []
    variables: dict[str, str] = {}
    project: dict[str, Any] = {}
    if text := _text(directory / ENV_NAME, trusted, notices):
        variables, _ = parse_env(text)
    if text := _text(directory / PROJECT_NAME, trusted, notices):
        try:
            project = parse_toml(text)
        except ValueError as error:
            message, line, _ = syntax_error(error)
            place = f"{PROJECT_NAME}:{line}" if line else PROJECT_NAME
            notices.append(f"{place} in the current directory is ignored: it is not TOML: {message}")
    return Nearby(directory, variables, project, tuple(notices))


def project_settings(
    tables: Mapping[str, Any], providers: Mapping[str, ProviderTable], aliases: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """What a project file may set, and a notice for what it may not."""
    allowed: dict[str, Any] = {}
    notices = []
    strange = [name for name in tables if name not in PROJECT_SETTINGS]
    if strange:
        may = ", ".join(PROJECT_SETTINGS)
        notices.append(f"{PROJECT_NAME} may only set {may}; ignored: {_names(strange)}")
    for name in PROJECT_SETTINGS:
        if name not in tables:
            continue
        value = tables[name]
        if wrong := misfit(value, Defaults.__annotations__[name]) or _refusal(name, value, providers, aliases):
            notices.append(f"`{name}` of {PROJECT_NAME} is ignored: {wrong}")
        else:
            allowed[name] = value
    return allowed, notices


def nearby_keys(
    found: Mapping[str, str], own: Variables, providers: Mapping[str, ProviderTable], chosen_here: str | None
) -> tuple[dict[str, str], list[str]]:
    """The keys that a `.env` may supply, and the notices that say so.

    `chosen_here` is the provider that the project file chose: a directory that picks the provider must not also bring
    the account, or every question would be read by whoever owns both.
    """
    users: dict[str, list[str]] = {}
    for name, table in providers.items():
        if table.api_key_env and found.get(table.api_key_env, "").strip() and not own.mentions(table.api_key_env):
            users.setdefault(table.api_key_env, []).append(name)
    notices = []
    refused = providers[chosen_here].api_key_env if chosen_here and chosen_here in providers else ""
    if users.pop(refused, None):
        notices.append(
            f"{refused} of {ENV_NAME} in the current directory is not used: "
            f"{PROJECT_NAME} beside it chose {chosen_here}"
        )
    for variable, names in users.items():
        notices.append(
            f"{variable} comes from {ENV_NAME} in the current directory: "
            f"there is no other key for {' and '.join(names)}"
        )
    reaching = [name for name in found if name.startswith("STREAMCHAT_") or name.endswith(("_BASE_URL", "_PROXY"))]
    if reaching:
        notices.append(f"{ENV_NAME} in the current directory may only supply a key; ignored: {_names(reaching)}")
    return {variable: found[variable] for variable in users}, notices


def _refusal(name: str, value: Any, providers: Mapping[str, ProviderTable], aliases: Mapping[str, str]) -> str:
    """Why a value of the right type is still not taken from a stranger."""
    if name == "system" and value.startswith("@"):
        return "it may not name a file"
    if name != "model":
        return ""
    try:
        provider, _ = split_model(value, providers, aliases)
    except UsageError as error:
        return error.message
    if provider is None:
        return "it must name its provider: provider/model"
    if providers[provider].kind not in ("openai", "anthropic"):
        # A path could follow, and a model file from a stranger must not reach the loader by itself.
        return f"it may not choose `{provider}`"
    return ""


def _text(path: Path, trusted: Collection[Path], notices: list[str]) -> str:
    """The file's text, "" where there is none to be had; one that is passed over is said."""
    try:
        return _read(path, trusted)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        notices.append(f"{path.name} in the current directory is ignored: {reason(error)}")
        return ""


def _read(path: Path, trusted: Collection[Path]) -> str:
    """The text of a plain small file; a pipe or a device is never waited for."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        found = os.fstat(file.fileno())
        if any(_same(found, other) for other in trusted):
            return ""
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("it is not a plain file")
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ValueError(f"it is larger than {_LARGEST // 1024} KiB")
    return data.decode("utf-8-sig")


def _same(found: os.stat_result, other: Path) -> bool:
    try:
        return os.path.samestat(found, other.stat())
    except OSError:
        return False


def _names(names: Iterable[str]) -> str:
    shown = [printable(name, 40) for name in names]
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")
