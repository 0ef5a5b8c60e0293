"""Which models there are: each provider's own list, asked for at once and kept in the cache for a day.

What a list says of a model (context size, price, abilities) is taken from it, whatever the vendor calls it; what it
does not say comes from the price table where the model is known there.
"""

import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, structs

from streamchat.choice import Choice, connect, local_options
from streamchat.config.settings import Settings
from streamchat.discovery import entries_at, is_local
from streamchat.errors import ChatError
from streamchat.providers.base import Provider

NETWORK = ("openai", "anthropic")
"""The kinds of provider that are asked over a connection."""
FRESH = 24 * 3600.0
"""Seconds for which a kept list is taken for the list."""
BUDGET = 10.0
"""Seconds that a vendor may take for its list."""
LOCAL_BUDGET = 0.1
"""Seconds that a server on this machine may take for its list."""
_CONTEXT = (
    "context_length", "context_window", "max_model_len", "loaded_context_length", "max_context_length",
    "max_input_tokens", "inputTokenLimit",
)  # fmt: skip
_CACHE = "models.json"


class Model(Struct, frozen=True, omit_defaults=True):
    """A model as it is listed: tokens of context, US dollars for a million tokens in and out, abilities in a word."""

    id: str
    context: int | None = None
    input_price: float | None = None
    output_price: float | None = None
    abilities: tuple[str, ...] = ()


class Listing(Struct, frozen=True):
    """A provider's models. `asked` is when they were asked for (Unix time), 0 where that is of no account; `trouble`
    says why there are none, or none newer."""

    provider: str
    models: tuple[Model, ...] = ()
    asked: float = 0.0
    trouble: str = ""
    base_url: str = ""


def catalogue(settings: Settings, names: Collection[str] = (), *, refresh: bool = False) -> list[Listing]:
    """The lists of these providers, or of all that can be asked, in the order of the tables.

    A provider that does not answer is in the list with what went wrong. ChatError for a name that no provider has, and
    for one provider named alone of which there is nothing to show.
    """
    tables = {name: settings.provider(name) for name in names or settings.providers}
    kept = {} if refresh else kept_lists(settings.files.cache)
    found: dict[str, Listing] = {}
    near = [name for name, table in tables.items() if table.kind in NETWORK and is_local(table.base_url)]
    far: list[str] = []
    for name, table in tables.items():
        if table.kind not in NETWORK:
            found[name] = _offline(settings, name)
        elif name not in near and (names or _configured(settings, name)):
            known = kept.get(name)
            if known and known.base_url == table.base_url and 0 <= time.time() - known.asked < FRESH:
                found[name] = known
            else:
                far.append(name)
    asked = _asked(settings, near, far, LOCAL_BUDGET if not names else BUDGET)
    for listing, error in asked:
        if listing.models or names or listing.provider in far:
            found[listing.provider] = shown = _or_kept(listing, kept)
            if error and len(names) == 1 and not shown.models:
                raise error
    _keep(settings.files.cache, [listing for listing, _ in asked if listing.models and listing.provider in far])
    return [found[name] for name in tables if name in found]


def kept_lists(cache: Path) -> dict[str, Listing]:
    """The lists as they were last kept; a cache that cannot be read is an empty one."""
    try:
        lists = msgspec.json.decode((cache / _CACHE).read_bytes(), type=dict[str, Listing])
    except (OSError, msgspec.DecodeError):
        return {}
    return lists


def with_prices(listing: Listing) -> Listing:
    """The list with what the price table knows of its models where the list itself does not say it."""
    import genai_prices.data_snapshot  # a quarter of a second

    table = genai_prices.data_snapshot.get_snapshot()
    return structs.replace(
        listing, models=tuple(_completed(table, listing.provider, model) for model in listing.models)
    )


def described(entry: Mapping[str, Any]) -> Model | None:
    """A model as an entry of any vendor's list describes it; None for an entry without an id."""
    ident = entry.get("id") or entry.get("name")
    if not isinstance(ident, str):
        return None
    below = [entry, *(inner for key in ("meta", "limits") if isinstance(inner := entry.get(key), dict))]
    sizes = [part.get(key) for part in below for key in (*_CONTEXT, "n_ctx", "n_ctx_train")]
    context = next((size for size in sizes if type(size) is int and size > 0), None)
    paid = entry.get("pricing")
    prices = paid if isinstance(paid, dict) else {}
    return Model(
        ident,
        context,
        _price(prices, "prompt", "input"),
        _price(prices, "completion", "output"),
        tuple(_abilities(entry)),
    )


def _asked(
    settings: Settings, near: Iterable[str], far: Iterable[str], local_budget: float
) -> list[tuple[Listing, ChatError | None]]:
    """All of them at once, each with its error; keys are looked up before, one after the other."""
    waiting: list[tuple[str, Provider | ChatError | None]] = [(name, None) for name in near]
    for name in far:
        try:
            provider = connect(settings, Choice(name, ""))
        except ChatError as error:
            waiting.append((name, error))
            continue
        provider.endpoint = structs.replace(provider.endpoint, idle_timeout=BUDGET, retries=0)
        waiting.append((name, provider))
    if not waiting:
        return []
    with ThreadPoolExecutor(len(waiting)) as pool:
        jobs = [pool.submit(_ask, settings, name, whom, local_budget) for name, whom in waiting]
        return [job.result() for job in jobs]


def _ask(
    settings: Settings, name: str, whom: Provider | ChatError | None, local_budget: float
) -> tuple[Listing, ChatError | None]:
    url = settings.provider(name).base_url
    if isinstance(whom, ChatError):
        return Listing(name, trouble=whom.message, base_url=url), whom
    if whom is None:
        entries = entries_at(url, timeout=local_budget)
        return Listing(name, _models(entries), trouble="" if entries else "it does not answer", base_url=url), None
    try:
        entries = whom.described()
        return Listing(name, _models(entries), time.time(), "" if entries else "its list is empty", url), None
    except ChatError as error:
        return Listing(name, trouble=error.message.removeprefix(f"{name}: "), base_url=url), error
    finally:
        whom.close()


def _models(entries: Iterable[Mapping[str, Any]]) -> tuple[Model, ...]:
    return tuple(model for entry in entries if (model := described(entry)))


def _or_kept(listing: Listing, kept: Mapping[str, Listing]) -> Listing:
    """The old list where there is no new one; it says so."""
    old = kept.get(listing.provider)
    if listing.models or old is None or old.base_url != listing.base_url:
        return listing
    return structs.replace(old, trouble=listing.trouble)


def _keep(cache: Path, listings: Iterable[Listing]) -> None:
    """Into the cache, which may be gone or full: then nothing is kept."""
    merged = kept_lists(cache) | {listing.provider: listing for listing in listings}
    if not merged:
        return
    from streamchat.history.files import write

    with suppress(ChatError, OSError):
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        write(cache / _CACHE, json.dumps(msgspec.to_builtins(merged)).encode(), overwrite=True)


def _configured(settings: Settings, name: str) -> bool:
    """Whether the person has what is needed to ask it."""
    table = settings.providers[name]
    return bool(settings.key_origin(name)) or not table.api_key_env or name in settings.ready()


def _offline(settings: Settings, name: str) -> Listing:
    match settings.providers[name].kind:
        case "replay":
            from streamchat.providers.replay import SHIPPED

            return Listing(name, tuple(map(Model, SHIPPED)))
        case "local":
            return _embedded(settings, name)
    return Listing(name, (Model("echo"),))


def _embedded(settings: Settings, name: str) -> Listing:
    from streamchat.local.weights import available, engine_line, has_engine

    if not has_engine():
        return Listing(name, trouble=f"not installed: {engine_line()}")
    options = local_options(settings)
    found = tuple(Model(weights.name, options.context) for weights in available(options.directory))
    return Listing(name, found, trouble="" if found else "no weights yet: streamchat local install")


def _price(prices: Mapping[str, Any], for_one: str, for_million: str) -> float | None:
    """Dollars for a million tokens: one vendor's list has them for one token, as text, another's for a million."""
    with suppress(TypeError, ValueError):
        if for_one in prices:
            price = round(float(prices[for_one]) * 1e6, 6)
            return price if price >= 0 else None  # -1 is "it depends"
        if for_million in prices:
            return float(prices[for_million])
    return None


def _abilities(entry: Mapping[str, Any]) -> Iterator[str]:
    """What it can do besides text, from the words that vendors use."""
    said = json.dumps([
        (entry.get("architecture") or {}).get("input_modalities") if isinstance(entry.get("architecture"), dict) else 0,
        entry.get("supported_parameters"),
        entry.get("type") if entry.get("type") in ("vlm", "embeddings") else None,
        [key for key, value in _flags(entry) if value],
    ])  # fmt: skip
    for word, signs in (
        ("images", ("image", "vision", "vlm")),
        ("files", ('"file"', "pdf")),
        ("audio", ("audio",)),
        ("thinking", ("reasoning", "thinking")),
    ):
        if any(sign in said for sign in signs):
            yield word


def _flags(entry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The switches of a `capabilities` table, those that are tables themselves by their `supported`."""
    table = entry.get("capabilities")
    for key, value in table.items() if isinstance(table, dict) else ():
        yield key, value.get("supported") if isinstance(value, dict) else value


def _completed(table: Any, provider: str, model: Model) -> Model:
    if model.context and model.input_price is not None:
        return model
    try:
        _, known = table.find_provider_model(model.id, None, provider, None)
    except LookupError:
        return model
    prices = known.get_prices(datetime.now(UTC))
    return structs.replace(
        model,
        context=model.context or known.context_window,
        input_price=_number(model.input_price, getattr(prices, "input_mtok", None)),
        output_price=_number(model.output_price, getattr(prices, "output_mtok", None)),
    )


def _number(own: float | None, known: Any) -> float | None:
    """A price of the table where there is no own; of prices in steps, the first."""
    if own is not None or known is None:
        return own
    base = getattr(known, "base", known)
    with suppress(TypeError, ValueError):
        return float(base)
    return None
