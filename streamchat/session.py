"""A conversation in use: one turn is asked, shown and kept.

`Session.ask` is the one place where a question becomes a request, its answer goes to a view, and both go to disk.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from msgspec import Struct

from streamchat.chat import Attachment, Chat, Message, Options, Reply
from streamchat.continuation import begun, open_block, unrepeated
from streamchat.errors import UsageError
from streamchat.events import Event, Text
from streamchat.history.conversation import Conversation
from streamchat.history.turn import Turn
from streamchat.providers.base import Provider
from streamchat.pump import Stream
from streamchat.views.base import View


def as_asked(conversation: Conversation) -> dict[str, Any]:
    """How a conversation was asked last, as settings: what `config.change` takes for a resumed one."""
    last = conversation.last
    if last is None or last.answer is None:
        return {}
    options = last.options
    named = {"provider": last.answer.provider, "model": last.answer.model, "system": last.system}
    return {**named, "temperature": options.temperature, "max_tokens": options.max_tokens, "think": options.think}


def copied(conversation: Conversation, transcripts: tuple[Path, str] | None) -> None:
    """Bring the readable copy of a conversation up to date; what stands in the way is said once, as its notice."""
    if transcripts is None:
        return
    from streamchat.history.store import keep_copy

    try:
        keep_copy(conversation, *transcripts)
    except UsageError as exc:
        if exc.message not in conversation.notices:
            conversation.notices.append(exc.message)


def fitting(message: Message, provider: Provider) -> Message:
    """The message with the files that this provider can take; the others are named in its text."""
    if all(provider.takes(each.media_type) for each in message.attachments):
        return message
    taken = tuple(each for each in message.attachments if provider.takes(each.media_type))
    left = "".join(f"\n[attached: {each.name}]" for each in message.attachments if each not in taken)
    return Message(message.role, message.content + left, taken)


class Session(Struct):
    """Whom to ask and how, and the conversation that grows. Everything may be changed between two questions."""

    provider: Provider
    model: str
    conversation: Conversation
    system: str | None = None
    options: Options = Options()
    transcripts: tuple[Path, str] | None = None
    """The directory and the format of the readable copy that each turn brings up to date."""

    def ask(
        self, text: str | None, view: View, *, attachments: tuple[Attachment, ...] = (), going_on: bool = False
    ) -> Reply:
        """Ask, show and keep one turn; the reply.

        None asks the last question again; `going_on` has the last answer continued where it was cut: the new answer
        stands beside the cut one, begins with its text, and is shown from there on.

        Whatever the stream or the view raises comes out, after what had come is on disk and the connection is closed:
        a ChatError with its `reply`, KeyboardInterrupt, BrokenPipeError when the reader of the view's output has gone.
        """
        before = self._cut_answer() if going_on else ""
        turn = self.conversation.begin(
            text,
            provider=self.provider.name,
            model=self.model,
            system=self.system,
            options=self.options,
            attachments=attachments,
        )
        messages = tuple(fitting(message, self.provider) for message in turn.messages())
        if before:
            messages = (*messages, *begun(before))
            turn.add(Text(before))
        stream = Stream(self.provider, Chat(self.model, messages, self.system, self.options))
        error: BaseException | None = None
        try:
            view.show(self._shown(turn, stream, before), stream.reply)
        except BaseException as exc:
            error = exc
            if isinstance(exc, BrokenPipeError):
                stream.reply.stop("pipe_closed")
            raise
        finally:
            stream.close()
            turn.end(stream.reply, error)
            copied(self.conversation, self.transcripts)
        return stream.reply

    def _shown(self, turn: Turn, stream: Stream, before: str) -> Iterator[Event]:
        if not before:
            return turn.record(stream.events())
        rest = turn.record(unrepeated(before, stream.events()))
        return chain((Text(open_block(before)),), rest)

    def _cut_answer(self) -> str:
        last = self.conversation.last
        if last is None or last.complete or not last.text:
            raise UsageError("there is no cut answer to go on with", "To ask the last question again: /retry")
        return last.text
