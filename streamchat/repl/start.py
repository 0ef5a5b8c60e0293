"""A chat, put together: the terminal made quiet, the prompt shown, and only then the editor loaded behind it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from streamchat.config.settings import Settings
from streamchat.session import Session
from streamchat.views.choose import Look

if TYPE_CHECKING:
    from streamchat.repl.loop import Prompt, Repl


def start(
    session: Session,
    settings: Settings,
    look: Look,
    *,
    keyboard: TextIO,
    extra: dict[str, Any],
    directory: Path | None,
) -> "Repl":
    """A chat that is ready to run, on the terminal that `keyboard` is; the rest as Repl takes it."""
    out = sys.stdout
    from streamchat.repl.loop import Repl
    from streamchat.repl.terminal import Terminal, is_dumb

    plain = look.accessible or not out.isatty() or is_dumb()
    prompt = _lines if plain else _editor
    return Repl(
        session,
        settings,
        look,
        terminal=Terminal(keyboard.fileno()),
        prompt=lambda repl: prompt(repl, keyboard),
        out=out,
        extra=extra,
        directory=directory,
    )


def _editor(repl: "Repl", keyboard: TextIO) -> "Prompt":
    repl.out.write("> ")  # seen before the editor is loaded; what is typed meanwhile waits for it
    repl.out.flush()
    from streamchat.history.redaction import patterns
    from streamchat.repl.completion import Completions
    from streamchat.repl.editor import Editor
    from streamchat.repl.past import Past

    kept = repl.settings.files.state / "prompt_history" if repl.settings.history.save else None
    editor = Editor(
        repl.terminal,
        repl.out,
        keyboard,
        history=Past(kept, whole=repl.pastes.unfold, redact=patterns(repl.settings.history.redact)),
        completer=Completions(repl),
        pastes=repl.pastes,
        state=repl.state,
        vi=repl.settings.ui.keymap == "vi",
        color=repl.look.color != "never",
    )
    editor.reasoning = repl.show_reasoning
    return editor


def _lines(repl: "Repl", keyboard: TextIO) -> "Prompt":
    from streamchat.repl.lines import Lines

    return Lines(repl.terminal, repl.stop, repl.out, keyboard)
