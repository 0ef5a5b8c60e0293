"""What draws on the terminal, the editor or a choice: a signal that ends the program ends the drawing first.

It may come at any moment, also while the application is still being put together: then it ends as soon as it begins.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from prompt_toolkit.application import Application, run_in_terminal

from streamchat.repl.crashing import ends_by_errors
from streamchat.repl.reflowing import reflowing


class Drawing:
    """At most one application at a time, each inside of `guarded`; `begun` is to be called when it has begun."""

    def __init__(self) -> None:
        self._app: Application[Any] | None = None
        self._signal: int | None = None

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """SIGTERM and SIGHUP end what is drawn in the block, and then do what they did before."""
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
        for number, handler in handlers.items():
            if callable(handler):
                signal.signal(number, self._end)
        try:
            yield
        except OSError:  # of a terminal that has gone, which is what SIGHUP says
            if self._signal is None:
                raise
        finally:
            self._app = None
            for number, handler in handlers.items():
                signal.signal(number, handler)
            if self._signal is not None and callable(handler := handlers[signal.Signals(self._signal)]):
                handler(self._signal, None)

    def begun(self, app: Application[Any]) -> None:
        """This application draws now, until the block is left."""
        ends_by_errors(app)()
        reflowing(app)
        app.renderer.cpr_not_supported_callback = None  # a warning in capitals, over a slow line a wrong one too
        self._app = app
        if self._signal is not None:
            _leave(app)

    def aside(self, work: Callable[[], None]) -> None:
        """Do the work while nothing is drawn."""
        loop = self._app.loop if self._app is not None else None
        if loop is None:
            work()
        else:
            loop.call_soon_threadsafe(lambda: run_in_terminal(work) and None)

    def _end(self, number: int, _: FrameType | None) -> None:
        self._signal = number
        app = self._app
        if app is not None and app.loop is not None:
            app.loop.call_soon_threadsafe(_leave, app)


def _leave(app: Application[Any]) -> None:
    if app.future is not None and not app.future.done():
        app.exit(exception=EOFError)
