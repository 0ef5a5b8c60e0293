"""Earlier messages in the line that is typed while an answer streams, as Up and Down find them at the prompt."""

from collections.abc import Callable, Sequence


class Recall:
    """Goes from one text to the other; each is found again as it was left, until it is told to `forget`."""

    def __init__(self, earlier: Callable[[], Sequence[str]]) -> None:
        self._earlier = earlier
        self._found: list[str] = []
        self._texts: list[str] = []
        self._at = 0

    def forget(self) -> None:
        """What is typed next is a message of its own."""
        self._texts = []

    def step(self, text: str, by: int) -> str | None:
        """The text that is `by` behind this one (before it where that is less than 0); None where there is none."""
        if not self._texts:
            self._found = [*self._earlier(), text]
            self._texts = [*self._found]
            self._at = len(self._texts) - 1
        self._texts[self._at] = text
        if not 0 <= self._at + by < len(self._texts):
            return None
        self._at += by
        return self._texts[self._at]

    def kept(self, text: str) -> str:
        """What there is to go on with where this text stands and nobody goes up or down any more: what was being typed,
        behind the earlier message if that was changed."""
        typed = self._texts[-1] if self._texts else ""
        if not typed or self._at == len(self._texts) - 1:
            return text
        return typed if text == self._found[self._at] else f"{text}\n{typed}"
