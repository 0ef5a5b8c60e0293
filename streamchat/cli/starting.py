"""From settings and flags to what `ask` and `chat` begin with: the look, the place of conversations."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from streamchat.cli.options import Flags
from streamchat.config.settings import Settings
from streamchat.providers.base import Provider
from streamchat.views.choose import Look


def look_of(settings: Settings, flags: Flags) -> Look:
    """How answers are to look."""
    ui = settings.ui
    return Look(
        format="json" if flags.json else flags.format,
        raw=flags.raw,
        plain=flags.plain,
        safe=flags.safe,
        stream=settings.defaults.stream,
        color=ui.color,
        reasoning=ui.reasoning,
        footer=ui.footer,
        usage=flags.usage,
        extract=flags.extract,
        code=bool(flags.schema),
        code_theme=ui.code_theme,
        theme=ui.theme,
        width=ui.width,
        accessible=ui.accessible,
    )


def powerless(
    provider: Provider, model: str, *, schema: dict[str, Any] | None = None, think: str | None = None
) -> Iterator[str]:
    """What was asked for and has no effect on this model, a sentence each; `think` is the flag."""
    if think is not None and not provider.thinks(model):
        yield f"{provider.name}/{model} has no control over its thinking: --think changes nothing"
    if schema is not None and not provider.structures:
        yield f"{provider.name} cannot be held to a schema: its answer is only checked"


def directory_of(settings: Settings) -> Path | None:
    """Where conversations are kept; None where none is to be."""
    return kept_in(settings) if settings.history.save else None


def kept_in(settings: Settings) -> Path:
    """Where those are that were kept."""
    return Path(settings.history.dir).expanduser() if settings.history.dir else settings.files.data / "conversations"
