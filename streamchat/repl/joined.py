"""Emoji of several parts, as the prompt shows them: by their first part, a flag by the letters of its country.

Terminals do not agree how wide they are, and the editor's library adds up their parts: the cursor stood beside the
letter that it was at, and what was edited then was drawn over the prompt.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from prompt_toolkit.formatted_text.utils import fragment_list_to_text
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.layout.utils import explode_text_fragments
from prompt_toolkit.utils import get_cwidth
from wcwidth import iter_graphemes, width

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples

_PARTS = re.compile("[\u200d\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]")
_COUNTRY = {0x1F1E6 + number: ord("A") + number for number in range(26)}


class FirstParts(Processor):
    """For the line that is edited; what is sent is what was typed."""

    def apply_transformation(self, given: TransformationInput) -> Transformation:
        text = fragment_list_to_text(given.fragments)
        if not _PARTS.search(text):
            return Transformation(given.fragments)
        parts = explode_text_fragments(given.fragments)
        shown: StyleAndTextTuples = []
        displayed: list[int] = []
        sources: list[int] = []
        for letter in iter_graphemes(text):
            begin, seen = len(displayed), _seen(letter)
            displayed += [len(shown) + min(part, len(seen) - 1) for part in range(len(letter))]
            sources += range(begin, begin + len(seen))
            shown += [(parts[begin][0], part) for part in seen]
        return Transformation(shown, _beyond(displayed, len(shown)), _beyond(sources, len(text)))


def _seen(letter: str) -> str:
    """What is shown of it: as wide on every terminal as the library takes it to be."""
    letter = letter.translate(_COUNTRY)
    return letter if get_cwidth(letter) == width(letter) else letter[0]


def _beyond(places: list[int], end: int) -> Callable[[int], int]:
    """These places by their numbers; what is behind them is as far behind the end."""
    return lambda number: places[number] if number < len(places) else end + number - len(places)
