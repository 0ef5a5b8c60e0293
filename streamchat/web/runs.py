"""The runs by HTTP: begin one, read it again from any place, stop it; and what the tutorials call a stream."""

from typing import Any

from msgspec import Struct

from streamchat.chat import Chat, Message
from streamchat.pump import AsyncStream
from streamchat.web.app import App
from streamchat.web.asking import Asked, ask, check_size, limited
from streamchat.web.encoding import Simple
from streamchat.web.errors import StoppedError, WebError
from streamchat.web.http import Answer, Request, Streamed, answer_json, refused
from streamchat.web.page_view import Position
from streamchat.web.reader import Source
from streamchat.web.run import Run
from streamchat.web.viewing import PageReader


class Simply(Struct):
    """The body of POST /stream: `message`, and `system_prompt` if there is one."""

    message: str
    system_prompt: str | None = None
    model: str = ""


class Held(Struct, forbid_unknown_fields=True):
    """The body of PATCH /api/runs/{id}: `grace`, the seconds for which it goes on without a reader; null: as usual."""

    grace: float | None = None


async def chat(app: App, request: Request) -> Answer | Streamed:
    """Ask, and read the answer as it comes."""
    asked: Asked = request.json(Asked)
    known = app.hub.asked_before(request.user, asked.request_id)
    if known is None and app.elsewhere is not None:
        elsewhere = await app.elsewhere.asked_before(request.user, asked.request_id)
        if elsewhere is not None:
            return _read(elsewhere, "", page=asked.view == "page", fresh=False)
    run = known or await ask(app, asked, request.user)
    return _read(run, "", page=asked.view == "page", fresh=known is None)


async def events(app: App, request: Request, id: str) -> Answer | Streamed:  # noqa: A002
    """Read a run from a place on: `Last-Event-ID`, or `after`."""
    run: Source | None = app.hub.find(id)
    if run is None and app.elsewhere is not None:
        run = await app.elsewhere.find(id, request.user)
    if run is None or run.user != request.user:
        raise _missing()
    after = request.headers.get("last-event-id", "") or request.query.get("after", "")
    return _read(run, after, page=request.query.get("view") == "page", fresh=False)


async def active(app: App, request: Request) -> Answer:
    """The runs under way of who asks."""
    elsewhere = await app.elsewhere.active(request.user) if app.elsewhere is not None else []
    return answer_json([*(_described(run) for run in app.hub.active(request.user)), *elsewhere])


async def stopped(app: App, request: Request, id: str) -> Answer:  # noqa: A002
    """Stop: end the answer now; what came is kept."""
    run = app.hub.find(id)
    if run is None and app.elsewhere is not None and await app.elsewhere.stop(id, request.user):
        return Answer(202)
    if run is None or run.user != request.user:
        raise _missing()
    run.stop(StoppedError("stopped", "the answer was stopped; what came is kept"))
    return Answer(202)


async def held(app: App, request: Request, id: str) -> Answer:  # noqa: A002
    """Have it go on without a reader for longer: a tab that nobody sees gives its connection back and comes again."""
    grace = request.json(Held).grace
    if grace is not None and not 0 <= grace <= app.limits.run_seconds:
        raise WebError(422, "invalid", f"grace is a number of seconds from 0 to {app.limits.run_seconds:g}")
    grace = app.limits.grace if grace is None else grace
    run = app.hub.find(id)
    if run is None and app.elsewhere is not None and await app.elsewhere.hold(id, request.user, grace):
        return Answer(204)
    if run is None or run.user != request.user:
        raise _missing()
    run.hold(grace)
    return Answer(204)


async def simple(app: App, request: Request) -> Answer | Streamed:
    """The events of the tutorials: `{"token"}` and at last `{"done"}`; nothing is kept."""
    asked: Simply = request.json(Simply)
    check_size([asked.message], app.limits)
    if not asked.message.strip():
        raise WebError(422, "invalid", "the message is empty")
    with app.hub.place(request.user):
        app.rate.take(request.user)
        provider, model = await app.upstream.find(asked.model)
        system = asked.system_prompt or app.settings.defaults.system or None
        chat = Chat(model, (Message("user", asked.message),), system, limited(app))
        stream = AsyncStream(provider, chat, told=app.unplaced.error)
        run = Run(stream, Simple(), limit=app.limits.run_seconds, user=request.user)
        app.hub.begin(run)
    return Streamed(run, run.join(), refused)


def _read(run: Source, after: str, *, page: bool, fresh: bool) -> Streamed:
    reader: Any = PageReader(run, run.join(0), _position(after)) if page else run.join(_place(after))
    return Streamed(run, reader, refused, {"x-run-id": run.id}, fresh=fresh)


def _position(after: str) -> Position | None:
    try:
        return Position.parse(after) if after else None
    except ValueError as exc:
        raise WebError(422, "invalid", f"{exc}") from exc


def _place(after: str) -> int:
    if after and not (after.isascii() and after.isdigit() and len(after) < 10):
        raise WebError(422, "invalid", "the id of an event is a number")
    return int(after) + 1 if after else 0


def _missing() -> WebError:
    return WebError(404, "not_found", "there is no such run (any more): its answer is in its conversation")


def _described(run: Run) -> dict[str, Any]:
    return {
        "run": run.id,
        "conversation": run.conversation,
        "message": run.message,
        "model": f"{run.reply.provider}/{run.reply.model}",
        "started": run.created,
        "seq": len(run.log),
    }
