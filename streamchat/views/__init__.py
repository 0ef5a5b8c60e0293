"""What a reply looks like, one way to show it per file. `LiveMarkdown` is for anybody's program:

from streamchat.views import LiveMarkdown

with LiveMarkdown() as live:
    for text in chunks:
        live.feed(text)
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamchat.views.live import LiveMarkdown

__all__ = ["LiveMarkdown"]


def __getattr__(name: str) -> object:
    """Rich is loaded when something is to be shown with it."""
    if name in __all__:
        from streamchat.views import live

        return getattr(live, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
