"""How much one may ask: of one request, of one person, of the process."""

import time
from collections.abc import Callable

from msgspec import Struct

from streamchat.config.schema import Serve
from streamchat.web.errors import WebError


class Limits(Struct, frozen=True):
    """Bytes, characters, counts and seconds, as the settings of `[serve]` explain them; what goes beyond one is refused
    with an error that names it."""

    body: int = 1 << 20
    prompt: int = 200_000
    messages: int = 200
    max_tokens: int = 8192
    concurrent: int = 64
    concurrent_per_user: int = 8
    per_minute: int = 30
    run_seconds: float = 900.0
    grace: float = 30.0
    retention: float = 600.0

    @classmethod
    def of(cls, settings: Serve) -> "Limits":
        """The limits that are configured."""
        return cls(**{name: getattr(settings, name) for name in cls.__struct_fields__})


class Rate:
    """A token bucket for each user: so many requests a minute, all of them at once if one likes."""

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, user: str) -> None:
        """Count one request; WebError 429, with the time to wait, when there are too many."""
        if self._per_minute <= 0:
            return
        now = self._clock()
        left, since = self._left.get(user, (float(self._per_minute), now))
        left = min(float(self._per_minute), left + (now - since) * self._per_minute / 60)
        if left < 1:
            wait = round((1 - left) * 60 / self._per_minute, 1)
            raise WebError(429, "rate_limited", f"more than {self._per_minute} questions in a minute", retry_after=wait)
        if len(self._left) > 10_000:  # those whose bucket is full again are as good as new
            self._left = {who: kept for who, kept in self._left.items() if now - kept[1] < 60}
        self._left[user] = left - 1, now
