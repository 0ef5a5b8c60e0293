"""Which provider answers, and why: what was named, else what is there, in an order that can be said in one line.

A key or an address in the person's environment, else a server on this machine, else the embedded model. What was
chosen without being named is said; a provider that fails is never replaced by another.
"""

from typing import TYPE_CHECKING

from msgspec import Struct

from streamchat.config.known import KNOWN
from streamchat.config.settings import Settings
from streamchat.config.target import printable
from streamchat.errors import AuthError, ChatError, UsageError
from streamchat.providers import make
from streamchat.providers.base import Endpoint, Provider, Secret

if TYPE_CHECKING:
    from streamchat.local.options import LocalOptions

WAYS = (
    "Set a key (OPENAI_API_KEY, ANTHROPIC_API_KEY or another provider's), start a local server such as Ollama,"
    " or install the small model that needs neither: streamchat local install"
)
_PATIENCE = 3.0
"""Seconds that a named server may take for its models list, when the person named no model."""


class Choice(Struct, frozen=True):
    """Whom to ask. `why` is None where the person named the provider."""

    provider: str
    model: str
    why: str | None = None


def choose(settings: Settings, model: str = "") -> Choice:
    """Whom to ask by these settings; `model` is one more `--model`. UsageError, with the ways out, for nobody."""
    provider, name = settings.target(model)
    why = None
    if provider is None and settings.base_url:
        raise UsageError("--base-url does not say who is there", "Name it too: -m vllm/MODEL, or --provider NAME.")
    if provider is None:
        provider, found, why = _available(settings, name or "")
        name = name or found
    return Choice(provider, name or settings.provider(provider).model or _first_model(settings, provider), why)


def connect(settings: Settings, choice: Choice) -> Provider:
    """The chosen provider, ready to be asked; AuthError when its own service wants a key and there is none."""
    name = choice.provider
    table, key = settings.provider(name), settings.api_key(name)
    endpoint = Endpoint(
        name=name,
        base_url=table.base_url or None,
        api_key=Secret(key) if key else None,
        api=table.api,
        idle_timeout=settings.idle_timeout(name),
        retries=settings.retries(name),
        proxy=settings.defaults.proxy or None,
        headers=table.headers,
        options=table.options,
        stop_reason_optional=table.stop_reason == "optional",
        key_places=settings.looked_for_key(name) if key else (),
    )
    if table.kind == "local":
        return make("local", endpoint, options=local_options(settings))
    moved = table.base_url != KNOWN.get(name, {}).get("base_url", table.base_url)  # a gateway may want no key
    if key is None and ((table.api_key_env and not moved) or table.api_key_keyring):
        raise AuthError(
            f"no API key for {name}; looked for in {', '.join(settings.looked_for_key(name))}",
            f"Keep one: streamchat keys set {name} (or set {table.api_key_env or 'its variable'}); or go without a key:"
            " streamchat local install, then -m local",
        )
    return make(table.kind, endpoint)


def local_options(settings: Settings) -> "LocalOptions":
    """The `[local]` table as the embedded model takes it."""
    from streamchat.local.options import LocalOptions

    local = settings.local
    return LocalOptions(local.model, local.primer, local.context, local.max_tokens, local.threads)


def _available(settings: Settings, model: str) -> tuple[str, str, str]:
    """A provider that is there, its model where that is known, and why it was taken; `model` is whose is not said."""
    if ready := settings.ready():
        first, *others = ready
        place = settings.key_origin(first)
        why = "its key is in the keyring" if place == "keyring" else f"{place or 'its address'} is set"
        return first, "", why + (f" (so is {', '.join(others)})" if others else "")
    if settings.defaults.discover:
        from streamchat.discovery import is_local, local_servers  # an HTTP client: not on the way of those with a key

        urls = {name: table.base_url for name, table in settings.providers.items() if is_local(table.base_url)}
        for name, models in local_servers(urls).items():
            return name, models[0], f"it answers at {urls[name]}"
    from streamchat.local.weights import missing

    if missing(local_options(settings)) is None:
        return "local", "", "no key is set and no local server answers"
    raise _nobody(settings, model)


def _nobody(settings: Settings, model: str) -> "NobodyThereError":
    """The error that nobody is there, with the nearest way out."""
    near = [name for name in settings.providers if settings.key_origin(name)]  # who has another key is `ready`
    if near:
        return NobodyThereError(
            "there is no provider to ask: a key in the current directory's .env does not choose one",
            f"Name it: -m {near[0]}" + (f"/{model}" if model else ""),
        )
    nobody = "no key is set, and no server or model is on this machine"
    if model:
        return NobodyThereError(
            f"`{printable(model)}` does not say whose model it is, and there is no provider to ask: {nobody}",
            f"Write PROVIDER/MODEL. {WAYS}",
        )
    return NobodyThereError(f"there is no provider to ask: {nobody}", WAYS)


class NobodyThereError(UsageError):
    """No provider was named and none is there; on a terminal the embedded model can be offered."""


def _first_model(settings: Settings, provider: str) -> str:
    """The model of a provider that was named alone: the only choice of a server is no choice to leave to a person."""
    table = settings.provider(provider)
    match table.kind:
        case "local":
            from streamchat.local.weights import find

            weights = find(local_options(settings))
            return weights.name if weights else ""
        case "echo":
            return "echo"
        case "replay":
            return "showcase"
    from streamchat.discovery import is_local, models_at

    models = models_at(table.base_url, timeout=_PATIENCE) if is_local(table.base_url) else []
    if not models:
        raise UsageError(f"no model is named for {provider}", f"Write -m {provider}/MODEL, or set model in its table.")
    return models[0]


def nearest_models(provider: Provider, model: str) -> list[str]:
    """The names that a provider's own list has closest to one that it does not know; empty when it gives no list."""
    from difflib import get_close_matches

    try:
        return get_close_matches(model, provider.models(), n=3, cutoff=0.5)
    except ChatError:
        return []
