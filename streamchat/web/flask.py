"""The web side for Flask: a blueprint to register in any app, and the whole server's app; alone in importing flask.

    from flask import Flask
    from streamchat.web.flask import blueprint

    app = Flask(__name__)
    app.register_blueprint(blueprint(), url_prefix="/chat")

A stream holds a thread of the WSGI server for as long as it is open, so the server needs threads or greenlets:
`gunicorn -k gthread --threads 32` or `gunicorn -k gevent`, and one worker, for a run is known to one process.
"""

import re
from collections.abc import Callable, Iterator

import flask
import msgspec
from werkzeug.wrappers import Response

from streamchat.config import load
from streamchat.web.app import App
from streamchat.web.background import is_under_gevent
from streamchat.web.errors import WebError
from streamchat.web.http import STREAM_HEADERS, Answer, Request
from streamchat.web.routes import ROUTES, Route, answer, is_lasting, methods, missing, opened, too_large
from streamchat.web.threaded import Served, Writing

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_PIECE = 64 * 1024


def blueprint(app: App | None = None, *, threads: int | None = None, name: str = "streamchat") -> flask.Blueprint:
    """All routes, to be registered anywhere. Without an App: one by this person's configuration, which answers to
    loopback names; `blueprint.streamchat` is that App. It is closed with the process.

    `threads`: how many requests the server answers at once; gunicorn's is found out. Two of them are kept from
    streams, so that the page loads and Stop gets through when all others are open.
    """
    served = Served(app or App(load(nearby=False)), threads)
    found = flask.Blueprint(name, __name__)
    for number, route in enumerate(ROUTES):
        found.add_url_rule(
            re.sub(r"{(\w+)(:path)?}", lambda part: f"<path:{part[1]}>" if part[2] else f"<{part[1]}>", route.path),
            endpoint=f"{number}_{route.do.__name__}",
            view_func=_view(served, route),
            methods=[route.method, "OPTIONS"],
            provide_automatic_options=False,
        )
    found.streamchat = served.app  # type: ignore[attr-defined]  # for who registers it: its guard makes the page's address
    return found


def application(app: App | None = None, *, threads: int | None = None) -> flask.Flask:
    """A server of its own: the blueprint at the root, and one answer for every other address."""
    whole = flask.Flask(__name__, static_folder=None)
    whole.url_map.merge_slashes = False
    found = blueprint(app, threads=threads)
    ours: App = found.streamchat  # type: ignore[attr-defined]
    whole.register_blueprint(found)

    def elsewhere(path: str) -> Response:
        return _elsewhere(ours, _head(""))

    whole.add_url_rule(
        "/<path:path>", view_func=elsewhere, methods=METHODS, provide_automatic_options=False, merge_slashes=False
    )
    return whole


class Body:
    """A stream as WSGI wants it: an iterator that the server closes, also one that it never began to read."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._pieces = writing.pieces()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """The server is done with it: it was read to its end, or who read it has hung up."""
        self._writing.close()


def _view(served: Served, route: Route) -> Callable[..., Response]:
    app, lasting, known = served.app, is_lasting(route), methods(route)

    def view(**arguments: str) -> Response:
        request = _head(route.path)
        if flask.request.method not in known:
            return _elsewhere(app, request)
        cors = app.guard.cors_headers(request)
        if not (flask.request.is_multithread or is_under_gevent()):
            return _whole(route.refused(_alone()), cors)
        let_in = opened(app, route, request)
        if isinstance(let_in, Answer):
            return _whole(let_in, cors)
        body = _body(let_in.most)
        if body is None:
            return _whole(route.refused(too_large(app)), cors)
        request = msgspec.structs.replace(request, body=body, user=let_in.user)
        if not lasting:
            return _whole(served.short(answer(app, route, request, arguments)), cors)
        try:
            served.places.take()
        except WebError as exc:
            return _whole(route.refused(exc), cors)
        found = served.long(answer(app, route, request, arguments), flask.request.environ)
        return _whole(found, cors) if isinstance(found, Answer) else _stream(found, cors)

    return view


def _alone() -> WebError:
    return WebError(
        500,
        "one_at_a_time",
        "this server answers one request at a time, so a stream would block it",
        "Start it with threads: gunicorn -k gthread --threads 32, or gunicorn -k gevent.",
    )


def _head(path: str) -> Request:
    incoming = flask.request
    here = incoming.path
    filled = path.replace(":path}", "}").format(**(incoming.view_args or {})) if path else here
    return Request(
        incoming.method,
        path or here,
        {name.lower(): value for name, value in incoming.headers.items()},
        dict(incoming.args.items(multi=True)),
        root=incoming.root_path + here.removesuffix(filled),
        secure=incoming.is_secure,
    )


def _body(most: int) -> bytes | None:
    """The body; None as soon as there is too much of it."""
    flask.request.max_content_length = most + _PIECE  # the limit is the one here, not that of the app around
    body = bytearray()
    while piece := flask.request.stream.read(min(_PIECE, most + 1 - len(body))):
        body += piece
        if len(body) > most:
            return None
    return bytes(body)


def _elsewhere(app: App, request: Request) -> Response:
    cors = app.guard.cors_headers(request)
    if request.method == "OPTIONS" and cors:
        return _whole(Answer(204), cors)
    return _whole(missing(app, request))


def _whole(found: Answer, headers: dict[str, str] | None = None) -> Response:
    response = flask.Response(found.body, found.status)
    del response.headers["content-type"]
    response.headers.update({**found.headers, **(headers or {})})
    return response


def _stream(writing: Writing, headers: dict[str, str]) -> Response:
    """Passed on as it is: nothing on the way gathers it, and the server closes it, whatever happens."""
    response = flask.Response(Body(writing), direct_passthrough=True)
    del response.headers["content-type"]
    response.headers.update({**STREAM_HEADERS, **writing.streamed.headers, **headers})
    return response
