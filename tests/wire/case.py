"""What one case of the table of faults is."""

from typing import Literal

from msgspec import Struct

from streamchat.errors import ChatError
from streamchat.events import StopReason
from tests.wire.answers import Format
from tests.wire.scenario import Scenario

DELTAS = ["The answer", " is 42", ", wörld", " 日本 🙂."]
WHOLE = "".join(DELTAS)
KEPT = "".join(DELTAS[:2])
"""What has come when a fault strikes in the middle."""

Place = Literal["server", "refused", "unknown name", "no TLS", "no scheme"]


class Case(Struct, frozen=True):
    """One fault. `words` stand in the error's line, `unwords` do not; `{host}` is the server's host and port."""

    name: str
    form: Format
    scenarios: tuple[Scenario, ...] = ()
    text: str = ""
    error: type[ChatError] | None = None
    words: tuple[str, ...] = ()
    unwords: tuple[str, ...] = ()
    stop: StopReason = "stop"
    detail: str | None = None
    tries: int = 1
    """How many requests are made; one less is what the provider is allowed as retries."""
    in_one_piece: bool = False
    """Whether the damage may be read together with the head of the response, of which aiohttp then gives nothing."""
    place: Place = "server"
    timeout: float = 10.0
    retry_after: float | None = None

    @property
    def exit_code(self) -> int:
        """What `streamchat ask` ends with."""
        return self.error.exit_code if self.error else 0

    def __str__(self) -> str:
        return f"{self.form.name}: {self.name}"


def begun(form: Format) -> list[bytes]:
    """An answer of which the first half has come."""
    return form.answer(DELTAS[:2], **form.endless)
