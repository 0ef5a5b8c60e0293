"""Decoding of one datum: msgspec for speed, the standard library where msgspec is too strict for the wire."""

import json
from typing import Any, TypeVar

import msgspec

from streamchat.errors import ProviderError

T = TypeVar("T")


def decode(decoder: "msgspec.json.Decoder[T]", data: bytes | str) -> T:
    """The datum as the decoder's type; ProviderError when it is not JSON or not of that shape.

    Half a surrogate pair, which a provider sends when it cuts an emoji over two deltas, is refused by msgspec and
    kept by the standard library; the stream joins the halves.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as exc:
        raise ProviderError(f"a chunk of the answer has an unexpected shape: {exc}") from exc
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = lenient(data)
    try:
        return msgspec.convert(found, decoder.type, strict=False)
    except (msgspec.ValidationError, UnicodeEncodeError) as exc:
        raise ProviderError(f"a chunk of the answer has an unexpected shape: {exc}") from exc


def lenient(data: bytes | str) -> Any:
    """Any JSON datum, half surrogates included; ProviderError when it is none."""
    text = data if isinstance(data, str) else data.decode(errors="replace")
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError) as exc:
        raise ProviderError(f"a chunk of the answer is not JSON: {text[:80]!r}") from exc
