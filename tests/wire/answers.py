"""The answers of all wire formats, and what the formats have in common, so that one test can be run for all three."""

from collections.abc import Callable, Iterable
from typing import Any, Literal

from msgspec import Struct

from tests.wire.chat import chat_answer, chat_error
from tests.wire.messages import messages_answer, messages_error
from tests.wire.payload import ANTHROPIC_MODEL, CREATED, OPENAI_MODEL, REQUEST_ID, Packets
from tests.wire.responses import responses_answer, responses_error

__all__ = [
    "CHAT",
    "FORMATS",
    "MESSAGES",
    "RESPONSES",
    "Format",
    "anthropic_error_body",
    "chat_answer",
    "chat_error",
    "messages_answer",
    "messages_error",
    "models",
    "openai_error_body",
    "responses_answer",
    "responses_error",
]


def openai_error_body(message: str, kind: str, code: str | None = None) -> dict[str, Any]:
    """The body of a refusal."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def anthropic_error_body(message: str, kind: str) -> dict[str, Any]:
    """The body of a refusal."""
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": REQUEST_ID}


class Format(Struct, frozen=True):
    """One wire format: how it answers, fails and calls things."""

    name: Literal["chat", "responses", "messages"]
    path: str
    answer: Callable[..., Packets]
    """`answer(deltas, usage=(in, out))`"""
    error: Callable[[str, str], bytes]
    """`error(message, kind)`: an error event."""
    error_body: Callable[[str, str], dict[str, Any]]
    """`error_body(message, kind)`: the JSON of a refused request."""
    reasoning: str
    """The name of the parameter of `answer` that gives it reasoning."""
    length: dict[str, Any]
    """The parameters of `answer` for one that the limit of tokens cut."""
    endless: dict[str, Any]
    """The parameters of `answer` for one whose end never comes."""

    def thinking(self, thoughts: Iterable[str], deltas: Iterable[str]) -> Packets:
        """An answer with reasoning."""
        return self.answer(deltas, **{self.reasoning: thoughts})


CHAT = Format(
    "chat",
    "/v1/chat/completions",
    chat_answer,
    chat_error,
    openai_error_body,
    reasoning="reasoning",
    length={"finish": "length"},
    endless={"finish": None, "usage": None, "done": False},
)
RESPONSES = Format(
    "responses",
    "/v1/responses",
    responses_answer,
    responses_error,
    openai_error_body,
    reasoning="reasoning",
    length={"finish": "max_output_tokens"},
    endless={"finish": None},
)
MESSAGES = Format(
    "messages",
    "/v1/messages",
    messages_answer,
    messages_error,
    anthropic_error_body,
    reasoning="thinking",
    length={"stop_reason": "max_tokens"},
    endless={"stop_reason": None, "stop": False},
)
FORMATS = (CHAT, RESPONSES, MESSAGES)


def models(*, anthropic: bool) -> dict[str, Any]:
    """The list of models, as each vendor gives it."""
    if not anthropic:
        names = (OPENAI_MODEL, "gpt-5.1-mini")
        return {"object": "list", "data": [_openai_model(name) for name in names]}
    names = (ANTHROPIC_MODEL, "claude-haiku-5-20260901")
    return {
        "data": [_anthropic_model(name) for name in names],
        "has_more": False,
        "first_id": names[0],
        "last_id": names[-1],
    }


def _openai_model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "system"}


def _anthropic_model(name: str) -> dict[str, Any]:
    shown = name.rsplit("-", 1)[0].replace("-", " ").title()
    return {"type": "model", "id": name, "display_name": shown, "created_at": "2026-09-01T00:00:00Z"}
