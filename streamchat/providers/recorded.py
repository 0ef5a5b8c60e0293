"""Keeps the raw bytes of what a provider sends, with their times, as a recording that `replay` plays.

What is kept is the response's body: no request, no header, and the key taken out should a server have quoted it. The
file is written whole when the response ends, or is left; of several tries the last one is kept.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from streamchat.chat import Chat
from streamchat.providers.base import Provider, Response
from streamchat.providers.replay import WIRES
from streamchat.providers.wrapped import Wrapped


class Recorded(Wrapped):
    """A provider whose answers go to `keep` too: the text of a recording, once for each response."""

    def __init__(self, provider: Provider, keep: Callable[[str], None]) -> None:
        super().__init__(provider)
        self._keep = keep

    @contextmanager
    def open(self, chat: Chat) -> Iterator[Response]:
        begun = time.monotonic()
        lines: list[dict[str, Any]] = [
            {"type": "recording", "wire": self._wire(chat), "provider": self.name, "model": chat.model}
        ]
        try:
            with self.provider.open(chat) as response:
                yield _Tapped(response, lambda chunk: lines.append(self._line(chunk, time.monotonic() - begun)))
        finally:
            if len(lines) > 1:
                self._keep("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))

    def _wire(self, chat: Chat) -> str:
        kind = type(self.wire(chat))
        return next(name for name, wire in WIRES.items() if wire is kind)

    def _line(self, chunk: bytes, at: float) -> dict[str, Any]:
        try:
            text = chunk.decode()
        except UnicodeDecodeError:  # a character was cut
            return {"at": round(at, 3), "base64": base64.b64encode(chunk).decode()}
        return {"at": round(at, 3), "data": self.endpoint.without_key(text)}


class _Tapped:
    def __init__(self, response: Response, put: Callable[[bytes], None]) -> None:
        self.headers = response.headers
        self._response, self._put = response, put

    def iter_bytes(self) -> Iterator[bytes]:
        for chunk in self._response.iter_bytes():
            self._put(chunk)
            yield chunk
