"""What the server does with one request, as data: a status line, headers and steps."""

import gzip
import json
import threading
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct, structs


class Send(Struct, frozen=True):
    """A part of the body, in the framing of the scenario: one HTTP chunk, one packet."""

    data: bytes


class Raw(Struct, frozen=True):
    """Bytes past the framing."""

    data: bytes


class Wait(Struct, frozen=True):
    """Until the test opens the gate (or the client goes)."""

    gate: threading.Event


class Stall(Struct, frozen=True):
    """Nothing more, until the client goes."""


class Repeat(Struct, frozen=True):
    """The same bytes again and again, until the client goes: keep-alives without an answer.

    A client that never goes is let go after `longest` seconds, so that its test fails and does not hang.
    """

    data: bytes
    every: float = 0.02
    longest: float = 3.0


class Fin(Struct, frozen=True):
    """The connection ends here, whatever the framing had promised."""


class Reset(Struct, frozen=True):
    """The connection is torn down here."""


Step = Send | Raw | Wait | Stall | Repeat | Fin | Reset


class Scenario(Struct, frozen=True):
    """One response. Without a step that ends the connection the body ends as its framing says."""

    steps: tuple[Step, ...] = ()
    status: int = 200
    headers: Mapping[str, str] = {}
    content_type: str | None = "text/event-stream; charset=utf-8"
    framing: Literal["chunked", "length", "close"] = "chunked"
    length: int | None = None
    """The Content-Length that is claimed; None for the true one."""
    head: bool = True
    """Whether anything is answered before the steps."""

    @property
    def body(self) -> bytes:
        """What is sent of the body, when all steps are played."""
        return b"".join(step.data for step in self.steps if isinstance(step, Send))

    def then(self, *steps: Step | bytes) -> "Scenario":
        """The same with more at the end."""
        return structs.replace(self, steps=(*self.steps, *_steps(steps)))

    def but(self, **changes: Any) -> "Scenario":
        """The same with these fields changed."""
        return structs.replace(self, **changes)


def stream(*parts: Iterable[bytes] | Step | bytes, **fields: Any) -> Scenario:
    """A streamed answer: lists of packets, packets and steps, one after the other."""
    steps: list[Step] = []
    for part in parts:
        steps += _steps((part,) if isinstance(part, bytes | Step) else part)
    return Scenario(tuple(steps), **fields)


def document(body: bytes | str | dict[str, Any], *, status: int = 200, **fields: Any) -> Scenario:
    """An answer that is no stream: JSON from a dict, else HTML."""
    kind = "application/json" if isinstance(body, dict) else "text/html; charset=utf-8"
    data = json.dumps(body).encode() if isinstance(body, dict) else body.encode() if isinstance(body, str) else body
    fields = {"content_type": kind, "framing": "length"} | fields
    return Scenario((Send(data),) if data else (), status, **fields)


def redirect(url: str, status: int = 307) -> Scenario:
    """To somewhere else."""
    return document("<p>over there", status=status, headers={"location": url})


def reset_before_answer() -> Scenario:
    """The connection is torn down before a byte of the answer."""
    return Scenario((Reset(),), head=False)


def cut_in_chunk(packets: Iterable[bytes]) -> Scenario:
    """The last packet is announced whole, half of it comes, and the connection ends."""
    *whole, last = packets
    return stream(whole, Raw(b"%x\r\n%s" % (len(last), last[: len(last) // 2])), Fin())


def bad_chunk_size(packets: Iterable[bytes]) -> Scenario:
    """Where the size of the next chunk should be, there is none."""
    return stream(packets, Raw(b"wat?\r\n\r\n"), Stall())


def short_length(packets: Iterable[bytes]) -> Scenario:
    """More was promised than comes."""
    packets = list(packets)
    return stream(packets, framing="length", length=sum(map(len, packets)) + 1000).then(Fin())


def gzipped(packets: Iterable[bytes], *, damaged: bool = False) -> Scenario:
    """The packets compressed, each one readable as it comes; damaged: what follows them is not compressed data."""
    squeeze = zlib.compressobj(wbits=31)
    parts = [squeeze.compress(each) + squeeze.flush(zlib.Z_SYNC_FLUSH) for each in packets]
    parts.append(b"\xff" * 64 if damaged else squeeze.flush())
    return stream(parts, headers={"content-encoding": "gzip"})


def gzip_document(body: bytes, **fields: Any) -> Scenario:
    """A document compressed."""
    return document(gzip.compress(body), headers={"content-encoding": "gzip"}, **fields)


def _steps(parts: Iterable[Step | bytes]) -> list[Step]:
    return [Send(part) if isinstance(part, bytes) else part for part in parts]
