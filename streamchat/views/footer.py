"""The figures of a reply as short phrases: for the dim line under an answer and for `--usage`."""

from streamchat.chat import Reply
from streamchat.events import Usage


def figures(reply: Reply) -> list[str]:
    """Tokens, speed and times, those that are known, in the order in which they are shown.

    Every figure is the provider's own; a speed is its output tokens over the time since the first one.
    """
    phrases = [*_tokens(reply.usage)]
    if reply.tokens_per_second is not None:
        phrases.append(f"{reply.tokens_per_second:.0f} tokens/s")
    if reply.first_token is not None:
        phrases.append(f"first token {seconds(reply.first_token)}")
    phrases.append(seconds(reply.elapsed))
    return phrases


def seconds(time: float) -> str:
    """A duration as people read it: 0.42 s, 12.3 s, 3 min 4 s."""
    if time >= 100:
        return f"{time // 60:.0f} min {time % 60:.0f} s"
    return f"{time:.2f} s" if time < 10 else f"{time:.1f} s"


def _tokens(usage: Usage) -> list[str]:
    parts = []
    if usage.input_tokens is not None:
        cached = f" ({usage.cached_tokens} cached)" if usage.cached_tokens else ""
        parts.append(f"{usage.input_tokens} in{cached}")
    if usage.output_tokens is not None:
        thought = f" ({usage.reasoning_tokens} reasoning)" if usage.reasoning_tokens else ""
        parts.append(f"{usage.output_tokens} out{thought}")
    return parts
