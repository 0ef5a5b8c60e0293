"""What the first answer needs is loaded behind the prompt, while the person types."""

import contextlib
import threading

from streamchat.errors import ChatError
from streamchat.providers.base import Provider


def warm(provider: Provider, model: str) -> None:
    """Load it in a thread; what fails here will fail, and be said, when it is asked."""

    def work() -> None:
        with contextlib.suppress(ChatError):
            provider.warm(model)
        import streamchat.views.live  # noqa: F401  # Rich and the Markdown parser

    threading.Thread(target=work, name="warm", daemon=True).start()
