"""A server over providers that tests play: one in each wire format, and those without a network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from streamchat.web.limits import Limits
from tests.web.site import Site
from tests.wire.server import Server

KEY = "sk-upstream-secret-0123456789"
CONFIG = """
[aliases]
fast = "chat/small"

[providers.chat]
kind = "openai"
base_url = "{v1}"
api = "chat"
api_key_env = "UPSTREAM_KEY"
retries = 0

[providers.responses]
kind = "openai"
base_url = "{v1}"
api = "responses"
api_key_env = "UPSTREAM_KEY"
retries = 0

[providers.messages]
kind = "anthropic"
base_url = "{url}"
api_key_env = "UPSTREAM_KEY"
retries = 0

[providers.patient]
kind = "openai"
base_url = "{v1}"
api = "chat"
retries = 2

[providers.keyless]
kind = "openai"
base_url = "{v1}"
api_key_env = "NO_SUCH_KEY"

[providers.replay]
kind = "replay"
options = {{ speed = 0 }}
"""
MODELS = {"chat": "chat/m", "responses": "responses:m", "messages": "messages/m"}
"""By the wire format, a model that is asked in it."""


class Served(Struct):
    """The server, and the providers' server behind it."""

    site: Site
    wire: Server

    @property
    def url(self) -> str:
        """What the Anthropic SDK calls the base URL."""
        return self.site.url

    @property
    def v1(self) -> str:
        """What the OpenAI SDK calls it."""
        return f"{self.url}/v1"


@contextmanager
def served(home: Path, limits: Limits | None = None) -> Iterator[Served]:
    """All of it, with its home in this place."""
    environ = {"HOME": str(home), "UPSTREAM_KEY": KEY}
    limits = limits or Limits(per_minute=0, concurrent_per_user=64)
    with Server() as wire:
        config = CONFIG.format(v1=wire.v1, url=wire.url)
        with Site(config=config, limits=limits, home=home, environ=environ) as site:
            yield Served(site, wire)
