"""Streams that halt in the middle, and what reads them."""

import time
from collections.abc import Callable
from http.client import HTTPResponse
from threading import Event
from typing import Any

from tests.engines import DEADLINE
from tests.wire.chat import chat_answer
from tests.wire.scenario import Scenario, Send, Wait, stream

WORDS = [f"word{number} **and** `more`\n\n" for number in range(12)]


def halted(words: list[str], gate: Event, at: int = 5) -> Scenario:
    """The answer, which goes on after so many pieces when the gate opens."""
    whole = stream(chat_answer(words))
    steps = [step for step in whole.steps if isinstance(step, Send)]
    data = b"".join(step.data for step in steps)
    pieces = [piece + b"\n\n" for piece in data.split(b"\n\n") if piece]
    return Scenario([*map(Send, pieces[:at]), Wait(gate), *map(Send, pieces[at:])])


def read(response: HTTPResponse, until: bytes = b"") -> bytes:
    """What comes, until this has come or until the end."""
    seen = b""
    while not (until and until in seen):
        piece = response.read1(65536)
        if not piece:
            break
        seen += piece
    return seen


def eventually(work: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    until = time.monotonic() + DEADLINE
    while not good(result := work()):
        assert time.monotonic() < until, result
        time.sleep(0.01)
    return result
