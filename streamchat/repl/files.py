"""The files that go with the next message."""

from collections.abc import Sequence

from streamchat.attachments import joined, mentioned, read, refuse
from streamchat.chat import Attachment
from streamchat.errors import ChatError
from streamchat.providers.base import Provider


class Files:
    """Texts and attachments, in the order in which they were named."""

    def __init__(self) -> None:
        self.attachments: list[Attachment] = []
        self._texts: dict[str, str] = {}

    @property
    def names(self) -> list[str]:
        """Their names, as they were given."""
        return [*self._texts, *(each.name for each in self.attachments)]

    def put(self, texts: Sequence[str], attachments: Sequence[Attachment]) -> None:
        """Files that were read already; a fenced text begins with its name."""
        self._texts |= {text.partition(":\n")[0]: text for text in texts}
        self.attachments += attachments

    def add(self, name: str, provider: Provider) -> None:
        """One more; UsageError for what cannot be sent, or not to this provider."""
        found = read(name)
        if isinstance(found, str):
            self._texts[name] = found
        else:
            refuse([found], provider)
            if found not in self.attachments:
                self.attachments.append(found)

    def clear(self) -> None:
        """None of them, after all."""
        self.attachments = []
        self._texts = {}

    def add_mentioned(self, text: str, provider: Provider) -> list[str]:
        """Those that the text names as @path; the names among them that are no file here.

        UsageError where one of all files cannot be sent; those that the text names are not here then.
        """
        there, missing = mentioned(text)
        before = self.attachments.copy(), self._texts.copy()
        try:
            for name in dict.fromkeys(there):
                if name not in self._texts:
                    self.add(name, provider)
            refuse(self.attachments, provider)
        except ChatError:
            self.attachments, self._texts = before
            raise
        return missing

    def take(self, text: str) -> tuple[str, tuple[Attachment, ...]]:
        """The message with the texts in it, and what goes beside it; nothing is left here then.

        One that is edited has its texts already, and names them still.
        """
        missing = [each for each in self._texts.values() if each not in text]
        whole, attachments = joined(missing, text), tuple(self.attachments)
        self.clear()
        return whole, attachments
