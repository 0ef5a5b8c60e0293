"""What is seen again of a conversation that is gone on with."""

from typing import TYPE_CHECKING

from streamchat.continuation import last_blocks
from streamchat.views.safe import one_line

if TYPE_CHECKING:
    from streamchat.repl.loop import Repl

_LONGEST = 20_000
"""Letters of the answer: ten screens. All of one that was stopped for being endless would take as long as before."""


def show_last(repl: "Repl") -> None:
    """The last question and its answer once more, and how that ended where it is not whole."""
    last = repl.conversation.last
    if last is None:
        before = "it goes on before its first question: /branches has what was said"
        repl.say(before if repl.conversation.every() else "nothing was asked in it yet")
        return
    repl.say(f"> {one_line(last.question.content, 300)}")
    text = last_blocks(last.text, _LONGEST)
    if left_out := len(last.text) - len(text):
        repl.say(f"… {left_out:,} characters before this")
    if repl.look.plain or repl.look.accessible:
        repl.say(text)
    else:
        from streamchat.views.live import print_markdown

        print_markdown(text, repl.out, color=repl.look.color, code_theme=repl.look.code_theme)
    if last.ending:
        repl.say(f"({last.ending}: {'/continue goes on with it, ' if last.text else ''}/retry asks again)")
