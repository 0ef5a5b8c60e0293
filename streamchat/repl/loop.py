"""The chat: read a message, ask it, show the answer, until the person leaves."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TextIO, runtime_checkable

from streamchat.chat import Attachment, Reply
from streamchat.choice import Choice, connect
from streamchat.config.settings import Settings
from streamchat.errors import ChatError
from streamchat.history.conversation import Conversation
from streamchat.providers.base import Provider
from streamchat.repl.commands import registry
from streamchat.repl.context import spent
from streamchat.repl.entry import Pastes, whole
from streamchat.repl.keyboard import Keyboard
from streamchat.repl.stopping import Stop, Stoppable
from streamchat.repl.terminal import PASTE_OFF, PASTE_ON, Terminal
from streamchat.repl.typeahead import TypeAhead
from streamchat.repl.warming import warm
from streamchat.session import Session
from streamchat.views.base import View
from streamchat.views.choose import Look, choose
from streamchat.views.safe import one_line, safe


class Prompt(Protocol):
    """Where messages are written: the editor, or plain lines where nothing can be redrawn."""

    def read(self, draft: str = "") -> str | None:
        """The next message, begun with `draft`; None when the person leaves."""

    def pick(self, title: str, rows: list[str]) -> int | None:
        """The number of the row that the person chooses, from 0; None for none of them."""

    def echo(self, text: str) -> None:
        """Show a message that was not typed here as if it had been."""


@runtime_checkable
class Redrawn(Protocol):
    """A view that draws below the answer what is being typed."""

    def refresh(self) -> None: ...
    def suspend(self) -> None: ...
    def resume(self) -> None: ...


class Repl:
    """A chat in use: what the slash commands act on. `typing` holds what was typed meanwhile."""

    def __init__(
        self,
        session: Session,
        settings: Settings,
        look: Look,
        *,
        terminal: Terminal,
        prompt: Callable[["Repl"], Prompt],
        out: TextIO,
        extra: dict[str, Any],
    ) -> None:
        self.settings, self.look, self.out, self.extra = settings, look, out, extra
        self.attachments: list[Attachment] = []
        self.pastes = Pastes()
        self.leaving = False
        self.stop = Stop()
        self.typing = TypeAhead(self.pastes, stop=self.stop.now)
        self.terminal = terminal
        self.session = session
        self.use(session.provider, session.model)
        self._make_prompt = prompt

    @property
    def conversation(self) -> Conversation:
        """The conversation that goes on."""
        return self.session.conversation

    @property
    def title(self) -> str:
        """Whom is asked."""
        return " · ".join(filter(None, (self.session.provider.name, self.session.model)))

    def run(self, first: str = "") -> None:
        """Until the person leaves; `first` is asked before anything is read."""
        with self.terminal, self.stop:
            if first:
                self.typing.queue.append(first)
            else:
                self.say(f"{self.title}   /help: commands and keys, Ctrl+D: leave")
                self._write("> ")  # seen before the editor is loaded; what is typed meanwhile waits for it
            self.prompt = self._make_prompt(self)
            warm(self.session.provider, self.session.model)
            while not self.leaving:
                line = self._next()
                if line is None:
                    return
                self.handle(line)

    def close(self) -> None:
        """Give back what the provider keeps."""
        self.session.provider.close()

    def state(self) -> str:
        """The line below the prompt: whom is asked, and what the conversation has come to."""
        return " · ".join(filter(None, [self.title, *spent(self.conversation)]))

    def handle(self, line: str) -> None:
        """A line as it was typed: a command, or a message to be asked. What goes wrong is said."""
        text = whole(line)
        self.stop.wanted = False
        try:
            if text.startswith("/") and "\n" not in text.partition(" ")[0]:
                self.command(text[1:])
            elif text:
                self.ask(text)
        except ChatError as exc:
            self.tell(exc)
        except KeyboardInterrupt:
            self.say("stopped")

    def command(self, text: str) -> None:
        """Run a slash command, named without the slash."""
        word, _, rest = text.partition(" ")
        registry.find(word).action(self, rest.strip())

    def ask(self, text: str | None, *, going_on: bool = False) -> Reply | None:
        """Ask, show and keep one turn; None when it was stopped or failed. What was typed meanwhile is kept."""
        attachments, self.attachments = tuple(self.attachments), []
        reply = None
        try:
            with self._answering() as view:
                reply = self.session.ask(text, view, attachments=attachments, going_on=going_on)
        except KeyboardInterrupt:
            pass  # the footer says that it was stopped
        finally:
            if reply is None:
                self.typing.take_back()
            self._say_notices()
        return reply

    def use(self, provider: Provider, model: str) -> None:
        """Ask this provider from now on."""
        self.session.provider, self.session.model = Stoppable(provider, self.stop), model

    def turn_to(self, choice: Choice, settings: Settings) -> None:
        """Ask somebody else from now on; nothing changes when that cannot be."""
        provider = connect(settings, choice)
        before, self.settings = self.session.provider, settings
        self.use(provider, choice.model)
        before.close()

    def say(self, text: str) -> None:
        """A line, or several, to the person."""
        self.out.write(safe(text) + "\n")
        self.out.flush()

    def tell(self, error: ChatError) -> None:
        """What went wrong and what can be done about it."""
        self.say(one_line(error.message))
        if error.hint:
            self.say(f"  {one_line(error.hint)}")

    # inside

    def _next(self) -> str | None:
        line = self.typing.next()
        if line is None:
            return self.prompt.read(self.typing.take_draft())
        self.prompt.echo(line)
        return self.pastes.unfold(line)

    @contextlib.contextmanager
    def _answering(self) -> Iterator[View]:
        """The view of an answer, with the keyboard read while it streams."""
        view = choose(self.look, self.out, title=self.title, note=self.session.provider.notice, below=self.typing.lines)
        self.typing.changed = view.refresh if isinstance(view, Redrawn) else lambda: None
        self.terminal.showing = _Answering(self.out, view)
        self._write(PASTE_ON)
        try:
            with Keyboard(self.terminal.descriptor, self.typing.key):
                yield view
        finally:
            self.terminal.showing = None
            self._write(PASTE_OFF)

    def _write(self, text: str) -> None:
        if self.out.isatty():
            with contextlib.suppress(OSError):
                self.out.write(text)
                self.out.flush()

    def _say_notices(self) -> None:
        notices = self.conversation.notices
        for line in (*notices, *filter(None, [self.conversation.trouble])):
            self.say(one_line(line))
        notices.clear()


class _Answering:
    """An answer on the screen, for a terminal that stops this process."""

    def __init__(self, out: TextIO, view: View) -> None:
        self._out, self._view = out, view

    def stopping(self, stop: Callable[[], None]) -> None:
        if isinstance(self._view, Redrawn):
            self._view.suspend()
        self._write(PASTE_OFF)
        stop()
        self._write(PASTE_ON)
        if isinstance(self._view, Redrawn):
            self._view.resume()

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
