"""`--editor`: a question is written in the person's own editor."""

import sys
import tempfile
from pathlib import Path

from streamchat.errors import UsageError


def written(question: str) -> str:
    """The question as the editor leaves it; UsageError without a terminal, and for an empty one."""
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        raise UsageError("--editor needs a terminal", "Pipe the question in, or write it behind the command.")
    from streamchat.cli.changing import open_editor

    descriptor, name = tempfile.mkstemp(prefix="question-", suffix=".md")  # 0600, whatever the umask
    path = Path(name)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(question)
        open_editor(path)
        text = path.read_text(encoding="utf-8", errors="replace").strip()
    finally:
        path.unlink(missing_ok=True)
    if not text:
        raise UsageError("the question is empty: nothing is asked")
    return text
