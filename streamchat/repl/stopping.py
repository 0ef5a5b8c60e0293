"""Stopping an answer: Esc and Ctrl+C become an exception exactly where the program waits for the provider.

An answer is asked for, shown and journaled in the main thread, where a signal interrupts a system call that blocks: a
stalled read ends at once and its connection is closed on the way out, by the thread that reads from it. (Closing a
response from another thread while a read blocks leaves that read blocked on Linux.) Everywhere else the wish is kept
until the next wait, so that no line of the journal is ever torn by it.
"""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

from streamchat.chat import Chat
from streamchat.providers.base import Provider, Response
from streamchat.providers.wrapped import Wrapped

Result = TypeVar("Result")


class Stop:
    """The wish to stop, from any thread; raises KeyboardInterrupt in the main one inside `waiting`. Use in a `with`."""

    def __init__(self) -> None:
        self.wanted = False
        self._waits = False
        self._handler: Any = None

    def __enter__(self) -> Self:
        self._handler = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        signal.signal(signal.SIGINT, self._handler)

    def now(self) -> None:
        """Stop; wakes the main thread from whatever it waits for."""
        self.wanted = True
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def waiting(self, work: Callable[[], Result]) -> Result:
        """Do what may take long; KeyboardInterrupt as soon as a stop is wanted."""
        self._waits = True
        try:
            if self.wanted:
                raise KeyboardInterrupt
            return work()
        finally:
            self._waits = False

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.wanted = True
        if self._waits:
            self._waits = False
            raise KeyboardInterrupt


class Stoppable(Wrapped):
    """A provider whose answers can be stopped; otherwise the provider that it is made of."""

    def __init__(self, provider: Provider, stop: Stop) -> None:
        super().__init__(provider)
        self._stop = stop

    @contextlib.contextmanager
    def open(self, chat: Chat) -> Iterator[Response]:
        with contextlib.ExitStack() as stack:
            opened = self.provider.open(chat)
            yield _Response(self._stop.waiting(lambda: stack.enter_context(opened)), self._stop)

    def pause(self, seconds: float) -> None:
        self._stop.waiting(lambda: self.provider.pause(seconds))


class _Response:
    def __init__(self, response: Response, stop: Stop) -> None:
        self.headers = response.headers
        self._response, self._stop = response, stop

    def iter_bytes(self) -> Iterator[bytes]:
        chunks = iter(self._response.iter_bytes())
        while (chunk := self._stop.waiting(lambda: next(chunks, None))) is not None:
            yield chunk
