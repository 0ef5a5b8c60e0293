"""A conversation in use: one turn is asked, shown and kept.

`Session.ask` is the one place where a question becomes a request, its answer goes to a view, and both go to disk.
"""

from msgspec import Struct

from streamchat.chat import Chat, Options, Reply
from streamchat.history.conversation import Conversation
from streamchat.providers.base import Provider
from streamchat.pump import Stream
from streamchat.views.base import View


class Session(Struct):
    """Whom to ask and how, and the conversation that grows. Everything may be changed between two questions."""

    provider: Provider
    model: str
    conversation: Conversation
    system: str | None = None
    options: Options = Options()

    def ask(self, text: str, view: View) -> Reply:
        """Ask, show and keep one turn; the reply.

        Whatever the stream or the view raises comes out, after what had come is on disk and the connection is closed:
        a ChatError with its `reply`, KeyboardInterrupt, BrokenPipeError when the reader of the view's output has gone.
        """
        turn = self.conversation.begin(
            text, provider=self.provider.name, model=self.model, system=self.system, options=self.options
        )
        stream = Stream(self.provider, Chat(self.model, turn.messages(), self.system, self.options))
        error: BaseException | None = None
        try:
            view.show(turn.record(stream.events()), stream.reply)
        except BaseException as exc:
            error = exc
            if isinstance(exc, BrokenPipeError):
                stream.reply.stop("pipe_closed")
            raise
        finally:
            stream.close()
            turn.end(stream.reply, error)
        return stream.reply
