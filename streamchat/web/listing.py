"""GET /v1/models: every model that can be asked and every alias, in the shape that the client's vendor has."""

from typing import Any

from streamchat.web.app import App
from streamchat.web.http import Answer, Request, answer_json


async def models(app: App, request: Request) -> Answer:
    """The models, as OpenAI lists them; as Anthropic does for who sends `anthropic-version`."""
    owners = {
        f"{listing.provider}/{model.id}": listing.provider
        for listing in await app.upstream.listings()
        for model in listing.models
    }
    owners |= {alias: "alias" for alias in app.settings.aliases if alias not in owners}
    if "anthropic-version" not in request.headers:
        return answer_json({"object": "list", "data": [_openai(name, owner) for name, owner in owners.items()]})
    names = list(owners)
    ends = {"first_id": names[0] if names else None, "last_id": names[-1] if names else None}
    return answer_json({"data": list(map(_anthropic, names)), "has_more": False, **ends})


def _openai(name: str, owner: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": owner}


def _anthropic(name: str) -> dict[str, Any]:
    return {"type": "model", "id": name, "display_name": name, "created_at": "1970-01-01T00:00:00Z"}
