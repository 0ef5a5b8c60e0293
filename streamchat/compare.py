"""Several models asked the same at once: every answer is pulled, shown and kept as it comes, in one thread.

They are answers to one question of the conversation, which goes on with the first that came to its end.
"""

import asyncio
import time
from collections.abc import Sequence

from msgspec import Struct

from streamchat.chat import Chat, Message, Options, Reply
from streamchat.errors import ChatError
from streamchat.history.conversation import Conversation
from streamchat.history.turn import Turn
from streamchat.providers.base import Provider
from streamchat.pump import AsyncStream
from streamchat.session import fitting
from streamchat.views.compared import Comparison

_FRAME = 1 / 20
_SHARE = 4
"""A frame that took t seconds is followed by 4 t without one."""


class Asked(Struct, frozen=True):
    """One of those who are asked."""

    provider: Provider
    model: str
    options: Options = Options()


class Outcome(Struct):
    """What became of one answer; `error` is why it is not whole."""

    reply: Reply
    error: ChatError | None = None


def compare(
    conversation: Conversation,
    question: Message,
    asked: Sequence[Asked],
    view: Comparison,
    *,
    system: str | None = None,
) -> list[Outcome]:
    """Ask all of them, show and keep what they answer; how each ended, in their order.

    One that fails does not stop the others. KeyboardInterrupt, and BrokenPipeError when the reader of the view's output
    has gone, end all of them; what had come is kept.
    """
    turns = [
        conversation.begin(
            question.content if number == 0 else None,
            attachments=question.attachments if number == 0 else (),
            provider=each.provider.name,
            model=each.model,
            system=system,
            options=each.options,
        )
        for number, each in enumerate(asked)
    ]
    outcomes = asyncio.run(_all(asked, turns, view, system))
    whole = next((turn for turn in turns if turn.complete), turns[0])
    if conversation.at != whole.id:
        conversation.rewind(whole.id)
    return outcomes


async def _all(asked: Sequence[Asked], turns: Sequence[Turn], view: Comparison, system: str | None) -> list[Outcome]:
    work = [
        asyncio.create_task(_one(number, each, turn, view, system))
        for number, (each, turn) in enumerate(zip(asked, turns, strict=True))
    ]
    drawing = asyncio.create_task(_draw(view))
    try:
        return await asyncio.gather(*work)
    finally:
        for task in (*work, drawing):
            task.cancel()
        await asyncio.gather(*work, drawing, return_exceptions=True)
        try:
            view.close()
        finally:
            for each in asked:
                await each.provider.aclose()


async def _one(number: int, asked: Asked, turn: Turn, view: Comparison, system: str | None) -> Outcome:
    """One answer from its request to its end."""
    messages = tuple(fitting(message, asked.provider) for message in turn.messages())
    stream = AsyncStream(asked.provider, Chat(asked.model, messages, system, asked.options))
    error: BaseException | None = None
    try:
        view.begin(number, stream.reply)
        async for event in stream.events():
            turn.add(event)
            view.take(number, event)
    except ChatError as exc:
        error = exc
    except BaseException as exc:
        error = exc
        if isinstance(exc, BrokenPipeError):
            stream.reply.stop("pipe_closed")
        raise
    finally:
        await stream.aclose()
        turn.end(stream.reply, error)
    failed = error if isinstance(error, ChatError) else None
    view.end(number, failed)
    return Outcome(stream.reply, failed)


async def _draw(view: Comparison) -> None:
    while True:
        begun = time.monotonic()
        view.draw()
        await asyncio.sleep(max(_FRAME, _SHARE * (time.monotonic() - begun)))
