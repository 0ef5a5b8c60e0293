"""A request and what answers it, as values: all that a web framework has to give and to send."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from streamchat.errors import ChatError
from streamchat.web.encoding import encode
from streamchat.web.errors import WebError, described, retry_after, status_of
from streamchat.web.run import Reader, Run

JSON = "application/json"
STREAM_HEADERS: Mapping[str, str] = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    "x-content-type-options": "nosniff",
}


class Request(Struct, frozen=True):
    """One request. `path` is as the route table has it, without what it is mounted under (which is `root`); header
    names are in lower case; `user` is who asks, as the guard found out."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str] = {}
    body: bytes = b""
    root: str = ""
    user: str = ""
    secure: bool = False

    def json(self, kind: Any) -> Any:
        """The body as a value of this type; WebError 422 that says what is wrong with it."""
        try:
            return msgspec.json.decode(self.body or b"{}", type=kind)
        except msgspec.ValidationError as exc:
            raise WebError(422, "invalid", str(exc)) from exc
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise WebError(400, "invalid", f"the body is not JSON: {exc}") from exc


class Answer(Struct):
    """A whole answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}


class Streamed(Struct):
    """An answer that comes while it is made: what `reader` reads. Until the first word its error is a real status,
    as `refusal` puts it. With `whole` nothing is streamed: what that makes of the run at its end is the answer."""

    run: Run
    reader: Reader
    refusal: Callable[[ChatError], Answer]
    headers: dict[str, str] = {}
    whole: Callable[[Run], Answer] | None = None
    fresh: bool = True
    """Whether the run was started by this request: its errors are this request's own."""

    async def begun(self) -> Answer | None:
        """Wait for the first word; the whole answer, if it is not to be streamed."""
        if self.whole is not None:
            await self.run.over()
            return self.refusal(self.run.error) if self.run.error is not None else self.whole(self.run)
        if not self.fresh:
            return None
        await self.run.opened()
        error, reply = self.run.error, self.run.reply
        if error is None or reply.first_token is not None:
            return None
        refusal = self.refusal(error)
        refusal.headers |= self.headers  # the run says what a status cannot: where its question is kept
        return refusal


def answer_json(value: Any, status: int = 200, **headers: str) -> Answer:
    """A value as JSON, which nobody may keep."""
    return Answer(status, encode(value), {"content-type": JSON, "cache-control": "no-store", **headers})


def refused(error: ChatError) -> Answer:
    """An error as an answer in our own format."""
    wait = retry_after(error)
    headers = {} if wait is None else {"retry-after": str(max(1, round(wait)))}
    return answer_json({"error": described(error)}, status_of(error), **headers)
