"""Which provider and which model a person means; pure."""

from collections.abc import Collection, Mapping, Sequence

from streamchat.errors import UsageError


def split_model(
    text: str, providers: Collection[str], aliases: Mapping[str, str], chosen: str | None = None
) -> tuple[str | None, str | None]:
    """A model reference as (provider or None, model or None).

    `provider/model` and `provider:model` name both where the first part is a known provider, an alias stands for its
    reference, a provider's bare name means its default model. Everything else is a model's id, slashes and all: it
    belongs to `chosen`, the provider named elsewhere. With none chosen, a first part that is nearly a provider's name
    is a slip of the keyboard, and asking whoever is there for it would be no help.

    >>> split_model("openai/gpt-5", {"openai"}, {})
    ('openai', 'gpt-5')
    >>> split_model("meta-llama/Llama-3", {"openai"}, {})
    (None, 'meta-llama/Llama-3')
    """
    text = aliases.get(text, text)
    if text in providers:
        return text, None
    first, model = _halves(text)
    if first in providers:
        if not model:
            raise UsageError(
                f"`{text}` names the provider {first} but no model", f"write {first}/MODEL, or {first} alone"
            )
        return first, model
    if chosen is None and text.startswith(f"{first}/"):  # before a colon stands a model's own name: llama3:8b
        _refuse_slip(text, first, providers)
    return None, text or None


def choose(
    model: str, rank: int, named: Sequence[tuple[int, str]], providers: Collection[str], aliases: Mapping[str, str]
) -> tuple[str | None, str | None]:
    """Provider and model out of what the layers of the configuration say, each with its rank (0 is the strongest).

    `named` are the providers that the layers name, strongest first. One named beside the model, in the same layer,
    makes the model its id: `--provider openrouter -m openai/gpt-5` asks OpenRouter. One named further down is where a
    bare id belongs. One named further up wins, and the model goes with it only if it was not another provider's.
    """
    for _, name in named:
        if name not in providers:
            raise unknown_provider(name, providers)
    above = next((name for place, name in named if place < rank), None)
    if not model:
        return next((name for _, name in named), None), None
    beside = next((name for place, name in named if place == rank), None)
    below = next((name for place, name in named if place > rank), None)
    owner: str | None
    ident: str | None
    if beside:
        owner, ident = _model_of(beside, model, providers, aliases)
    else:
        owner, ident = split_model(model, providers, aliases, chosen=below or above)
        owner = owner or below
    if above is None:
        return owner, ident
    return above, ident if owner in (None, above) else None


def _model_of(
    provider: str, model: str, providers: Collection[str], aliases: Mapping[str, str]
) -> tuple[str, str | None]:
    """The id that a reference means at this provider; the provider's own name again is its default model."""
    if model not in aliases:
        return provider, None if model == provider else model.removeprefix(f"{provider}/") or None
    owner, name = split_model(model, providers, aliases, chosen=provider)
    if owner not in (None, provider):
        raise UsageError(f"the alias `{printable(model)}` is a model of {owner}, and {provider} was asked for")
    return provider, name


def unknown_provider(name: str, providers: Collection[str]) -> UsageError:
    """The error for a name that no provider has."""
    guesses = nearest(name, providers)
    hint = f"did you mean {' or '.join(guesses)}?" if guesses else f"there are {', '.join(sorted(providers))}"
    return UsageError(f"there is no provider `{printable(name)}`", hint)


def nearest(name: str, names: Collection[str], cutoff: float = 0.6) -> list[str]:
    """The known names that look most like this one, best first, at most three."""
    from difflib import get_close_matches  # only on the way to an error

    spelt = {known.lower(): known for known in sorted(names)}
    return [spelt[match] for match in get_close_matches(name.lower(), spelt, n=3, cutoff=cutoff)]


def printable(text: str, limit: int = 60) -> str:
    """Text from a file or a flag, fit to be quoted in one line of a terminal."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:limit])
    return shown + "…" if len(text) > limit else shown


def _halves(text: str) -> tuple[str, str]:
    """What stands before and after the first `/` or `:`; both empty without one."""
    cuts = [cut for cut in (text.find("/"), text.find(":")) if cut > 0]
    return (text[: min(cuts)], text[min(cuts) + 1 :]) if cuts else ("", "")


def _refuse_slip(text: str, first: str, providers: Collection[str]) -> None:
    # `mistralai/...` and `deepseek-ai/...` are publishers of models, not slips: a name that goes on is another name.
    guesses = [name for name in nearest(first, providers, cutoff=0.8) if not first.startswith(name)]
    if guesses:
        raise UsageError(
            f"there is no provider `{printable(first)}`; did you mean {' or '.join(guesses)}?",
            f"to ask for a model that is really called `{printable(text)}`, name its provider: --provider NAME",
        )
