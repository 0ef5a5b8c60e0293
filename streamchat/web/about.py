"""What the server says of itself, and how a page gets in and out."""

from typing import Any

from msgspec import Struct, structs

from streamchat import __version__
from streamchat.web.app import App
from streamchat.web.guard import used
from streamchat.web.http import Answer, Request, answer_json


class Code(Struct, forbid_unknown_fields=True):
    """The body of POST /api/session: what stood in the page's address."""

    token: str


async def health(app: App, request: Request) -> Answer:
    """Whether it takes questions; for everybody."""
    body = {"ok": not app.hub.draining, "version": __version__, "draining": app.hub.draining, "runs": len(app.hub)}
    return answer_json(body, 503 if app.hub.draining else 200)


async def config(app: App, request: Request) -> Answer:
    """What can be asked, and within which limits."""
    models: list[dict[str, Any]] = []
    for listing in await app.upstream.listings():
        provider = app.settings.provider(listing.provider)
        for model in listing.models:
            models.append(
                {
                    "id": f"{listing.provider}/{model.id}",
                    "provider": listing.provider,
                    "label": model.id,
                    "context": model.context or provider.context,
                    # null: its list says nothing of what it can do
                    "reasoning": "thinking" in model.abilities if model.abilities else None,
                    "images": "images" in model.abilities if model.abilities else None,
                }
            )
    return answer_json(
        {
            "version": __version__,
            "models": models,
            "aliases": app.settings.aliases,
            "default": await app.upstream.default(),
            "system": app.settings.defaults.system,
            "limits": structs.asdict(app.limits),
            "features": {"conversations": app.settings.history.save},
        }
    )


async def entered(app: App, request: Request) -> Answer:
    """Exchange the code of a page's address for a cookie."""
    code: Code = request.json(Code)
    shared = app.guard.shared_code(code.token)
    if shared is not None and not (app.elsewhere is not None and await app.elsewhere.first_use(shared)):
        raise used()
    cookie = app.guard.entered(code.token, request)
    return Answer(204, headers={"set-cookie": cookie, "cache-control": "no-store"})


async def left(app: App, request: Request) -> Answer:
    """Take the cookie away."""
    cookie = app.guard.left(request)
    return Answer(204, headers={"set-cookie": cookie, "cache-control": "no-store"})
