"""A question and one answer to it: while it arrives, or as it was read back."""

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from streamchat.chat import Message, Options, Reply
from streamchat.errors import ChatError
from streamchat.events import INCOMPLETE, Event, Retry, StopReason, Usage
from streamchat.history import records
from streamchat.history.records import Answer, End, EventLine, Question, ReasoningLine, StopLine, TextLine, UsageLine
from streamchat.views.safe import joined_surrogates, one_line

if TYPE_CHECKING:
    from streamchat.history.tree import Tree


class Turn:
    """One question and one answer; a question asked again has several turns.

    `ended` is None while the answer arrives, and for ever when a crash cut it. `answer` is None for a question that was
    never sent and for a message in a file made by hand.
    """

    __slots__ = ("_begun", "_tree", "answer", "ended", "lines", "question", "sieve", "system")

    def __init__(self, tree: "Tree", question: Question, answer: Answer | None, system: str | None) -> None:
        self.question = question
        self.answer = answer
        self.system = system
        self.lines: list[EventLine] = []
        self.ended: End | None = None
        self._tree = tree
        self._begun = time.monotonic()
        self.sieve = tree.sieve()

    # as it arrives

    def messages(self) -> tuple[Message, ...]:
        """What to send: the branch up to this turn and its question."""
        question = self.question
        asked = Message("user", joined_surrogates(question.content), question.attachments)
        return (*self._tree.messages(before=self), asked)

    def record(self, events: Iterable[Event]) -> Iterator[Event]:
        """The same events, each of them in the journal before it goes on. Leaving closes `events` too."""
        try:
            for event in events:
                self.add(event)
                yield event
        finally:
            close = getattr(events, "close", None)
            if close is not None:
                close()

    def add(self, event: Event, *, at: float | None = None) -> None:
        """Journal one event; `record` for those who do not loop over an iterator. `at`: the seconds from the request
        on, for those who write later than it came."""
        if isinstance(event, Retry):
            return  # about the way to the reply, and no part of it
        line = records.of(event, at=time.monotonic() - self._begun if at is None else at)
        self.lines.append(line)
        for ready in self.sieve.put(line):
            self._tree.put(ready, self)

    def flush(self) -> None:
        """What was added goes out now, where a journal gathers."""
        self._tree.flush()

    def end(self, reply: Reply, error: BaseException | None = None) -> None:
        """Write the last line: how it ended. What is on disk then is safe from a power cut too."""
        if self.ended is not None:
            return
        self.ended = End(
            reply.stop_reason or _reason(error),
            reply.detail,
            reply.usage,
            None if reply.first_token is None else round(reply.first_token, 3),
            round(reply.elapsed, 3),
            _one_line(error),
        )
        self._tree.finish(self)

    # as it was read

    @property
    def question_parent(self) -> str | None:
        """The id that the question follows; None at the beginning."""
        return self.question.parent or None

    @property
    def id(self) -> str:
        """The id of the answer, or of the question where there is none."""
        return self.answer.id if self.answer is not None else self.question.id

    @property
    def time(self) -> str:
        """When it was asked, in UTC."""
        return (self.answer.time if self.answer is not None else "") or self.question.time

    @property
    def text(self) -> str:
        """The answer, whole characters only."""
        return joined_surrogates("".join(line.text for line in self.lines if isinstance(line, TextLine)))

    @property
    def reasoning(self) -> str:
        """What the model thought, whole characters only."""
        return joined_surrogates("".join(line.text for line in self.lines if isinstance(line, ReasoningLine)))

    @property
    def usage(self) -> Usage:
        """What the answer cost, as far as it is known."""
        usage = Usage()
        for line in self.lines:
            if isinstance(line, UsageLine) and isinstance(later := records.event(line), Usage):
                usage = usage.updated(later)
        return usage if self.ended is None else usage.updated(self.ended.usage)

    @property
    def stop_reason(self) -> StopReason | None:
        """Why the answer ended; None when nothing says so: it was cut by a crash, or is still arriving."""
        if self.ended is not None:
            return self.ended.stop_reason
        return next((line.reason for line in self.lines if isinstance(line, StopLine)), None)

    @property
    def complete(self) -> bool:
        """The answer came to the model's own end."""
        return self.stop_reason in ("stop", "tool")

    @property
    def ending(self) -> str:
        """How to mark an answer that is not complete, in a word or two; empty for one that is."""
        reason = self.stop_reason
        if self.answer is None or self.complete:
            return ""
        if reason is None:
            return "unfinished"
        return f"cut: {reason}" if reason in INCOMPLETE else _ENDINGS[reason]

    def glimpse(self, most: int) -> str:
        """How the answer begins, in one line of at most so many characters, and how it ended if it is not complete."""
        begins = one_line(self.text[: 8 * most], most)
        return f"{begins} ({self.ending})" if begins and self.ending else begins or self.ending

    @property
    def model(self) -> str:
        """`provider/model`, as far as they are known."""
        if self.answer is None:
            return ""
        return "/".join(part for part in (self.answer.provider, self.answer.model) if part)

    @property
    def options(self) -> Options:
        """How it was asked to answer."""
        return Options() if self.answer is None else self.answer.options

    def timed(self) -> Iterator[tuple[float, Event]]:
        """The events again, each with the second at which it came; the whole of what a replay needs."""
        for line in sorted(self.lines, key=lambda line: line.at):
            yield line.at, records.event(line)


_ENDINGS: dict[StopReason, str] = {
    "interrupted": "interrupted",
    "pipe_closed": "interrupted",
    "network": "cut by the network",
    "error": "failed",
}


def _reason(error: BaseException | None) -> StopReason:
    match error:
        case ChatError():
            return error.stop_reason
        case BrokenPipeError():
            return "pipe_closed"
        case Exception():
            return "error"
        case _:
            return "interrupted"


def _one_line(error: BaseException | None) -> str | None:
    if not isinstance(error, Exception):
        return None
    return " ".join(str(error).split())[:500] or type(error).__name__
