"""`streamchat config set|unset|edit`: the configuration file changed by a command, or by hand and then checked."""

import os
import shlex
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from streamchat.cli.asking import agreed, can_ask
from streamchat.cli.exits import complain, notice, say
from streamchat.config.editing import assigned, holds, key_of, removed, table_of, value_of
from streamchat.config.example import example
from streamchat.config.file import Key, dotted, parse_config
from streamchat.config.schema import shown
from streamchat.config.sources import config_path
from streamchat.config.target import printable
from streamchat.config.writing import make_directory, new_problems, read_text, rewrite, save
from streamchat.errors import ConfigError, UsageError

EDITORS = ("nano", "vim", "vi")
"""What is tried where neither $VISUAL nor $EDITOR says which."""

ConfigFlag = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Change this file.", show_default=False)
]
Setting = Annotated[str, typer.Argument(metavar="KEY", help="model, ui.color, providers.NAME.base_url, aliases.NAME")]


def set_(
    name: Setting,
    value: Annotated[str, typer.Argument(metavar="VALUE", help='A list as TOML: \'["a", "b"]\'.')],
    config: ConfigFlag = None,
) -> None:
    """Set a value in the configuration file; comments stay, and nothing is written that would not work.

    \b
      streamchat config set model anthropic/claude-sonnet-5-5
      streamchat config set aliases.fast groq/llama-3.3-70b-versatile
    """
    key = key_of(name)
    fitting = value_of(key, value)
    file = config_path(config=config)
    rewrite(file, lambda text: assigned(text, key, fitting))
    hidden = "headers" in key or shown(key[-1], fitting) != fitting
    typer.echo(f"{file}: {dotted(key)} is set" + ("" if hidden else f" to {printable(value)}"), err=True)


def unset(
    name: Annotated[str, typer.Argument(metavar="KEY", help="A setting, or a whole table: profiles.NAME")],
    config: ConfigFlag = None,
) -> None:
    """Take a value, or a whole provider or profile, out of the configuration file.

    \b
      streamchat config unset model
      streamchat config unset profiles.short
    """
    file = config_path(config=config)
    tables = parse_config(file, read_text(file)).tables
    key = _standing(tables, name)
    if key is None:
        raise UsageError(f"`{printable(name)}` is not set in {file}", "see where it comes from: config show --origin")
    rewrite(file, lambda text: removed(text, key))
    typer.echo(f"{file}: {dotted(key)} is not set any more", err=True)


def edit(config: ConfigFlag = None) -> None:
    """Open the configuration file in $VISUAL or $EDITOR, and check it before it takes effect.

    \b
      streamchat config edit
      EDITOR=nano streamchat config edit

    A file that is not there yet begins as `config init` would write it.
    """
    file = config_path(config=config)
    before = read_text(file)
    draft = file.resolve().with_name(f".{file.name}.{os.getpid()}.toml")
    make_directory(draft.parent)
    _write_private(draft, before or example())
    if _edited(draft, file):
        typer.echo(f"{file} is written", err=True)
    else:
        typer.echo("nothing was changed", err=True)


def _edited(draft: Path, file: Path) -> bool:
    """Let the person edit until the file is right or given up; whether it was written."""
    before = read_text(file)
    start = read_text(draft)
    while True:
        open_editor(draft)
        text = read_text(draft)
        if text == start and (text == before or not before):
            draft.unlink()
            return False
        wrong = _wrong(file, before, text)
        if not wrong:
            save(file, text)
            draft.unlink()
            return True
        for line in wrong:
            complain(line)
        kept = f"your text is kept: {draft}"
        try:
            again = can_ask() and agreed("Edit again?", otherwise=True)
        except KeyboardInterrupt:
            say("")
            notice(kept)
            raise
        if not again:
            raise ConfigError("not written: what is wrong is said above", kept)


def _wrong(file: Path, before: str, text: str) -> list[str]:
    try:
        old = parse_config(file, before)
    except ConfigError:
        old = parse_config(file, "")  # what was no TOML before has no problems to bear with
    try:
        return new_problems(old, text)
    except ConfigError as error:
        return [error.message]


def open_editor(path: Path) -> None:
    """Run the editor on this terminal; Ctrl-C is the editor's meanwhile."""
    words = _editor()
    before = signal.signal(signal.SIGINT, lambda *_: None)  # a handler is not inherited, ignoring would be
    try:
        code = subprocess.run([*words, os.fspath(path)], check=False).returncode
    except OSError as error:
        path.unlink(missing_ok=True)
        raise UsageError(f"the editor {printable(words[0])} does not start: {error.strerror}", "set $EDITOR") from None
    finally:
        signal.signal(signal.SIGINT, before)
    if code:
        path.unlink(missing_ok=True)
        raise UsageError(f"the editor ended with {code}; nothing was changed")


def _editor() -> list[str]:
    for variable in ("VISUAL", "EDITOR"):
        if named := os.environ.get(variable, "").strip():
            try:
                return shlex.split(named)
            except ValueError:
                raise UsageError(f"${variable} cannot be read: {printable(named)}") from None
    for name in EDITORS:
        if shutil.which(name):
            return [name]
    raise UsageError("no editor was found", "Say which in $EDITOR.")


def _standing(tables: object, name: str) -> Key | None:
    """The key of what stands in the file under this name: a setting, or a whole table."""
    try:
        if holds(tables, key := key_of(name)):
            return key
    except UsageError:
        key = table_of(name) or ()
        if not key:
            raise
    whole = table_of(name)
    return whole if whole and holds(tables, whole) else None


def _write_private(path: Path, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w", newline="") as file:
        file.write(text)
