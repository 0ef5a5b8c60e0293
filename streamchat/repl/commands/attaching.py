"""Commands that put files to the next message."""

import os
from typing import TYPE_CHECKING

from streamchat.attachments import attachment, media_type, refuse
from streamchat.errors import UsageError
from streamchat.paths import expanded
from streamchat.repl import clipboard
from streamchat.repl.commands.registry import command
from streamchat.repl.entry import unquoted

if TYPE_CHECKING:
    from streamchat.repl.loop import Repl


@command("file", "[PATH|drop]", completes="files")
def file(repl: "Repl", rest: str) -> None:
    """Send a file with the next message: text inlined, images and PDF attached (the same: @PATH in the message)."""
    if rest == "drop":
        repl.files.clear()
    elif rest:
        repl.files.add(rest if os.path.lexists(expanded(rest)) else unquoted(rest), repl.session.provider)
    names = ", ".join(repl.files.names)
    repl.say(f"with the next message: {names}" if names else "no file goes with the next message")


@command("paste")
def paste(repl: "Repl", _: str) -> None:
    """Send the image in the clipboard with the next message."""
    data = clipboard.image()
    if media_type(data) != "image/png":
        raise UsageError("what is in the clipboard is no image")
    found = attachment("clipboard.png", "image/png", data)
    refuse([found], repl.session.provider)
    repl.files.attachments.append(found)
    repl.say(f"with the next message: {', '.join(repl.files.names)}")
