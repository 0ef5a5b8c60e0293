"""The configuration file as it is changed by the program: read exactly, checked before it is written, in one piece."""

from collections.abc import Callable
from pathlib import Path

from streamchat.config.checks import problems, providers_of
from streamchat.config.environment import reason
from streamchat.config.file import ConfigFile, parse_config
from streamchat.config.target import split_model
from streamchat.errors import ChatError, ConfigError, UsageError


def rewrite(path: Path, edit: Callable[[str], str]) -> bool:
    """Change the file's text by `edit`, and write it if nothing is wrong that was not before; whether it changed.

    A file that is not there is empty; it and its directory are made, readable by the person alone. ConfigError for
    what would be wrong, and for a file that is not TOML.
    """
    before = read_text(path)
    old = parse_config(path, before)
    after = edit(before)
    if after == before:
        return False
    if wrong := new_problems(old, after):
        raise ConfigError(f"not written: {wrong[0]}", " · ".join(wrong[1:]) or None)
    save(path, after)
    return True


def new_problems(before: ConfigFile, text: str) -> list[str]:
    """What would be wrong with the file that was not wrong before, a line each; [] where the text may be written."""
    known = set(_wrong(before).values())
    return [line for line, words in _wrong(parse_config(before.path, text)).items() if words not in known]


def read_text(path: Path) -> str:
    """The file's text with its own line endings, "" where there is none."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {reason(error)}") from None


def save(path: Path, text: str) -> None:
    """Write the file in one piece; where it is a link (into a directory of dotfiles, say), what it points to."""
    from streamchat.history.files import write

    path = path.resolve()
    make_directory(path.parent)
    write(path, text.encode(), overwrite=True)


def make_directory(path: Path) -> None:
    """The directory for the configuration, open to the person alone if it is new."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be made: {error.strerror}") from None


def _wrong(file: ConfigFile) -> dict[str, str]:
    """Everything wrong with a file: each line that says so, with the same without its place."""
    found = {str(problem): f"{problem.message} {problem.hint}" for problem in problems(file)}
    if found:
        return found
    for key, table in [
        ("defaults", file.tables.get("defaults", {})),
        *((f"profiles.{name}", table) for name, table in file.tables.get("profiles", {}).items()),
    ]:
        if error := _bad_model(file, table):
            found[f"{file.place((*key.split('.', 1), 'model'))}: `{key}.model`: {error}"] = error
    return found


def _bad_model(file: ConfigFile, table: dict[str, str]) -> str:
    """Why the model of a table cannot be asked, "" where it can."""
    names = providers_of(file.tables)
    try:
        split_model(table.get("model", ""), names, file.tables.get("aliases", {}), table.get("provider") or None)
    except ChatError as error:
        return error.message
    return ""
