"""The person whom the tests play: what stands in the configuration, what was kept, what is seen."""

import json
import os
from pathlib import Path
from typing import Any

from tests.program import Result
from tests.views.emulator import Emulator


def config(text: str) -> None:
    """Their configuration file."""
    path = Path(os.environ["XDG_CONFIG_HOME"], "streamchat", "config.toml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def journal() -> list[dict[str, Any]]:
    """The lines of the only conversation that they kept."""
    (path,) = conversations().rglob("*.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def conversations() -> Path:
    """Where they are kept."""
    return Path(os.environ["XDG_DATA_HOME"], "streamchat", "conversations")


def seen(result: Result, width: int = 80, height: int = 24) -> list[str]:
    """The lines of a terminal after the program, with those that have left it at the top."""
    emulator = Emulator(width, height)
    emulator.write(result.screen.decode())
    return emulator.lines
