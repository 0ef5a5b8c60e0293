"""When a request is sent again: a pure decision, taken in one place for both pumps.

Only while nothing of the reply has been seen, only for what may pass by itself, at most as often as was asked for. The
provider's own wish counts up to a minute; a longer one is told to the person instead of being slept through. Without a
wish the pause grows and is drawn at random, so that many clients do not come back together.
"""

import random
from collections.abc import Callable

from streamchat.chat import Reply
from streamchat.errors import BusyError, ChatError
from streamchat.events import Retry

LONGEST = 60.0
"""Seconds of a provider's wish that are waited for."""

_FIRST, _MOST = 1.0, 8.0


def again(
    error: ChatError, reply: Reply, *, tried: int, retries: int, jitter: Callable[[], float] = random.random
) -> Retry | None:
    """How to try again after this error, None when it is to be raised. `tried` counts the requests so far."""
    if not error.transient or tried > retries or reply.first_token is not None:
        return None
    wish = error.retry_after if isinstance(error, BusyError) else None
    if wish is not None and wish > LONGEST:
        return None
    pause = min(_MOST, _FIRST * 2 ** (tried - 1)) * (0.5 + jitter() / 2) if wish is None else wish
    return Retry(round(pause, 2), tried + 1, retries + 1, error.message)
