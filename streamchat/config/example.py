"""The configuration written out: config.example.toml, from the settings themselves, and values as TOML."""

import ast
import inspect
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, get_args

from msgspec import NODEFAULT, Struct, structs

from streamchat.config import schema
from streamchat.config.known import KNOWN
from streamchat.config.schema import SECTIONS, Profile, ProviderTable, setting_of_profile

HEAD = """\
# The configuration of streamchat: every setting, what it does, and its default. Nothing is set.
# A line that begins with # and no space is a setting (or a table's name): take the # away to use it.
# Where there is no default, the value is an example.
#
# Stronger than this file, strongest first: a flag, the profile of -P, a resumed conversation's own, a variable
# (STREAMCHAT_MODEL for `model` of [defaults], STREAMCHAT_UI_COLOR for `color` of [ui]), the default profile, and for
# model, system prompt and parameters a .streamchat.toml in the current directory.
# What holds now and why: streamchat config show --origin
"""

EXAMPLES: dict[str, Any] = {
    "kind": "openai",
    "base_url": "http://192.168.0.7:8000/v1",
    "api_key_env": "WORK_API_KEY",
    "api_key_cmd": "pass show work/llm",
    "api_key_keyring": "llm/work",
}
"""What a provider of one's own could say where there is no default to show."""


def example() -> str:
    """The text of config.example.toml, which `streamchat config init` writes too."""
    return "\n".join([HEAD, *_sections(), *_providers(), *_profile(), *_aliases()])


def toml(value: Any) -> str:
    """A value as TOML, fit for a terminal too: what does not print is escaped."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            quoted = json.dumps(value, ensure_ascii=False)
            return "".join(char if char.isprintable() else _escaped(char) for char in quoted)
        case dict():
            return "{" + ", ".join(f"{toml_key(key)} = {toml(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(toml, value)) + "]"
        case _:
            return str(value)


def toml_key(key: str) -> str:
    """A key as TOML: bare where it can be."""
    return key if key and key.isascii() and key.replace("-", "").replace("_", "").isalnum() else toml(key)


def explanations(table: type[Struct]) -> dict[str, str]:
    """The docstring under each field of a table."""
    body = ast.parse(inspect.getsource(schema)).body
    fields = next(node.body for node in body if isinstance(node, ast.ClassDef) and node.name == table.__name__)
    found = {}
    for line, below in pairwise(fields):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and isinstance(below, ast.Expr):
            found[line.target.id] = str(ast.literal_eval(below.value))
    return found


def _sections() -> Iterator[str]:
    for section, table in SECTIONS.items():
        yield f"\n[{section}]\n# {table.__doc__}\n"
        for field in structs.fields(table):
            yield f"# {explanations(table)[field.name]}"
            yield f"#{field.name} = {toml(_default(field))}\n"


def _providers() -> Iterator[str]:
    yield "\n# Providers that are there without a table. An empty one changes nothing.\n"
    for name, known in KNOWN.items():
        yield f"[providers.{name}]"
        yield from (f"#{field} = {toml(value)}" for field, value in known.items())
        yield ""
    yield f"\n# A provider of your own. {ProviderTable.__doc__}\n\n#[providers.work]\n"
    for field in structs.fields(ProviderTable):
        yield f"# {explanations(ProviderTable)[field.name]}"
        yield f"#{field.name} = {toml(EXAMPLES.get(field.name) or _default(field))}\n"


def _profile() -> Iterator[str]:
    yield f"\n# {Profile.__doc__}\n\n#[profiles.work]"
    for name in Profile.__struct_fields__:
        section, _, setting = setting_of_profile(name).partition(".")
        field = next(field for field in structs.fields(SECTIONS[section]) if field.name == setting)
        yield f"#{name} = {toml(_default(field))}"
    yield ""


def _aliases() -> Iterator[str]:
    yield "\n[aliases]\n# Short names of models: `-m fast`.\n"
    yield '#fast = "groq/MODEL"\n'


def _default(field: structs.FieldInfo) -> Any:
    """A field's default, or the example of its type where the default is to have none."""
    default = field.default if field.default is not NODEFAULT else field.default_factory()
    return default if default is not None else _example(field.type)


def _example(kind: Any) -> Any:
    for part in (kind, *get_args(kind)):
        if examples := getattr(next(iter(getattr(part, "__metadata__", ())), None), "examples", None):
            return examples[0]
    return next((found for part in get_args(kind) if (found := _example(part)) is not None), None)


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
