"""The chat: read a message, ask it, show the answer, until the person leaves."""

from collections.abc import Callable, Iterable
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from msgspec import structs

from streamchat.chat import Attachment, Reply
from streamchat.choice import Choice, connect
from streamchat.config.settings import Settings
from streamchat.errors import ChatError
from streamchat.history.conversation import Conversation
from streamchat.providers.base import Provider
from streamchat.repl import compacting
from streamchat.repl.answering import answering, ways_on
from streamchat.repl.commands import registry
from streamchat.repl.context import Context, Spending, too_long
from streamchat.repl.editing import leave
from streamchat.repl.entry import LEAVING, Pastes, command_in, whole
from streamchat.repl.files import Files
from streamchat.repl.models import known_models
from streamchat.repl.own import own_commands
from streamchat.repl.prompt import Prompt
from streamchat.repl.state import look_up, stated
from streamchat.repl.stopping import Stop, Stoppable
from streamchat.repl.terminal import Terminal
from streamchat.repl.typeahead import TypeAhead
from streamchat.repl.warming import warm
from streamchat.session import Session
from streamchat.views.choose import Look, shows_footer
from streamchat.views.footer import Phrase
from streamchat.views.notify import announced
from streamchat.views.plain import fitted
from streamchat.views.safe import joined_surrogates, one_line, safe

if TYPE_CHECKING:
    from streamchat.history.turn import Turn


class Repl:
    """A chat in use: what the slash commands act on.

    `typing` holds what was typed while an answer came, `files` what goes with the next message, `extra` the fields of
    every request that flags gave, `directory` the place of conversations, `addresses` the address that a
    flag gave, by the provider whose it is.
    """

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
        directory: Path | None,
    ) -> None:
        self.session, self.settings, self.look, self.out = session, settings, look, out
        self.extra, self.directory, self.terminal = extra, directory, terminal
        self.files, self.pastes = Files(), Pastes()
        self.stop, self.context = Stop(), Context()
        self.typing = TypeAhead(self.pastes, stop=self.stop.now, earlier=lambda: self.prompt.earlier())
        self.spending = Spending(session.conversation)
        self.editing: Turn | None = None
        """The turn whose question is written anew: the next message is asked in its place."""
        self.leaving = False
        self.addresses = {session.provider.name: settings.sources.flags.get("base_url")}
        self._state: list[Phrase] = []
        self._models: list[str] = []
        self._make_prompt = prompt
        self.use(session.provider, session.model)

    @cached_property
    def prompt(self) -> Prompt:
        """Where messages are written."""
        return self._make_prompt(self)

    @property
    def conversation(self) -> Conversation:
        """The conversation that goes on."""
        return self.session.conversation

    @property
    def title(self) -> str:
        """Whom is asked."""
        return " · ".join(filter(None, (self.session.provider.name, self.session.model)))

    def run(self) -> None:
        """Until the person leaves."""
        with self.stop:
            self.prompt  # noqa: B018  # loaded by being looked at
            self._warm()
            while not self.leaving:
                line = self._next()
                if line is None:
                    return
                self.handle(line)

    def close(self) -> None:
        """Give back what the provider keeps."""
        self.session.provider.close()

    def handle(self, line: str) -> None:
        """A line as it was typed: a command, or a message to be asked. What goes wrong is said."""
        line = joined_surrogates(line).replace("\0", "")  # bytes that are no text can be typed and pasted
        self.stop.wanted = False
        stood = self.conversation, self.conversation.at
        try:
            if (called := command_in(line)) is not None:
                word, rest = called
                registry.find(word, self.commands()).action(self, rest)
            elif line.strip() in LEAVING:
                self.leaving = True
            elif text := whole(line):
                self.attach(text, draft=line)
                if self.editing is not None:
                    self.conversation.rewind(self.editing.question_parent)
                self.ask(self.pastes.unfold(text))
        except ChatError as exc:
            self.tell(exc)
        except OSError as exc:  # of a file; a terminal that has gone fails here again
            self.say(one_line(f"{exc.strerror or exc}" + (f": {exc.filename}" if exc.filename else "")))
        except KeyboardInterrupt:
            self.say("stopped")
        if (self.conversation, self.conversation.at) != stood:
            leave(self)

    def ask(self, text: str | None, *, going_on: bool = False, offering: bool = True) -> Reply | None:
        """Ask, show and keep one turn; None when it was stopped or failed. What was typed meanwhile is kept.

        When the conversation does not fit into the model's context, ways out are offered if `offering`.
        """
        at = self.conversation.at
        attachments: tuple[Attachment, ...] = ()
        if text is not None:
            text, attachments = self.files.take(text)
        reply, failure = self._asked(text, attachments, going_on=going_on)
        if reply is None:
            self.typing.take_back()
        if failure is not None:
            if not (offering and too_long(failure)):
                failure.hint = " ".join(filter(None, (failure.hint, ways_on(failure))))
                raise failure
            compacting.offer(self, failure, at=at)
        return reply

    def attach(self, text: str, *, draft: str) -> None:
        """Take the files that a message names; where one cannot be sent, the draft is back in the editor, and
        what was queued and typed behind it."""
        before = self.files.names
        try:
            missing = self.files.add_mentioned(text, self.session.provider)
        except ChatError:
            self.typing.take_back()
            self.typing.begin_with(draft)
            raise
        if names := [name for name in self.files.names if name not in before]:
            self.say(f"with this message: {', '.join(names)}")
        for name in missing:
            self.say(f"there is no file {name}: @{name} is sent as it stands")

    def use(self, provider: Provider, model: str) -> None:
        """Ask this provider from now on."""
        self.session.provider, self.session.model = Stoppable(provider, self.stop), model

    def turn_to(self, choice: Choice, settings: Settings) -> None:
        """Ask by these settings from now on; nothing changes when that cannot be."""
        provider = connect(settings, choice)
        before = self.session.provider
        self.take_over(settings)
        self.use(provider, choice.model)
        before.close()
        self._warm()

    def take_over(self, settings: Settings) -> None:
        """Ask and show by these settings from now on; whom is asked stays."""
        ui = settings.ui
        self.settings = settings
        self.session.system = settings.defaults.system or None
        self.session.options = settings.options(self.extra)
        self.look = structs.replace(
            self.look, stream=settings.defaults.stream, color=ui.color, reasoning=ui.reasoning, footer=ui.footer
        )

    def take_up(self, conversation: Conversation) -> None:
        """Go on with another conversation; the one before is let go of."""
        self.conversation.close()
        self.session.conversation = conversation
        self.spending = Spending(conversation)

    def commands(self) -> dict[str, registry.Command]:
        """All slash commands; the person's own do not hide the program's."""
        return {**own_commands(self.settings.files.config / "commands"), **registry.commands()}

    def models(self) -> Iterable[str]:
        """The models that can be named; looked for once, for it may take a moment."""
        if not self._models:
            self._models = known_models(self.settings)
        return self._models

    def state(self) -> list[Phrase]:
        """What the line below the prompt says."""
        return self._state

    def restate(self) -> None:
        """Something that the line below the prompt says has changed."""
        self._state = stated(self)

    def show_reasoning(self) -> None:
        """What the model thought before its last answer."""
        last = self.conversation.last
        self.say(last.reasoning.strip() if last is not None and last.reasoning else "there is no reasoning to show")

    def say(self, text: str) -> None:
        """A line, or several, to the person; where they are seen, broken between words."""
        text = safe(text)
        self.out.write((text if self.look.accessible else fitted(text, self.out)) + "\n")
        self.out.flush()

    def tell(self, error: ChatError) -> None:
        """What went wrong and what can be done about it."""
        self.say(one_line(error.message))
        if error.hint:
            self.say(f"  {one_line(error.hint)}")

    # inside

    def _warm(self) -> None:
        """Load behind the prompt what the next answer needs."""
        provider, model = self.session.provider, self.session.model
        warm(self.prompt.drawn.wait, lambda: provider.warm(model), lambda: import_module("streamchat.views.live"))

    def _next(self) -> str | None:
        if self.stop.wanted:  # also one that came when the answer had just ended: nothing more is to be asked
            self.typing.take_back()
        line = self.typing.next()
        if line is None:
            self.restate()
            look_up(self, self.restate)
            return self.prompt.read(self.typing.take_draft())
        self.prompt.echo(line)
        return line

    def _asked(
        self, text: str | None, attachments: tuple[Attachment, ...], *, going_on: bool
    ) -> tuple[Reply | None, ChatError | None]:
        """The reply, or None and what went wrong; neither when it was stopped, as the line under the answer says."""
        reply, failure, before = None, None, self.conversation.last
        note = self.session.provider.notice
        try:
            with answering(
                self.look,
                self.out,
                self.terminal,
                self.typing,
                ahead=self.prompt.ahead(),
                title=self.title,
                note=note,
                tell=self.say,
            ) as view:
                ui = self.settings.ui
                with announced(ui.notify, ui.notify_after, f"{self.session.model} has answered"):
                    reply = self.session.ask(text, view, attachments=attachments, going_on=going_on)
        except KeyboardInterrupt:
            pass
        except ChatError as exc:
            failure = exc
        last = self.conversation.last
        if last is not None and last is not before and last.answer is not None:
            self.spending.add(last.answer.provider, last.answer.model, last.usage)
            if last.ending and failure is None and not shows_footer(self.look, self.out):
                self.say(f"({last.ending})")
        if reply is not None and reply.stop_reason == "stop" and reply.shortage:
            self.say(f"({reply.shortage})")
        notices = self.conversation.notices
        for line in (*notices, *filter(None, [self.conversation.trouble])):
            self.say(one_line(line))
        notices.clear()
        return reply, failure
