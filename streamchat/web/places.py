"""The threads that streams may hold: all but those that the page and short requests need."""

import threading

from streamchat.web.errors import WebError

KEPT = 2
"""Threads that no stream gets."""


class Places:
    """So many streams at once, or any number."""

    def __init__(self, threads: int | None) -> None:
        self._most = None if threads is None else max(1, threads - KEPT)
        self._taken = 0
        self._lock = threading.Lock()

    def take(self) -> None:
        """Count one more; WebError 503 when all are taken."""
        with self._lock:
            if self._most is not None and self._taken >= self._most:
                raise WebError(
                    503,
                    "full",
                    f"{self._most} answers are being read, the most at once",
                    "Start gunicorn with more --threads.",
                    retry_after=5.0,
                )
            self._taken += 1

    def give(self) -> None:
        """One has ended."""
        with self._lock:
            self._taken -= 1
