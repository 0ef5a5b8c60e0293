"""GET /v1/models, and one of them: every model that can be asked and every alias, in the shape that the client's vendor
has."""

from typing import Any

from streamchat.errors import UnknownModelError
from streamchat.views.safe import one_line
from streamchat.web import completion_chunks, message_events
from streamchat.web.app import App
from streamchat.web.http import Answer, Request, answer_json


async def models(app: App, request: Request) -> Answer:
    """The models, as OpenAI lists them; as Anthropic does for who sends `anthropic-version`."""
    owners = await _owners(app)
    if not _is_anthropic(request):
        return answer_json({"object": "list", "data": [_openai(name, owner) for name, owner in owners.items()]})
    names = list(owners)
    ends = {"first_id": names[0] if names else None, "last_id": names[-1] if names else None}
    return answer_json({"data": list(map(_anthropic, names)), "has_more": False, **ends})


async def model(app: App, request: Request, id: str) -> Answer:  # noqa: A002
    """One of them by its name, which may have slashes."""
    owner = (await _owners(app)).get(id)
    if owner is None:
        error = UnknownModelError(f"there is no model {one_line(id)[:80]}", "GET /v1/models lists them.")
        return message_events.refused(error) if _is_anthropic(request) else completion_chunks.refused(error)
    return answer_json(_anthropic(id) if _is_anthropic(request) else _openai(id, owner))


async def _owners(app: App) -> dict[str, str]:
    """Whose each model is, in the order of the list."""
    owners = {
        f"{listing.provider}/{model.id}": listing.provider
        for listing in await app.upstream.listings()
        for model in listing.models
    }
    return owners | {alias: "alias" for alias in app.settings.aliases if alias not in owners}


def _is_anthropic(request: Request) -> bool:
    return "anthropic-version" in request.headers


def _openai(name: str, owner: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": owner}


def _anthropic(name: str) -> dict[str, Any]:
    return {"type": "model", "id": name, "display_name": name, "created_at": "1970-01-01T00:00:00Z"}
