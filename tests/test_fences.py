"""Code in growing Markdown: found as CommonMark finds it and as models write it, whatever the pieces."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.errors import ProviderError, UsageError
from streamchat.fences import Code, Extraction, Wanted, blocks_of, extracted, is_language

TEXT = """Two ways:

```python title="one"
x = 1
```

1. In a list:

   ~~~sh
   ls
     -l
   ```
   ~~~
2. ```
   no language
   ```

````{.md}
```py
inside
```
````
```JSON
{"a": 1}"""

BLOCKS = [
    Code(1, "python", "x = 1\n"),
    Code(2, "sh", "ls\n  -l\n```\n"),
    Code(3, "", "no language\n"),
    Code(4, "md", "```py\ninside\n```\n"),
    Code(5, "json", '{"a": 1}'),
]


def test_every_kind_of_block() -> None:
    """Info strings, lists, tildes, longer fences around shorter ones, an end that never came."""
    assert blocks_of(TEXT) == BLOCKS


@pytest.mark.parametrize(
    ("wanted", "number"),
    [("1", 1), ("3", 3), ("last", 5), ("LAST", 5), ("python", 1), ("py", 1), ("bash", 2), ("markdown", 4), ("json", 5)],
)
def test_which_block(wanted: str, number: int) -> None:
    code = BLOCKS[number - 1].text

    assert extracted(TEXT, Wanted.parse(wanted)) == (code if code.endswith("\n") else f"{code}\n")


@given(st.lists(st.integers(0, len(TEXT))), st.sampled_from(["1", "2", "5", "last", "sh", "md", "rust"]))
def test_the_pieces_do_not_matter(cuts: list[int], wanted: str) -> None:
    places = [0, *sorted(cuts), len(TEXT)]
    whole, extraction = Extraction(Wanted.parse(wanted)), Extraction(Wanted.parse(wanted))
    pieces = [TEXT[start:end] for start, end in pairwise(places)]

    assert "".join(map(extraction.feed, pieces)) + extraction.close() == whole.feed(TEXT) + whole.close()
    assert extraction.found is whole.found is (wanted != "rust")


def test_code_comes_as_its_lines_end() -> None:
    extraction = Extraction(Wanted.parse("1"))

    assert [extraction.feed(part) for part in ("a\n```py\nx =", " 1\ny", " = 2\n``", "`\nz\n")] == [
        *("", "x = 1\n", "y = 2\n", "")
    ]


def test_what_is_not_there_says_what_is() -> None:
    with pytest.raises(ProviderError, match="no rust code") as caught:
        extracted(TEXT, Wanted.parse("rust"))
    assert caught.value.hint == "It has: 1 (python), 2 (sh), 3 (no language), 4 (md), 5 (json)."
    with pytest.raises(ProviderError, match="there is no code in the answer"):
        extracted("words", Wanted.parse("last"))
    with pytest.raises(UsageError, match="number 0"):
        Wanted.parse("0")


def test_an_empty_block_is_a_block() -> None:
    assert extracted("```\n```\n", Wanted.parse("1")) == "\n"


def test_words_that_name_a_language() -> None:
    assert all(map(is_language, ("python", "py", "C++", "json", "SQL")))
    assert not any(map(is_language, ("write", "", "a", "sql json", "please")))
