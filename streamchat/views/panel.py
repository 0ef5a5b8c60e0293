"""The view of a reply on a terminal: its Markdown while it grows, a status line below, one line about it at last."""

import sys
import time
from collections.abc import Callable, Iterator
from typing import Literal, TextIO

from rich.segment import Segment
from rich.text import Text as RichText

from streamchat.chat import Reply
from streamchat.events import Event, Reasoning, Retry, Text
from streamchat.views.base import Stepped, Typed
from streamchat.views.elements import Line
from streamchat.views.footer import joined, seconds, summary
from streamchat.views.live import DIM, Color, LiveMarkdown, Mode, cut
from streamchat.views.markdown import CODE_THEME
from streamchat.views.safe import one_line, safe

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_FOLDED = 3  # rows of reasoning shown while it is folded
_UNFOLDED = 100  # and while it is not: more than a screen has
_STALLED = 10  # seconds without anything, after which that is said
_CHARACTERS = 4  # in a token, about


class LiveView(Stepped):
    """Shows a reply live, with a status line while it grows and one dim line about it when it is there.

    `title` is the provider and the model, `note` something to say about them at the end; `reasoning` is shown dimly
    before the answer: in full, as its last lines while it grows and one line about it from then on, or not at all; with
    `usage` the last line has all figures, whatever the width.
    """

    def __init__(
        self,
        out: TextIO = sys.stdout,
        *,
        title: str = "",
        note: str | None = None,
        color: Color = "auto",
        reasoning: Literal["fold", "show", "hide"] = "fold",
        footer: bool = True,
        usage: bool = False,
        code_theme: str = "",
        width: int | None = None,
        mode: Mode | None = None,
        below: Callable[[], Typed] | None = None,
    ) -> None:
        self._title, self._note = one_line(title, 60), note
        self._reasoning: Literal["fold", "show", "hide"] = reasoning
        self._footer, self._whole = footer, usage
        self._live = LiveMarkdown(
            out,
            color=color,
            code_theme=code_theme or CODE_THEME,
            width=width,
            mode=mode,
            status=self._status,
            above=self._thoughts,
            lead=self._thought,
            below=below,
        )
        self.refresh, self.pause, self.take_over = self._live.refresh, self._live.pause, self._live.take_over
        self._reply = Reply()
        self._begun = self._latest = time.monotonic()
        self._thinking: float | None = None
        self._answering: float | None = None
        self._characters = 0
        self._paced: tuple[int, list[str]] = (-1, [])
        self._retry: tuple[Retry, float] | None = None

    def unfold(self) -> None:
        """Show all of the reasoning, from any thread; again: as its last lines, and one line about it at the end."""
        self._reasoning = "fold" if self._reasoning == "show" else "show"
        self.refresh()

    def begin(self, reply: Reply) -> None:
        self._reply = reply
        self._begun = self._latest = time.monotonic()
        self._live.start()

    def take(self, event: Event) -> None:
        self._latest = time.monotonic()
        if isinstance(event, Text | Reasoning):
            self._characters += len(event.text)
        if isinstance(event, Text):
            if self._answering is None:
                self._answering = self._reply.elapsed
            self._live.feed(event.text)
        elif isinstance(event, Reasoning):
            if self._thinking is None:
                self._thinking = self._reply.elapsed
            self._live.feed("")
        elif isinstance(event, Retry):
            self._retry = event, time.monotonic()
            self._latest += event.wait
            self._live.feed("")

    def end(self) -> None:
        stopped = isinstance(sys.exception(), KeyboardInterrupt)  # who stops an answer wants to read no more of it
        self._live.close(footer=self._summary() if self._footer else None, at_once=stopped)

    def _status(self, width: int) -> Line:
        """The line below the growing text."""
        seconds = time.monotonic() - self._begun
        parts = [self._title, f"{seconds:.0f} s"]
        if self._reply.first_token is None:
            mark = _SPINNER[int(seconds * 10) % len(_SPINNER)]
            parts.append(self._waiting())
        else:
            mark = "•"
            if self._answering is None:
                parts.append("thinking")
            if self._paced[0] != int(seconds):  # once a second: a number that runs would be written with every frame
                self._paced = int(seconds), list(self._pace())
            parts += self._paced[1]
        if (silent := time.monotonic() - self._latest) >= _STALLED:
            parts.insert(1, f"nothing came for {silent:.0f} s")
        return cut(f"{mark} " + " · ".join(part for part in parts if part), width)

    def _pace(self) -> Iterator[str]:
        """How much came, and how fast: an estimate while the provider has not said."""
        tokens, spent = self._characters // _CHARACTERS, time.monotonic() - self._begun
        spent -= self._reply.first_token or 0.0
        if tokens:
            yield f"~{tokens:,} tokens"
        if tokens and spent >= 1:
            yield f"~{tokens / spent:.0f} tokens/s"

    def _waiting(self) -> str:
        """What is waited for: the first word, or the moment to ask again."""
        retry, since = self._retry or (None, 0.0)
        left = retry.wait - (time.monotonic() - since) if retry else 0.0
        if retry is None or left <= 0:
            return "waiting"
        return f"trying again in {left:.0f} s, {retry.attempt} of {retry.attempts}: {one_line(retry.reason, 60)}"

    def _thoughts(self, width: int) -> list[Line]:
        """The reasoning, or its last lines, while there is nothing else."""
        if self._reasoning == "hide":
            return []
        rows = _FOLDED if self._reasoning == "fold" else _UNFOLDED
        return self._dimmed(self._reply.reasoning[-rows * width * 2 :])[-rows:]

    def _thought(self, width: int) -> list[Line]:
        """What stays of the reasoning above the answer: all of it, or how long it took."""
        if self._thinking is None or self._reasoning == "hide":
            return []
        if self._reasoning == "show":
            return self._dimmed(self._reply.reasoning)
        spent = (self._reply.elapsed if self._answering is None else self._answering) - self._thinking
        return [[Segment(f"thought for {seconds(spent)}" if spent >= 0.01 else "thought first", DIM)]]

    def _dimmed(self, text: str) -> list[Line]:
        """A text as rows, broken between its words."""
        if not (text := safe(text).strip()):
            return []
        console = self._live.console
        return [[Segment(row.plain, DIM)] for row in RichText(text).wrap(console, console.width, overflow="fold")]

    def _summary(self) -> Line:
        """The footer."""
        found = summary(self._reply, title=self._title, note=self._note)
        return [Segment(joined(found, None if self._whole else self._live.console.width), DIM)]
