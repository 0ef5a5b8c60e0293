"""Where a provider is stays with who runs the server: hosts and addresses are taken out of all that is told of errors.

A terminal's person may know them, and its messages name them; what a server says goes to others. This is the one place
where that is seen to, for every format, framework and page.
"""

import re
from urllib.parse import urlsplit
from urllib.request import getproxies

from streamchat.config.known import ENDPOINTS
from streamchat.config.settings import Settings
from streamchat.errors import ChatError
from streamchat.web.errors import WebError

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_REDIRECTED = re.compile(r"\bredirects to \S+")


class Unplaced:
    """The words of errors without the places that one configuration names."""

    def __init__(self, settings: Settings) -> None:
        urls = (settings.base_url, *(table.base_url for table in settings.providers.values()), *getproxies().values())
        found = {host for url in (*urls, *ENDPOINTS.values()) if (host := _host(url))}
        names = "|".join(re.escape(name) for name in sorted(found | set(_LOOPBACK), key=len, reverse=True))
        place = rf"(?:\w+://(?:[^\s/@]*@)?)?(?<![\w.-])\[?(?:{names})\]?(?![\w-]|\.\w)(?::\d+)?(?:/[^\s\"'<>),;]*)?"
        self._aside = re.compile(rf" \({place}\)", re.IGNORECASE)
        self._place = re.compile(place, re.IGNORECASE)

    def words(self, text: str) -> str:
        """What was said, without where."""
        text = _REDIRECTED.sub("redirects elsewhere", text)
        return self._place.sub("its server", self._aside.sub("", text))

    def error(self, error: ChatError) -> ChatError:
        """The same error, which says no more than that. What this server says of itself stays as it is."""
        if not isinstance(error, WebError):
            error.message = self.words(error.message)
            error.hint = error.hint and self.words(error.hint)
            error.args = (error.message,)
        return error


def _host(url: str) -> str:
    try:
        return urlsplit(url if "://" in url else f"//{url}").hostname or ""
    except ValueError:
        return ""
