"""The web side for FastAPI: a router to mount into any app, and the whole server's app; alone in importing fastapi.

    from fastapi import FastAPI
    from streamchat.web.fastapi import router

    app = FastAPI()
    app.include_router(router(), prefix="/chat")

A streamed answer is sent by a response of our own: two tasks for a reader and no queue. It stops reading as soon as
the client has hung up, and is told so by the server, not by a write that fails.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI
from fastapi import Request as Incoming
from fastapi.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from streamchat.config import load
from streamchat.prices import warm
from streamchat.web.app import App
from streamchat.web.http import STREAM_HEADERS, Answer, Request, Streamed
from streamchat.web.routes import ROUTES, Opened, Route, answer, methods, missing, opened, too_large

PUSH = "streamchat.push"
"""The extension of ASGI by which our own server takes a piece of the body without a task: its `write` is a
`reader.Push`. Nothing that stands between the server and the routes sees what goes this way."""
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def router(app: App | None = None) -> APIRouter:
    """All routes, to be included anywhere. Without an App: one by this person's configuration, which answers to
    loopback names and is closed with the app that it is mounted into; `router.streamchat` is that App."""
    ours = app or App(load(nearby=False))

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        warming = asyncio.ensure_future(asyncio.to_thread(warm))
        try:
            yield
        finally:
            await warming
            await ours.aclose()

    found = APIRouter(lifespan=lifespan)
    for route in ROUTES:
        endpoint = _endpoint(ours, route)
        if "HEAD" in methods(route):
            found.add_api_route(route.path, endpoint, methods=["HEAD"], response_model=None, include_in_schema=False)
        found.add_api_route(
            route.path,
            endpoint,
            methods=[route.method],
            response_model=None,
            summary=(route.do.__doc__ or "").strip().splitlines()[0],
            name=f"{route.do.__module__.rpartition('.')[2]}_{route.do.__name__}",
            openapi_extra=_documented(route),
        )
    found.streamchat = ours  # type: ignore[attr-defined]  # for who mounts it: its guard makes the page's address
    return found


def application(app: App, *, docs: bool = False) -> ASGIApp:
    """The server of `streamchat serve`: the routes at the root, and one answer for every other address."""
    api = FastAPI(
        title="streamchat",
        docs_url="/docs" if docs else None,
        redoc_url=None,
        openapi_url="/openapi.json" if docs else None,
    )
    api.include_router(router(app))

    @api.api_route(
        "/{path:path}", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], include_in_schema=False
    )
    async def elsewhere(incoming: Incoming) -> Response:
        request = _head(incoming, "")
        cors = app.guard.cors_headers(request)
        if incoming.method == "OPTIONS" and cors:
            return Response(status_code=204, headers=cors)
        return _whole(missing(app, request))

    return Direct(app, api)


class Direct:
    """The routes without FastAPI around them: an app is twenty calls deep, and each stream holds all of them, and what
    they hold, for as long as it is open. Where no route fits, and for the documentation, the app behind answers."""

    def __init__(self, app: App, behind: ASGIApp) -> None:
        self._behind = behind
        self._routes = [(methods(route), compile_path(route.path)[0], _endpoint(app, route)) for route in ROUTES]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answered(scope, receive) or self._behind
        await response(scope, receive, send)

    async def _answered(self, scope: Scope, receive: Receive) -> Response | None:
        if scope["type"] != "http":
            return None
        for known, pattern, endpoint in self._routes:
            if scope["method"] in known and (found := pattern.match(scope["path"])):
                return await endpoint(Incoming({**scope, "path_params": found.groupdict()}, receive))
        return None


class EventStream(Response):
    """Sends what a reader reads, until its end or until the client has hung up."""

    def __init__(self, streamed: Streamed, headers: dict[str, str]) -> None:
        super().__init__(None, 200, {**STREAM_HEADERS, **streamed.headers, **headers})
        del self.headers["content-length"]
        self._streamed, self._around = streamed, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        streamed = self._streamed
        watching = asyncio.ensure_future(_gone(receive, self._hung_up))
        try:
            whole = await self._begun(watching)
            if whole is not None:
                await _whole(whole, self._around)(scope, receive, send)
                return
            if watching.done():
                return
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            streamed.reader.push = scope.get("extensions", {}).get(PUSH, {}).get("write")
            while data := await streamed.reader.read():
                await send({"type": "http.response.body", "body": data, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            watching.cancel()
            streamed.reader.leave()

    async def _begun(self, watching: "asyncio.Future[None]") -> Answer | None:
        """The whole answer if it is not to be streamed; who hangs up meanwhile is not waited for."""
        begun = asyncio.ensure_future(self._streamed.begun())
        try:
            await asyncio.wait((begun, watching), return_when=asyncio.FIRST_COMPLETED)
            return begun.result() if begun.done() else None
        finally:
            begun.cancel()

    def _hung_up(self) -> None:
        self._streamed.reader.gone()


async def _gone(receive: Receive, then: Callable[[], None]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    then()


def _endpoint(app: App, route: Route) -> Callable[[Incoming], Awaitable[Response]]:
    async def endpoint(incoming: Incoming) -> Response:
        request = _head(incoming, route.path)
        cors = app.guard.cors_headers(request)
        let_in = opened(app, route, request)
        if isinstance(let_in, Answer):
            return _whole(let_in, cors)
        body = await _body(incoming, let_in)
        if body is None:
            return _whole(route.refused(too_large(app)), cors)
        request = msgspec.structs.replace(request, body=body, user=let_in.user)
        found = await answer(app, route, request, dict(incoming.path_params))
        return EventStream(found, cors) if isinstance(found, Streamed) else _whole(found, cors)

    return endpoint


def _head(incoming: Incoming, path: str) -> Request:
    scope = incoming.scope
    root = str(scope.get("root_path", ""))
    here = incoming.url.path
    if path and not scope.get("root_path"):  # included under a prefix, which Starlette does not tell apart
        filled = path.replace(":path}", "}").format(**incoming.path_params)
        root = here[: len(here) - len(filled)] if here.endswith(filled) else ""
    return Request(
        incoming.method,
        path or here.removeprefix(root),
        {name.lower(): value for name, value in incoming.headers.items()},
        dict(incoming.query_params),
        root=root,
        secure=incoming.url.scheme == "https",
    )


async def _body(incoming: Incoming, let_in: Opened) -> bytes | None:
    """The body; None as soon as there is too much of it."""
    parts: list[bytes] = []
    size = 0
    async for part in incoming.stream():
        size += len(part)
        if size > let_in.most:
            return None
        parts.append(part)
    return b"".join(parts)


def _whole(found: Answer, headers: dict[str, str] | None = None) -> Response:
    return Response(found.body, found.status, {**found.headers, **(headers or {})})


def _documented(route: Route) -> dict[str, Any]:
    if route.body is None:
        return {}
    schema = msgspec.json.schema(route.body)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
