"""The message in the person's own editor, $VISUAL or $EDITOR: one that is not there is said, and no other taken."""

import os
import shlex
import shutil

from streamchat.views.safe import one_line

_OTHERS = ("/usr/bin/editor", "/usr/bin/nano", "/usr/bin/pico", "/usr/bin/vi", "/usr/bin/emacs")
"""What is started where neither variable says which."""


def trouble() -> str:
    """Why no editor can be started, with the way out; nothing if one can."""
    for variable in ("VISUAL", "EDITOR"):
        if named := os.environ.get(variable, "").strip():
            try:
                program = shlex.split(named)[0]
            except (ValueError, IndexError):
                return f"${variable} cannot be read as a command: {one_line(named, 40)}"
            return "" if shutil.which(program) else f"no editor {one_line(program, 40)}: set ${variable} to one"
    return "" if any(map(shutil.which, _OTHERS)) else "no editor was found: set $EDITOR to one"
