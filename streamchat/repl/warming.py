"""What the first answer needs is loaded behind the prompt, while the person types."""

import contextlib
import threading
from collections.abc import Callable

from streamchat.errors import ChatError

WARMING = "warm"
"""What such a thread is called."""


def warm(*loads: Callable[[], object]) -> None:
    """Do these in a thread, in their order; what fails here will fail, and be said, when it is needed."""

    def work() -> None:
        for load in loads:
            with contextlib.suppress(ChatError):
                load()

    threading.Thread(target=work, name=WARMING, daemon=True).start()
