"""A request of a thread is answered on the App's loop; the thread waits, and sees that who asked has not hung up.

WSGI does not tell that a client is gone: a write to it fails, the second one at the earliest. So while a model is
silent something is written every second, and where the server shows the client's socket it is looked at too.
"""

import _socket
import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import Future
from functools import cached_property
from typing import Any

from streamchat.web import gunicorn
from streamchat.web.app import App
from streamchat.web.background import Background
from streamchat.web.http import Answer, Streamed
from streamchat.web.places import Places

LOOK, PING = 0.5, 1.0
"""Seconds of silence after which the client's socket is looked at, and something is sent."""
_NOBODY = Answer(503)


class Served:
    """An App for the threads of one process. `threads`: how many there are, if that is known."""

    def __init__(self, app: App, threads: int | None) -> None:
        self.app = app
        self._threads = threads
        self._background = Background(app.aclose)
        self._watching: Future[None] | None = None

    @cached_property
    def places(self) -> Places:
        """For those routes that last; made by the first request, when the worker is there."""
        worker = gunicorn.worker()
        if worker is not None:
            self._watching = self._background.do(self._watch(worker))
        return Places(self._threads or gunicorn.threads(worker))

    def short(self, work: Coroutine[Any, Any, Answer | Streamed]) -> Answer:
        """The answer of a route that does not last."""
        found = self._background.do(work).result()
        assert isinstance(found, Answer)
        return found

    def long(self, work: Coroutine[Any, Any, Answer | Streamed], environ: Mapping[str, Any]) -> "Answer | Writing":
        """The answer of one that may, for who has taken a place."""
        try:
            found = self._background.do(work).result()
        except BaseException:
            self.places.give()
            raise
        if isinstance(found, Answer):
            self.places.give()
            return found
        writing = Writing(found, self._background, self.places, environ)
        try:
            whole = writing.begun()
        except BaseException:
            writing.close()
            raise
        if whole is not None:
            writing.close()
        return whole or writing

    async def _watch(self, worker: Any) -> None:
        """gunicorn waits for open answers when it is to end; they get their time, and then a last word."""
        while worker.alive:
            await asyncio.sleep(0.1)
        await self.app.hub.drain(self.app.settings.serve.drain)


class Writing:
    """A stream on its way out of one thread. What is read is asked for piece by piece, so a slow client holds nothing
    but its place."""

    def __init__(self, streamed: Streamed, background: Background, places: Places, environ: Mapping[str, Any]) -> None:
        self.streamed = streamed
        self._background, self._places = background, places
        self._socket = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
        self._closed = False

    def begun(self) -> Answer | None:
        """Wait for the first word; the whole answer, if it is not to be streamed or nobody is there any more."""
        begun = self._background.do(self.streamed.begun())
        while not _came(begun):
            if has_hung_up(self._socket):
                begun.cancel()
                return _NOBODY
        return begun.result()

    def pieces(self) -> Iterator[bytes]:
        """What there is to send, with pings in a silence, to the end or until the client has hung up."""
        reader, ping, silent = self.streamed.reader, self.streamed.run.encoder.ping, 0.0
        reading = self._background.do(reader.read())
        while True:
            if not _came(reading):
                if has_hung_up(self._socket):
                    return
                silent += LOOK
                if silent >= PING:
                    silent = 0.0
                    yield ping
                continue
            data = reading.result()
            if not data:
                return
            yield data
            silent = 0.0
            reading = self._background.do(reader.read())

    def close(self) -> None:
        """Leave the run; closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        self._background.call(self._leave)
        self._places.give()

    def _leave(self) -> None:
        self.streamed.reader.gone()
        self.streamed.reader.leave()


def has_hung_up(client: Any) -> bool:
    """Whether the client of this connection has closed it. Of a connection that is not known, nothing is."""
    if client is None or not hasattr(_socket, "MSG_DONTWAIT"):
        return False
    try:
        seen = _socket.socket(fileno=client.fileno())  # the plain one: gevent's would wait for something to come
    except (OSError, ValueError):
        return True
    try:
        return not seen.recv(1, _socket.MSG_PEEK | _socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        seen.detach()


def _came(what: "Future[Any]") -> bool:
    """Whether there is a result, having waited for it a while."""
    try:
        what.exception(LOOK)
    except TimeoutError:
        return what.done()
    return True
