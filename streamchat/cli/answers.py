"""What is wanted of an answer beyond its text, and whether it was given: code, a shape."""

from typing import Any

from streamchat.chat import Reply
from streamchat.cli.flags import Flags
from streamchat.errors import UsageError


def schema_of(flags: Flags) -> dict[str, Any] | None:
    """The JSON schema that was given; UsageError for what is none."""
    if flags.schema is None:
        return None
    if flags.extract is not None:
        raise UsageError("--extract and --schema exclude one another")
    from streamchat import structured

    return structured.schema_of(flags.schema)


def part_of(reply: Reply, flags: Flags, schema: dict[str, Any] | None) -> str:
    """The answer, or what was wanted of it; ProviderError where it is not what was wanted."""
    if flags.extract is not None:
        from streamchat.fences import Wanted, extracted

        return extracted(reply.text, Wanted.parse(flags.extract))
    if schema is not None:
        from streamchat.structured import check_answer

        check_answer(reply.text, schema)
    return reply.text
