"""Where streamchat's own files live: an XDG variable wins on every platform, else the platform's custom."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

APP = "streamchat"

STDOUT = Path("-")
"""What stands for stdout where a file is named; no file is made of that name."""

STDIN = Path("-")
"""What stands for stdin where a file is to be read."""


class Files(NamedTuple):
    """The four directories; none of them is created by being named, and all of `cache` can be deleted at any time."""

    config: Path
    data: Path
    state: Path
    cache: Path


def files(environ: Mapping[str, str] = os.environ) -> Files:
    """The directories that this environment means."""
    return Files(
        config=_directory("config", ".config", environ),
        data=_directory("data", ".local/share", environ),
        state=_directory("state", ".local/state", environ),
        cache=_directory("cache", ".cache", environ),
    )


def _directory(kind: str, under_home: str, environ: Mapping[str, str]) -> Path:
    named = Path(environ.get(f"XDG_{kind.upper()}_HOME", ""))
    if named.is_absolute():  # the specification: a relative path counts as not set
        return named / APP
    home = Path(environ.get("HOME") or Path.home())
    if sys.platform == "darwin":
        return home / "Library" / ("Caches" if kind == "cache" else "Application Support") / APP
    return home / under_home / APP


def expanded(name: str | Path) -> Path:
    """The path that a person named, `~` as their home; one of a person who is not here is a name like any other."""
    return Path(os.path.expanduser(name))
