"""The connection to a Redis, which may be down: said once, and in nobody's way; alone in importing redis."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from streamchat.errors import ConfigError

FAILED = (RedisError, OSError, TimeoutError)
"""What a Redis that is down raises."""


class Link:
    """One Redis, for one event loop."""

    def __init__(self, url: str) -> None:
        try:
            self.redis: Any = Redis.from_url(  # its replies are typed as unions of what all versions send
                url,
                protocol=2,
                socket_connect_timeout=2,
                socket_timeout=5,
                retry=Retry(NoBackoff(), 0),
                health_check_interval=15,
            )
        except ValueError:
            raise ConfigError("serve.runs is not the address of a Redis", "It looks like redis://HOST:6379/0") from None
        self.down = False

    @contextmanager
    def trying(self) -> Iterator[None]:
        """What cannot be asked is not known."""
        try:
            yield
        except FAILED as exc:
            self.failed(exc)

    def failed(self, exc: BaseException) -> None:
        """Say that it is down, unless that was said."""
        if not self.down:
            self.down = True
            where = self.redis.connection_pool.connection_kwargs
            name = where.get("path") or f"{where.get('host', 'localhost')}:{where.get('port', 6379)}"
            print(  # noqa: T201
                f"streamchat: the Redis at {name} does not answer ({type(exc).__name__}): answers go on, but other "
                "processes do not find them",
                file=sys.stderr,
            )
