"""Every route of the web side, for all frameworks: to add one, add a line.

`answer` is the one door: each request goes through the guard, then to the function of its route, and what goes wrong
there becomes an answer. A route that is not `public` wants the token or the page's cookie.
"""

import inspect
import re
import sys
from collections.abc import Awaitable, Callable
from typing import Any, get_args

from msgspec import Struct

from streamchat.errors import ChatError
from streamchat.web import (
    about,
    assets,
    completion_chunks,
    completions,
    conversations,
    listing,
    message_events,
    messages,
    runs,
)
from streamchat.web.app import App
from streamchat.web.asking import Asked
from streamchat.web.errors import WebError
from streamchat.web.http import Answer, Request, Streamed, refused

Do = Callable[..., Awaitable[Answer | Streamed]]


class Route(Struct, frozen=True):
    """`{name}` in the path is an argument of `do`, `{name:path}` one that may have slashes. `body` is the type that its
    body has, for the documentation."""

    method: str
    path: str
    do: Do
    body: type[Struct] | None = None
    public: bool = False
    refused: Callable[[ChatError], Answer] = refused


PAGE = (
    Route("GET", "/", assets.page, public=True),
    Route("GET", "/assets/{version}/{name}", assets.asset, public=True),
)
API = (
    Route("GET", "/api/health", about.health, public=True),
    Route("GET", "/api/config", about.config),
    Route("POST", "/api/session", about.entered, about.Code, public=True),
    Route("DELETE", "/api/session", about.left, public=True),
    Route("POST", "/api/chat", runs.chat, Asked),
    Route("GET", "/api/runs", runs.active),
    Route("GET", "/api/runs/{id}/events", runs.events),
    Route("PATCH", "/api/runs/{id}", runs.held, runs.Held),
    Route("DELETE", "/api/runs/{id}", runs.stopped),
    Route("GET", "/api/conversations", conversations.listed),
    Route("POST", "/api/conversations", conversations.created, conversations.New),
    Route("GET", "/api/conversations/{id}", conversations.shown),
    Route("PATCH", "/api/conversations/{id}", conversations.changed, conversations.Change),
    Route("DELETE", "/api/conversations/{id}", conversations.deleted),
    Route("GET", "/api/conversations/{id}/export", conversations.exported),
    Route("POST", "/stream", runs.simple, runs.Simply),
)
VENDORS = (
    Route("GET", "/v1/models", listing.models, refused=completion_chunks.refused),
    Route("GET", "/v1/models/{id:path}", listing.model, refused=completion_chunks.refused),
    Route(
        "POST", "/v1/chat/completions", completions.completions, completions.Asked, refused=completion_chunks.refused
    ),
    Route("POST", "/v1/messages", messages.messages, messages.Asked, refused=message_events.refused),
    Route("POST", "/v1/messages/count_tokens", messages.count_tokens, messages.Counted, refused=message_events.refused),
)
ROUTES = (*PAGE, *API, *VENDORS)


def is_lasting(route: Route) -> bool:
    """Whether it may take as long as a model's answer does; its type says so."""
    return Streamed in get_args(inspect.signature(route.do).return_annotation)


def methods(route: Route) -> tuple[str, ...]:
    """What the route answers to: HEAD too where it gives something that is there already, for those who only want to
    know whether it is."""
    return ("GET", "HEAD") if route.method == "GET" and not is_lasting(route) else (route.method,)


class Opened(Struct, frozen=True):
    """A request that was let in: its body may be read, up to `most` bytes."""

    user: str
    most: int


def opened(app: App, route: Route, request: Request) -> Opened | Answer:
    """Decide by the head of a request alone whether it is let in; the answer to one that is not."""
    try:
        app.guard.check(request)
        length = request.headers.get("content-length", "0")
        if length.isdigit() and int(length) > app.limits.body:
            raise too_large(app)
        return Opened("" if route.public else app.guard.user(request), app.limits.body)
    except ChatError as exc:
        return route.refused(exc)


async def answer(app: App, route: Route, request: Request, arguments: dict[str, Any]) -> Answer | Streamed:
    """What the route answers; errors as answers in its own format."""
    try:
        return await route.do(app, request, **arguments)
    except ChatError as exc:
        return route.refused(app.unplaced.error(exc))
    except Exception as exc:  # a bug of ours: one line in the log, no insides in the answer
        print(f"streamchat: {route.method} {route.path}: {type(exc).__name__}: {exc}", file=sys.stderr)  # noqa: T201
        return route.refused(WebError(500, "internal", "an error in the server itself"))


def too_large(app: App) -> WebError:
    """The body is longer than it may be."""
    return WebError(413, "too_large", f"the body is longer than {app.limits.body:,} bytes")


def missing(app: App, request: Request) -> Answer:
    """No route has this path, or none of those that have it this method."""
    fitting = [route for route, pattern in _PATHS if pattern.fullmatch(request.path)]
    try:
        app.guard.check(request)
    except ChatError as exc:
        return refused(exc)
    if not fitting:
        return refused(WebError(404, "not_found", "there is nothing at this address"))
    allowed = ", ".join(method for route in fitting for method in methods(route))
    answer = fitting[0].refused(WebError(405, "method", f"this address takes {allowed}, not {request.method}"))
    answer.headers["allow"] = allowed
    return answer


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+(:path)?\}", lambda name: ".+" if name[1] else "[^/]+", path))


_PATHS = [(route, _pattern(route.path)) for route in ROUTES]
