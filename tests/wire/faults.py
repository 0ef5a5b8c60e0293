"""The faults of connection, protocol and provider.

To add one, add a `Case` to a function below; each function gives the cases of one kind for one wire format.
"""

from collections.abc import Iterator
from typing import Any

from streamchat.errors import (
    AuthError,
    BusyError,
    ChatError,
    CutError,
    NetworkError,
    ProviderError,
    StalledError,
    UnknownModelError,
)
from tests.wire import scenario as play
from tests.wire.answers import CHAT, MESSAGES, RESPONSES, Format
from tests.wire.case import DELTAS, KEPT, WHOLE, Case, begun
from tests.wire.chat import chat_error
from tests.wire.messages import message_event
from tests.wire.payload import event
from tests.wire.responses import responses_answer
from tests.wire.scenario import Fin, Repeat, Reset, Scenario, Stall, stream

PAGE = "<html><head><title>502 Bad Gateway</title></head><body>" + "<p>nginx</p>" * 200 + "</body></html>"


def connection(form: Format) -> Iterator[Case]:
    """Nobody is there, or somebody else."""
    refused = ("{host}", "refused")
    yield Case("refused", form, error=NetworkError, words=refused, place="refused", tries=0)
    unknown = ("no-such-host.invalid",)
    yield Case("unknown name", form, error=NetworkError, words=unknown, place="unknown name", tries=0)
    yield Case("no TLS there", form, error=NetworkError, words=("{host}",), place="no TLS", tries=0)
    yield Case("no scheme", form, error=NetworkError, words=("http",), place="no scheme", tries=0)
    reset = play.reset_before_answer()
    yield Case("reset before the answer", form, (reset,), error=NetworkError, words=("{host}",))
    gone = Scenario((Fin(),), head=False)
    yield Case("closed before the answer", form, (gone,), error=NetworkError, words=("{host}",))
    garbage = Scenario((play.Raw(b"SSH-2.0-OpenSSH_9.6\r\n"), Fin()), head=False)
    yield Case("not HTTP", form, (garbage,), error=NetworkError, words=("{host}",))
    silent = Scenario((Stall(),), head=False)
    yield Case("silence", form, (silent,), error=StalledError, words=("{host}", "0.3 s"), timeout=0.3)
    answer = stream(form.answer(DELTAS))
    yield Case("reset, then an answer", form, (reset, answer), text=WHOLE, tries=2)


STATUSES: dict[int, type[ChatError]] = {
    400: ProviderError,
    401: AuthError,
    402: ProviderError,
    403: AuthError,
    404: UnknownModelError,
    408: BusyError,
    409: ProviderError,
    413: ProviderError,
    422: ProviderError,
    429: BusyError,
    500: ProviderError,
    502: ProviderError,
    503: BusyError,
    504: ProviderError,
    529: BusyError,
}


def statuses(form: Format) -> Iterator[Case]:
    """The provider says no."""
    for status, error in STATUSES.items():
        body = form.error_body("The reason why.", "some_error")
        refusal = play.document(body, status=status)
        yield Case(f"status {status}", form, (refusal,), error=error, words=("The reason why.",))
    for status in (401, 403, 404, 429, 502, 503):
        page = play.document(PAGE, status=status)
        unwords = ("<", "nginx")
        yield Case(f"status {status} with a page", form, (page,), error=STATUSES[status], unwords=unwords)
    for status in (400, 500):
        empty = play.document("", status=status)
        yield Case(f"status {status} with nothing", form, (empty,), error=ProviderError, words=(str(status),))
        text = play.document("upstream connect error", status=status, content_type="text/plain")
        words = (str(status), "upstream connect error")
        yield Case(f"status {status} with text", form, (text,), error=ProviderError, words=words)
    quota = play.document(form.error_body("You exceeded your quota.", "insufficient_quota"), status=429)
    yield Case("quota", form, (quota,), error=BusyError, words=("You exceeded your quota.",))


def retries(form: Format) -> Iterator[Case]:
    """The provider says: later."""
    answer = stream(form.answer(DELTAS))
    for status in (408, 409, 429, 500, 503, 529):
        body = form.error_body("Later.", "some_error")
        later = play.document(body, status=status, headers={"retry-after-ms": "1"})
        yield Case(f"status {status}, then an answer", form, (later, answer), text=WHOLE, tries=2)
    soon = play.document(form.error_body("Later.", "x"), status=429, headers={"retry-after": "0.2"})
    yield Case("Retry-After 0.2, then an answer", form, (soon, answer), text=WHOLE, tries=2)
    hours = play.document(form.error_body("Later.", "x"), status=429, headers={"retry-after": "7200"})
    yield Case("Retry-After 7200", form, (hours,), error=BusyError, words=("Later.",), retry_after=7200)


def transport(form: Format) -> Iterator[Case]:
    """The connection breaks in the middle."""
    part = begun(form)
    broken = {
        "reset": stream(part, Reset()),
        "cut in a chunk": play.cut_in_chunk([*part, form.answer(["x"])[-1]]),
        "cut between chunks": stream(part, Fin()),
        "bad chunk size": play.bad_chunk_size(part),
        "short length": play.short_length(part),
        "gzip damage": play.gzipped(part, damaged=True),
    }
    for name, scenario in broken.items():
        together = name == "bad chunk size"
        told: dict[str, Any] = {"words": ("{host}",), "stop": "network", "in_one_piece": together}
        yield Case(name, form, (scenario,), text=KEPT, error=NetworkError, **told)
    packets = form.answer(DELTAS)
    for name, scenario in {
        "gzip": play.gzipped(packets),
        "a length": stream(packets, framing="length"),
        "closing": stream(packets, framing="close"),
    }.items():
        yield Case(f"framed by {name}", form, (scenario,), text=WHOLE)


def ends(form: Format) -> Iterator[Case]:
    """The stream ends too soon, too late or not at all."""
    part = begun(form)
    cut: dict[str, Any] = {"error": CutError, "stop": "network"}
    yield Case("no end", form, (stream(part),), text=KEPT, **cut)
    yield Case("no end, body ended by closing", form, (stream(part, framing="close"),), text=KEPT, **cut)
    last = form.answer(["x"])[-1]
    half = last[: len(last) // 2]
    yield Case("the end of an event is missing", form, (stream(part, half),), text=KEPT, **cut)
    html = stream(part, PAGE.encode())
    yield Case("a page in the middle", form, (html,), text=KEPT, **cut)
    yield Case("an empty stream", form, (stream(),), **cut)
    yield Case("comments only", form, (stream([b": ping\n\n"] * 3),), **cut)
    stalled: dict[str, Any] = {"error": StalledError, "words": ("{host}", "0.3 s"), "timeout": 0.3, "stop": "network"}
    yield Case("stall", form, (stream(part, Stall()),), text=KEPT, **stalled)
    yield Case("stall before the first event", form, (stream(Stall()),), **stalled)
    late = form.answer(["late"])[:-1]
    yield Case("events after the end", form, (stream(form.answer(DELTAS), late),), text=WHOLE)
    yield Case("a stall after the end", form, (stream(form.answer(DELTAS), Stall()),), text=WHOLE, timeout=1.0)
    yield Case("a reset after the end", form, (stream(form.answer(DELTAS), Reset()),), text=WHOLE)


def keep_alives(form: Format) -> Iterator[Case]:
    """Signs of life without an answer, which are no progress."""
    stalled: dict[str, Any] = {"error": StalledError, "words": ("keep-alives",), "timeout": 0.3}
    pings = Repeat(message_event("ping") if form is MESSAGES else b": ping\n\n")
    yield Case("keep-alives for ever", form, (stream(begun(form), pings),), text=KEPT, **stalled)
    yield Case("keep-alives for ever, at first", form, (stream(pings),), **stalled)


def documents(form: Format) -> Iterator[Case]:
    """Status 200, and no stream."""
    for name, body, words in (
        ("a page", PAGE, ("text/html",)),
        ("JSON", {"object": "list", "data": []}, ("application/json",)),
        ("nothing", "", ("nothing",)),
    ):
        yield Case(f"200 with {name}", form, (play.document(body),), error=ProviderError, words=words)
    said = play.document(form.error_body("The reason why.", "server_error"))
    yield Case("200 with an error", form, (said,), error=ProviderError, words=("The reason why.",))
    busy = play.document(form.error_body("Too many.", "rate_limit_error"))
    yield Case("200 with a rate limit", form, (busy,), error=BusyError, words=("Too many.",))
    squeezed = play.gzip_document(PAGE.encode())
    yield Case("200 with a page, gzip", form, (squeezed,), error=ProviderError, words=("text/html",))
    mute = stream(form.answer(DELTAS), content_type=None)
    yield Case("a stream without a content type", form, (mute,), text=WHOLE)
    plain = stream(form.answer(DELTAS), content_type="text/plain")
    yield Case("a stream as plain text", form, (plain,), text=WHOLE)


EVENT_ERRORS: dict[str, type[ChatError]] = {
    "overloaded_error": BusyError,
    "rate_limit_error": BusyError,
    "rate_limit_exceeded": BusyError,
    "authentication_error": AuthError,
    "permission_error": AuthError,
    "api_error": ProviderError,
    "server_error": ProviderError,
    "invalid_request_error": ProviderError,
}


def error_events(form: Format) -> Iterator[Case]:
    """The stream itself says that something went wrong."""
    for kind, error in EVENT_ERRORS.items():
        said: dict[str, Any] = {"error": error, "words": ("The reason why.",), "stop": "error"}
        failure = form.error("The reason why.", kind)
        yield Case(f"{kind}, first", form, (stream([failure]),), **said)
        yield Case(f"{kind}, in the middle", form, (stream(begun(form), failure),), text=KEPT, **said)
    page = form.error(PAGE, "server_error")
    yield Case("an error with a page", form, (stream([page]),), error=ProviderError)
    lines = form.error("one\r\ntwo\x1b[2Jthree\u202efour", "server_error")
    unwords = ("\n", "\r", "\x1b", "\u202e")
    words = ("one two", "three")
    yield Case("a hostile error", form, (stream([lines]),), error=ProviderError, words=words, unwords=unwords)
    if form is RESPONSES:
        failed = responses_answer(DELTAS[:2], finish="failed", error=("server_error", "The reason why."))
        yield Case("failed", form, (stream(failed),), text=KEPT, error=ProviderError, words=("The reason why.",))
        limited = responses_answer([], finish="failed", error=("rate_limit_exceeded", "Too many."))
        yield Case("failed by a limit", form, (stream(limited),), error=BusyError, words=("Too many.",))
    if form is CHAT:
        coded = event({"error": {"message": "The reason why.", "code": 502}, "choices": []})
        yield Case("OpenRouter's", form, (stream(begun(form), coded),), text=KEPT, error=ProviderError)
        bare = event({"error": "The reason why."})
        yield Case("a bare string", form, (stream([bare]),), error=ProviderError, words=("The reason why.",))
        named = b"event: error\n" + chat_error("The reason why.")
        yield Case("with a name", form, (stream([named]),), error=ProviderError, words=("The reason why.",))


def rubbish(form: Format) -> Iterator[Case]:
    """Bytes that are no answer, and answers that look like rubbish."""
    part = begun(form)
    nonsense: dict[str, Any] = {"text": KEPT, "error": ProviderError, "stop": "error"}
    for name, data in {
        "not JSON": b"{not json",
        "half of JSON": b'{"choices": [{"delta"',
        "another shape": b'{"type": 1, "choices": 2, "delta": 3}',
        "another shape with half an emoji": rb'{"type": 1, "choices": "\ud83d", "delta": 3}',
        "a wrong type beside half an emoji": rb'{"type": 1, "choices": 5, "delta": 3, "x": "\ud83d"}',
        "a list": b"[]",
        "a number": b"42",
        "a string": b'"words"',
        "nested too deep": b"[" * 100_000,
    }.items():
        yield Case(f"data: {name}", form, (stream(part, b"data: " + data + b"\n\n"),), **nonsense)
    bad = [each.replace("wörld".encode(), b"w\xf6rld") for each in form.answer(DELTAS)]
    yield Case("bad UTF-8", form, (stream(bad),), text=WHOLE.replace("ö", "\ufffd"))
