"""The two pumps: a provider's bytes become events, one at a time, as the consumer pulls them.

`Stream._pump` and `AsyncStream._pump` are the only loops in the program that move data, and this is the only place that
turns a vendor's exceptions into ours. Closing a stream closes the connection, and with it the model's work.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping
from itertools import count
from types import TracebackType
from typing import Self

from streamchat.chat import Chat, Reply
from streamchat.errors import ChatError, ProviderError, StalledError
from streamchat.events import DELTAS, Event, Reasoning, Text
from streamchat.providers.base import Endpoint, Provider, Wire
from streamchat.providers.wire.faults import body_error, one_line
from streamchat.retries import again
from streamchat.sse import Decoder

_KEPT = 4096
"""Bytes of a body that is no event stream which are kept to say what came instead."""


class Reading:
    """One response being read, without I/O: bytes in, events out, each already added to the reply."""

    __slots__ = (
        "_body",
        "_decoder",
        "_frames",
        "_half",
        "_name",
        "_patience",
        "_progress",
        "_reply",
        "_suspect",
        "_wire",
    )

    def __init__(self, wire: Wire, endpoint: Endpoint, headers: Mapping[str, str], reply: Reply) -> None:
        self._wire, self._name, self._reply = wire, endpoint.name, reply
        self._patience = endpoint.idle_timeout
        self._progress = time.monotonic()
        self._decoder = Decoder()
        self._half: dict[type[Text | Reasoning], str] = {}
        kind = headers.get("content-type", "").split(";")[0].strip().lower()
        self._suspect = "" if kind == "text/event-stream" else kind or "no content type"
        self._body = b""
        self._frames = 0

    @property
    def ended(self) -> bool:
        """Whether the end marker was seen: what may come after it is not ours."""
        return self._wire.ended

    def take(self, chunk: bytes) -> tuple[list[Event], ChatError | None]:
        """The events that these bytes completed, and the error behind them: what came before it is not lost to it.
        StalledError when only keep-alives have come for too long."""
        events: list[Event] = []
        if self._suspect and len(self._body) < _KEPT:
            self._body += chunk[:_KEPT]
        try:
            for frame in self._decoder.feed(chunk):
                self._frames += 1
                for event in self._wire.read(frame):
                    whole = self._joined(event)
                    if whole is not None:
                        self._reply.add(whole)
                        events.append(whole)
                if self._wire.ended:
                    return events, None
        except ChatError as exc:
            return events, exc
        return events, None if events else self._stalled()

    def resume(self) -> None:
        """The consumer is back and wants more: its own time is not the provider's silence."""
        self._progress = time.monotonic()

    def close(self) -> Iterator[Event]:
        """The body has ended: what was held back, and the Stop. CutError; ProviderError when it was no stream."""
        if not self._frames and self._suspect:
            raise self._not_a_stream()
        for kind, half in self._half.items():
            yield self._add(kind("\ufffd" * len(half)))
        yield self._add(self._wire.close())

    def _stalled(self) -> StalledError | None:
        """The SDK's time-out is for a silent connection; this one is for a connection that only says it is alive."""
        silent = time.monotonic() - self._progress
        if silent <= self._patience:
            return None
        return StalledError(
            f"{self._name} sent only keep-alives for {silent:.3g} s", "Wait longer with --idle-timeout SECONDS."
        )

    def _add(self, event: Event) -> Event:
        self._reply.add(event)
        return event

    def _joined(self, event: Event) -> Event | None:
        """An emoji that was cut over two deltas is put together; half of one that stays alone becomes U+FFFD."""
        if not isinstance(event, DELTAS):
            return event
        kind = type(event)
        if not self._half and (event.text.isascii() or not _has_surrogate(event.text)):
            return event
        text = self._half.pop(kind, "") + event.text
        if "\ud800" <= text[-1] <= "\udbff":
            self._half[kind] = text[-1]
            text = text[:-1]
        return kind(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")) if text else None

    def _not_a_stream(self) -> ChatError:
        from streamchat.providers.wire.datum import lenient

        try:
            body = lenient(self._body)
        except ProviderError:
            body = None
        if isinstance(body, dict | list) and "error" in str(body)[:200]:
            return body_error(self._name, body)
        came = one_line(self._body.decode(errors="replace"), longest=120) or "nothing"
        return ProviderError(
            f"{self._name} answered with {self._suspect} instead of an event stream: {came}",
            "Is the base URL right? Most end in /v1.",
        )


class _Translated:
    """A context for both worlds: lets a vendor's exception out as ours, with the reply so far, marked."""

    def __init__(self, provider: Provider, reply: Reply, told: Callable[[ChatError], object] | None = None) -> None:
        self._provider, self._reply, self._told = provider, reply, told

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        if exc is None:
            return
        if not isinstance(exc, Exception):
            self._reply.stop("interrupted")
            return
        ours = exc if isinstance(exc, ChatError) else self._provider.error(exc)
        if ours is None:
            self._reply.stop("error")
            return
        ours.message = self._provider.endpoint.without_key(self._placed(ours.message))
        ours.args = (ours.message,)
        ours.reply = self._reply
        if self._told is not None:
            self._told(ours)
        if ours is not exc:
            raise ours from exc

    def _placed(self, message: str) -> str:
        """The message with the provider and its host in it: a name is a person's own, the host says who that was."""
        name, host = self._provider.name, self._provider.host
        if not host or host in message:
            return message
        named = f"{name} ({host})"
        said = message.startswith((f"{name} ", f"{name}:"))
        return f"{named}{message[len(name) :]}" if said else f"{named}: {message}"


class Stream:
    """One answer, pulled. Iterating gives the answer's text in deltas; `events()` gives everything.

    `reply` is the growing whole. Leave early by breaking the loop, by `close()` or by a `with` block: each closes the
    connection to the provider. Errors are ChatErrors; what had come is in their `reply`.
    """

    def __init__(self, provider: Provider, chat: Chat, *, own: bool = False) -> None:
        """`own`: the provider was made for this stream alone and is closed with it."""
        self.reply = Reply(provider=provider.name, model=chat.model)
        self._provider, self._chat, self._own = provider, chat, own
        self._events = self._pump()

    def __iter__(self) -> Iterator[str]:
        try:
            for event in self._events:
                if isinstance(event, Text):
                    yield event.text
        finally:
            self.close()

    def events(self) -> Iterator[Event]:
        """Everything that comes: text, reasoning, usage, and the stop as the last."""
        try:
            yield from self._events
        finally:
            self.close()

    def close(self) -> None:
        """Stop now; what came stays in `reply`. Closing twice, or after the end, does nothing."""
        self._events.close()
        self.reply.stop("interrupted")
        if self._own:
            self._provider.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _pump(self) -> Generator[Event, None, None]:
        for tried in count(1):
            try:
                yield from self._try()
                return
            except ChatError as exc:
                retry = again(exc, self.reply, tried=tried, retries=self._provider.endpoint.retries)
                if retry is None:
                    self.reply.stop(exc.stop_reason, exc.message)
                    raise
            yield retry
            self._provider.pause(retry.wait)

    def _try(self) -> Generator[Event, None, None]:
        provider, chat = self._provider, self._chat
        with _Translated(provider, self.reply), provider.open(chat) as response:
            reading = Reading(provider.wire(chat), provider.endpoint, response.headers, self.reply)
            for chunk in response.iter_bytes():
                events, error = reading.take(chunk)
                if events:
                    yield from events
                    reading.resume()
                if error is not None:
                    raise error
                if reading.ended:
                    break
            yield from reading.close()


class AsyncStream:
    """The same for a program that awaits: `async for`, `async with`, `aclose()`."""

    __slots__ = ("_batches", "_chat", "_own", "_provider", "_told", "reply")

    def __init__(
        self,
        provider: Provider,
        chat: Chat,
        *,
        own: bool = False,
        told: Callable[[ChatError], object] | None = None,
    ) -> None:
        """`told` may change what an error says before anybody else has it: who asks for others does."""
        self._told = told
        self.reply = Reply(provider=provider.name, model=chat.model)
        self._provider, self._chat, self._own = provider, chat, own
        self._batches = self._pump()

    async def __aiter__(self) -> AsyncIterator[str]:
        try:
            async for batch in self._batches:
                for event in batch:
                    if isinstance(event, Text):
                        yield event.text
        finally:
            await self.aclose()

    async def events(self) -> AsyncIterator[Event]:
        """Everything that comes: text, reasoning, usage, and the stop as the last."""
        try:
            async for batch in self._batches:
                for event in batch:
                    yield event
        finally:
            await self.aclose()

    def batches(self) -> AsyncGenerator[list[Event], None]:
        """The same, what came in one packet together and never nothing: how a server passes it on. Who reads them
        closes the stream, best by `async with`."""
        return self._batches

    async def aclose(self) -> None:
        """Stop now; what came stays in `reply`. Closing twice, or after the end, does nothing."""
        await self._batches.aclose()
        self.reply.stop("interrupted")
        if self._own:
            await self._provider.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _pump(self) -> AsyncGenerator[list[Event], None]:
        """One generator where two would read better: each that a packet goes through costs as much as its decoding."""
        provider, chat = self._provider, self._chat
        for tried in count(1):
            try:
                with _Translated(provider, self.reply, self._told):
                    async with provider.aopen(chat) as response:
                        reading = Reading(provider.wire(chat), provider.endpoint, response.headers, self.reply)
                        async for chunk in response.iter_bytes():
                            batch, error = reading.take(chunk)
                            if batch:
                                yield batch
                                reading.resume()
                            if error is not None:
                                raise error
                            if reading.ended:
                                break
                        yield list(reading.close())
                return
            except ChatError as exc:
                retry = again(exc, self.reply, tried=tried, retries=provider.endpoint.retries)
                if retry is None:
                    self.reply.stop(exc.stop_reason, exc.message)
                    raise
            yield [retry]
            await provider.apause(retry.wait)


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
