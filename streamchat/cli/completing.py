"""What a half-written command line can go on with; it reads files, and asks nobody.

Each answer is a line, `VALUE` or `VALUE<tab>DESCRIPTION`; the line `:files` says that the shell's own file names fit.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Final

from streamchat.config import Settings, load
from streamchat.errors import ChatError
from streamchat.paths import expanded

FILES: Final = ":files"
_MOST_CONVERSATIONS = 200

Candidate = tuple[str, str]


def candidates(top: Any, context: Any, words: Sequence[str]) -> Iterator[str]:
    """The lines for these words behind `streamchat`, the last of which is being written ("" for a new one)."""
    *before, current = words or [""]
    if before and before[0] not in top.list_commands(context):
        before = ["ask", *before]  # as the program itself takes it
    seen: set[str] = set()
    for value, told in _fitting(top, context, before, current):
        if value == FILES:
            yield FILES
        elif value.startswith(current) and value not in seen:
            seen.add(value)
            yield f"{value}\t{_line(told)}" if told else value


def _fitting(top: Any, context: Any, before: Sequence[str], current: str) -> Iterator[Candidate]:
    command, inner, arguments, wanted = _where(top, context, before)
    if wanted is not None:
        yield from _values(wanted)
        return
    option, equals, _ = current.partition("=")
    if option.startswith("--") and equals:
        valued = _waiting(command, inner, option)
        values = _values(valued) if valued is not None else ()
        yield from ((f"{option}={value}", told) for value, told in values if value != FILES)
        return
    if current.startswith("-"):
        for parameter in command.get_params(inner):
            if parameter.param_type_name == "option" and not parameter.hidden:
                for name in (*parameter.opts, *parameter.secondary_opts):
                    yield name, parameter.help or ""
        return
    names = command.list_commands(inner) if hasattr(command, "list_commands") else []
    if names:
        lines = getattr(command, "lines", {})
        yield from ((name, lines.get(name, "")) for name in names)
        return
    places = [parameter for parameter in command.get_params(inner) if parameter.param_type_name == "argument"]
    if places:
        yield from _values(places[min(arguments, len(places) - 1)], command)


def _where(top: Any, context: Any, before: Sequence[str]) -> tuple[Any, Any, int, Any]:
    """The command that is being written, how many arguments it has, and the option that waits for its value."""
    command, arguments, wanted = top, 0, None
    for word in before:
        if wanted is not None:
            wanted = None
        elif word.startswith("-"):
            wanted = _waiting(command, context, word)
        elif hasattr(command, "list_commands") and word in command.list_commands(context):
            command = command.get_command(context, word)
            context = type(context)(command, info_name=word, parent=context)
            arguments = 0
        else:
            arguments += 1
    return command, context, arguments, wanted


def _waiting(command: Any, context: Any, word: str) -> Any:
    for parameter in command.get_params(context):
        if word in parameter.opts and not getattr(parameter, "is_flag", True):
            return parameter
    return None


def _values(parameter: Any, command: Any = None) -> Iterator[Candidate]:
    """What can stand for this option or argument: by its name, by the choices that its placeholder shows, or files."""
    metavar = (parameter.metavar or "").strip("[].").replace("]...", "")
    source = _SOURCES.get(parameter.name) or _SOURCES.get(metavar.lower())
    if parameter.name == "name" and metavar == "KEY":
        source = _settings
    if command is not None and command.name in ("rm", "set", "test") and metavar == "PROVIDER":
        source = _keyed
    if source:
        with suppress(ChatError, OSError):  # a wrong configuration is said when the command runs
            yield from source()
    elif "|" in metavar and metavar.replace("|", "").replace(" ", "").replace("-", "").islower():
        yield from ((word.strip(), "") for word in metavar.split("|"))
    elif any(sign in metavar for sign in ("FILE", "PATH", "DIR")):
        yield FILES, ""


def _loaded() -> Settings:
    return load(nearby=False)


def _models() -> Iterator[Candidate]:
    """Aliases, providers, and the models of the lists that were kept."""
    import msgspec

    settings = _loaded()
    yield from settings.aliases.items()
    for name, table in settings.providers.items():
        if settings.key_origin(name) or not table.api_key_env:
            yield name, "provider"
        if table.model:
            yield f"{name}/{table.model}", "its default"
    with suppress(OSError, msgspec.DecodeError, AttributeError, TypeError, KeyError):
        kept = msgspec.json.decode((settings.files.cache / "models.json").read_bytes())
        for name, listing in kept.items():
            yield from ((f"{name}/{model['id']}", "") for model in listing["models"])
    yield from ((f"replay/{name}", "") for name in ("showcase", "reasoning"))


def _providers() -> Iterator[Candidate]:
    yield from ((name, table.base_url) for name, table in _loaded().providers.items())


def _keyed() -> Iterator[Candidate]:
    """The providers that may want a key."""
    providers = _loaded().providers.items()
    yield from ((name, table.base_url) for name, table in providers if table.kind in ("openai", "anthropic"))


def _profiles() -> Iterator[Candidate]:
    yield from ((name, profile.model or "") for name, profile in _loaded().profiles.items())


def _aliases() -> Iterator[Candidate]:
    yield from _loaded().aliases.items()


def _settings() -> Iterator[Candidate]:
    from streamchat.config.schema import SECTIONS, TABLES

    for section, table in SECTIONS.items():
        yield from ((name if section == "defaults" else f"{section}.{name}", "") for name in table.__annotations__)
    settings = _loaded()
    for section, names in (("providers", settings.providers), ("profiles", settings.profiles)):
        yield from ((f"{section}.{name}.{field}", "") for name in names for field in TABLES[section].__annotations__)
    yield from ((f"aliases.{name}", target) for name, target in settings.aliases.items())


def _conversations() -> Iterator[Candidate]:
    """Names, and the beginnings of ids with their titles; the last one used comes first."""

    from streamchat.history.store import Store

    settings = _loaded()
    own = settings.history.dir
    where = expanded(own) if own else settings.files.data / "conversations"
    if not where.is_dir():
        return
    with Store(where, settings.files.cache) as store:
        entries = list(islice(store.entries(limit=_MOST_CONVERSATIONS), _MOST_CONVERSATIONS))
    yield "@-1", "the last one"
    yield from ((entry.name, entry.title) for entry in entries if entry.name)
    yield from ((entry.id[:8], entry.title) for entry in entries)


def _words(words: Iterable[str]) -> Callable[[], Iterator[Candidate]]:
    return lambda: ((word, "") for word in words)


def _topics() -> Iterator[Candidate]:
    from streamchat.cli.app import COMMANDS
    from streamchat.cli.help import TOPICS

    yield from COMMANDS.items()
    yield from TOPICS.items()


_SOURCES: Final[dict[str, Callable[[], Iterator[Candidate]]]] = {
    "model": _models,
    "models": _models,
    "target": _models,
    "provider": _providers,
    "provider]...": _providers,
    "profile": _profiles,
    "ref": _conversations,
    "refs": _conversations,
    "resume": _conversations,
    "key": _settings,
    "shell": _words(("bash", "zsh", "fish")),
    "command | topic": _topics,
    "think": _words(("off", "low", "medium", "high")),
}
"""By a parameter's name or its placeholder: where its values come from."""


def _line(text: str) -> str:
    from streamchat.views.safe import one_line

    return one_line(text, 60)
