"""Files that go with a message: text becomes part of it, fenced and named; images and PDFs go beside it.

What cannot be sent is refused before anything is: what is too large, neither text nor a known kind, not one file.
"""

import os
import re
import stat
from collections.abc import Sequence

from streamchat.chat import Attachment
from streamchat.errors import UsageError
from streamchat.paths import expanded
from streamchat.providers.base import Provider

MEGABYTE = 1_000_000
LONGEST_TEXT = MEGABYTE
LONGEST = {"image/png": 5, "image/jpeg": 5, "image/gif": 5, "image/webp": 5, "application/pdf": 20}
"""Megabytes that a file of each kind may have: what the vendors take, and what a conversation's file can bear."""

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_ADDRESS = re.compile("[A-Za-z]+://")
_PATTERN = re.compile(r"[\w./~-]*\*[\w./~*-]*[./][\w./~*-]*")
_AT = re.compile(r'(?<![^\s([{])@(?:"([^"\n]+)"|(\S+))')


def read(name: str) -> str | Attachment:
    """The file as a fenced text, or as an attachment: a path, an address, or - for stdin.

    UsageError says why it cannot be sent.
    """
    if not name:
        raise UsageError("a file without a name cannot be sent")
    encoding = ""
    if name == "-":
        title, data = "stdin", _stdin()
    elif _ADDRESS.match(name):
        from streamchat.fetching import fetched  # urllib: not where nothing is fetched

        title, data, encoding = fetched(name)
    else:
        title, data = expanded(name).name, _file(name)
    kind = media_type(data)
    return fenced(_text(name, data, encoding), title) if kind is None else attachment(title, kind, data)


def _file(name: str) -> bytes:
    path = expanded(name)
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise UsageError(f"{name} is a directory", "Name the files in it, each by itself.")
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{name} is not a file that can be read as a whole", "Pipe it in instead.")
        if found.st_size > max(LONGEST.values()) * MEGABYTE:
            raise UsageError(f"{name} is too large: {_megabytes(found.st_size)}")
        return path.read_bytes()
    except OSError as exc:
        if isinstance(exc, FileNotFoundError) and any(mark in name for mark in "*?["):
            raise UsageError(f"{name} is a pattern", "Name each file by itself.") from None
        raise UsageError(f"{name} cannot be read: {exc.strerror}") from None


def _stdin() -> bytes:
    """All of stdin: an image may be piped in, too."""
    if os.isatty(0):
        raise UsageError(
            "-f - is what is piped in, and nothing is", "For example: curl ADDRESS | streamchat ask -f - ..."
        )
    with open(0, "rb", closefd=False) as piped:
        data = piped.read(max(LONGEST.values()) * MEGABYTE + 1)
    if len(data) > max(LONGEST.values()) * MEGABYTE:
        raise UsageError("what is piped in is too large")
    return data


def attachment(name: str, kind: str, data: bytes) -> Attachment:
    """An image or a PDF of a size that can be sent; UsageError for a larger one."""
    if len(data) > LONGEST[kind] * MEGABYTE:
        raise UsageError(f"{name} is too large: {_megabytes(len(data))}, and at most {LONGEST[kind]} MB can be sent")
    return Attachment(name, kind, data)


def media_type(data: bytes) -> str | None:
    """What kind of image, or PDF, this is; None for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def mentioned(text: str) -> tuple[list[str], list[str]]:
    """The files that a text names as `@path` or `@"path"`; and the names of that kind that are no file here.

    A pattern such as `@*.txt` is among the former: to be refused as everywhere.
    Only names that look like a path (with a slash or a dot in them) are among the latter: others are mere mentions.
    """
    names = [quoted or _unpunctuated(bare) for quoted, bare in _AT.findall(text)]
    there = [name for name in names if os.path.lexists(expanded(name)) or _PATTERN.fullmatch(name)]
    return there, [name for name in names if name not in there and ("/" in name or "." in name.strip("."))]


def _unpunctuated(name: str) -> str:
    """Without what ends the sentence or the brackets that the name stands in, unless there is such a file."""
    bare = name.rstrip(".,;:!?)]}>'\"")
    return name if os.path.lexists(expanded(name)) else bare or name


def fenced(text: str, name: str = "") -> str:
    """The text as a block that nothing in it can end, its name in front."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{name}:\n{fence}\n{text.rstrip()}\n{fence}" if name else f"{fence}\n{text.rstrip()}\n{fence}"


def joined(texts: Sequence[str], question: str) -> str:
    """Texts and the question that is about them as one message: the question is last."""
    return "\n\n".join(filter(None, (*texts, question)))


def refuse(attachments: Sequence[Attachment], provider: Provider) -> None:
    """UsageError for the first of them that the provider cannot take."""
    for each in attachments:
        if not provider.takes(each.media_type):
            kind = "a PDF" if each.media_type == "application/pdf" else "an image"
            raise UsageError(f"{provider.name} cannot take {kind}: {each.name}", "Ask a provider that can.")


def _text(name: str, data: bytes, encoding: str = "") -> str:
    if len(data) > LONGEST_TEXT:
        raise UsageError(f"{name} is too large: {_megabytes(len(data))}, and at most 1 MB of text can be sent")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else encoding or "utf-8-sig"
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        text = "\0"
    if "\0" in text:
        raise UsageError(f"{name} is neither text nor an image nor a PDF")
    return text


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:.1f} MB"
