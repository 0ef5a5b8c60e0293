"""Answers of a given shape: a JSON schema is read and checked before it is sent, the answer when it has ended.

Alone in importing jsonschema, an extra (five packages), and only when there is a schema. Nothing is ever fetched: a
schema stands by itself.
"""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from streamchat.errors import ConfigError, ProviderError, UsageError
from streamchat.paths import expanded

Schema = dict[str, Any]

INSTALL = "pip install 'streamchat[schema]'"

_LONGEST = 160
"""Letters of what is wrong: it begins with the value, which may be long, and ends with the reason."""


def schema_of(given: str) -> Schema:
    """The schema that `--schema` was given, as JSON or as the file that holds it; UsageError when it is none."""
    _needed()
    text, place = (given, "the schema") if given.lstrip().startswith("{") else (_read(given), given)
    try:
        schema = json.loads(text)
    except ValueError as exc:
        raise UsageError(f"{place} is not JSON: {exc}") from exc
    if not isinstance(schema, dict):
        raise UsageError(f"{place} is no JSON schema: it is not an object")
    _check(schema, place)
    return schema


def check_answer(text: str, schema: Schema) -> None:
    """ProviderError when the answer is not JSON, or not of the schema's shape; it says where and why."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as exc:
        raise ProviderError(
            f"the answer is not JSON: {exc}", "It is kept as it came. Not every model and server knows schemas."
        ) from exc
    from jsonschema.exceptions import best_match

    wrong = best_match(_validator(schema).iter_errors(value))
    if wrong is not None:
        why = wrong.message if len(wrong.message) <= _LONGEST else f"…{wrong.message[-_LONGEST:]}"
        raise ProviderError(f"the answer does not fit the schema: {wrong.json_path}: {why}")


def _needed() -> None:
    try:
        import jsonschema  # noqa: F401
    except ImportError:
        raise ConfigError("--schema needs one more package", f"Install it: {INSTALL}") from None


def _read(name: str) -> str:
    try:
        return expanded(name).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        reason = getattr(exc, "strerror", None) or "it is not UTF-8"
        raise UsageError(
            f"the schema {name} cannot be read: {reason}", "A schema is a file, or JSON that begins with {"
        ) from exc


def _check(schema: Schema, place: str) -> None:
    from jsonschema.exceptions import SchemaError
    from referencing.exceptions import Unresolvable

    validator = _validator(schema)
    try:
        validator.check_schema(schema)
    except SchemaError as exc:
        raise UsageError(f"{place} is no JSON schema: {exc.json_path}: {exc.message}") from exc
    for reference in _references(schema):
        try:
            if not reference.startswith("#"):
                raise Unresolvable(reference)
            _resolver(schema).lookup(reference)
        except Unresolvable as exc:
            raise UsageError(
                f"{place} refers to {reference}, which is not in it", "Nothing is fetched: put it under $defs."
            ) from exc


def _validator(schema: Schema) -> Any:
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry

    return validator_for(schema, default=Draft202012Validator)(schema, registry=Registry())


def _resolver(schema: Schema) -> Any:
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    return Registry[Any]().with_resource("", DRAFT202012.create_resource(schema)).resolver()


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(reference := part.get("$ref"), str):
            yield reference
        for inner in part.values():
            yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
