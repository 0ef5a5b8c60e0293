"""An event loop beside a WSGI server's threads: where the runs live, and how a request gets something done there.

There is one for each process, begun by the first request, which is after any fork. Its thread is whatever the process
calls a thread. Under gevent that is a greenlet, and the loop waits in gevent's hub as all greenlets do: a thread of
its own would meet the others at the locks of `logging` and of imports, which gevent has made its own, and of which two
real threads may both wait for good.
"""

import asyncio
import atexit
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
_FAREWELL = 5.0
"""Seconds that the end of the process waits for what is to be closed."""


class Background:
    """The loop; `do` has it run something. `close` is what is to be done there when the process ends."""

    def __init__(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._close = close
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0
        self._starting = threading.Lock()

    def do(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Run this on the loop; the future is for any thread to wait for."""
        return asyncio.run_coroutine_threadsafe(work, self._started())

    def call(self, function: Callable[[], object]) -> None:
        """Call this on the loop, soon."""
        self._started().call_soon_threadsafe(function)

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is not None and self._process == os.getpid():
            return self._loop
        with self._starting:
            if self._loop is None or self._process != os.getpid():
                loop = _gevents() if is_under_gevent() else asyncio.new_event_loop()
                threading.Thread(target=loop.run_forever, name="streamchat", daemon=True).start()
                atexit.register(self._end, loop)
                self._loop, self._process = loop, os.getpid()
            return self._loop

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._process == os.getpid():
            ended = asyncio.run_coroutine_threadsafe(self._close(), loop)
            try:
                ended.result(_FAREWELL)
            except Exception as exc:  # the process ends all the same
                print(f"streamchat: not all was closed: {type(exc).__name__}: {exc}", file=sys.stderr)  # noqa: T201


def is_under_gevent() -> bool:
    """Whether a thread is a greenlet here."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and monkey.is_module_patched("threading")


def _gevents() -> asyncio.AbstractEventLoop:
    """A loop that waits in the hub. Which loop is the running one is kept for each real thread, and other greenlets
    share ours: while we wait, it is again the one that was there."""
    from gevent.selectors import GeventSelector

    selector = GeventSelector()
    wait, before = selector.select, None

    def select(timeout: float | None = None) -> Any:
        nonlocal before
        ours = asyncio._get_running_loop()
        asyncio._set_running_loop(before)
        try:
            return wait(timeout)
        finally:
            before = asyncio._get_running_loop()
            asyncio._set_running_loop(ours)

    selector.select = select  # type: ignore[method-assign]  # a subclass would need gevent at import
    return asyncio.SelectorEventLoop(selector)
