"""Server-sent events without I/O, in both directions: bytes to frames (`Decoder`), frames to bytes (`frame`).

The rules are those of the WHATWG event-stream format. What is not an event is ignored as they say, never an
error; `retry:` is among it, for nobody here reconnects.
"""

import re

from msgspec import Struct

_NEWLINE = re.compile(r"\r\n|\r|\n")


class Frame(Struct, frozen=True, gc=False):
    """One event as it came; `id` is the last one seen on the stream, None before the first."""

    event: str
    data: str
    id: str | None = None


class Decoder:
    """Takes the stream's bytes in pieces cut anywhere and gives the frames that each piece completed.

    Only whole lines are decoded, so a character is never cut; bytes that are not UTF-8 become U+FFFD. Every
    byte is looked at once, however small the pieces and however large the event.
    """

    __slots__ = ("_after_cr", "_at_start", "_data", "_event", "_id", "_line")

    def __init__(self) -> None:
        self._line: list[bytes] = []
        self._data: list[str] = []
        self._event = ""
        self._id: str | None = None
        self._at_start = True
        self._after_cr = False

    @property
    def pending(self) -> bool:
        """Whether something has come since the last whole event: a stream that ends here was cut."""
        return bool(self._line or self._data or self._event)

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that end in this piece."""
        if chunk.startswith(b"data: ") and chunk.find(b"\n") == len(chunk) - 2 and self._is_whole(chunk):
            self._at_start = False
            return [Frame("message", chunk[6:-2].decode("utf-8", "replace"), self._id)]
        text = self._whole_lines(chunk)
        if text is None:
            return []
        data = self._data
        frames: list[Frame] = []
        for line in text.split("\n"):
            if not line:
                if data:
                    whole = data[0] if len(data) == 1 else "\n".join(data)
                    frames.append(Frame(self._event or "message", whole, self._id))
                    data.clear()
                self._event = ""
            elif line.startswith("data: "):
                data.append(line[6:])
            else:
                self._field(line)
        return frames

    def close(self) -> Frame | None:
        """End the stream: the event that lacks its end, as far as it came; None if nothing of one is there.

        The format says to throw such an event away. It is given back so that the caller can judge it.
        """
        return next(iter(self.feed(b"\n\n")), None)

    def _is_whole(self, chunk: bytes) -> bool:
        """Whether this is one event of one line, if it begins and ends like that: as it comes to who has waited."""
        return chunk.endswith(b"\n\n") and b"\r" not in chunk and not (self.pending or self._after_cr)

    def _whole_lines(self, chunk: bytes) -> str | None:
        """Everything up to the last line end, with every line end as LF; the rest waits for its own."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = chunk.rfind(b"\n")
        if end < 0:
            if chunk:
                self._line.append(chunk)
            return None
        head = chunk[:end]
        if self._line:
            head = b"".join((*self._line, head))
            self._line.clear()
        if end + 1 < len(chunk):
            self._line.append(chunk[end + 1 :])
        text = head.decode("utf-8", "replace")
        if self._at_start:
            self._at_start = False
            text = text.removeprefix("\ufeff")
        return text

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value


def frame(data: str | bytes, *, event: str | None = None, id: str | None = None) -> bytes:  # noqa: A002
    """One event as bytes. The format has a single newline: CR LF and CR in `data` arrive as LF."""
    head = "" if event is None else _header("event", event)
    head += "" if id is None else _header("id", id)
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    return _utf8(head + _lines("data: ", text) + "\n")


def comment(text: str = "") -> bytes:
    """A keep-alive: bytes that every decoder ignores."""
    return _utf8(_lines(": ", text) + "\n")


def _lines(prefix: str, text: str) -> str:
    return "".join(f"{prefix}{line}\n" for line in _NEWLINE.split(text))


def _header(name: str, value: str) -> str:
    if _NEWLINE.search(value) or "\0" in value:
        raise ValueError(f"the {name} of an event is one line without NUL: {value!r}")
    return f"{name}: {value}\n"


def _utf8(text: str) -> bytes:
    """Lone surrogates, which UTF-8 cannot say, become U+FFFD; two halves side by side are one character."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
