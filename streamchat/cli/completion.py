"""`streamchat completion SHELL`: the script that completes commands, options, models, profiles and conversations."""

import sys
from typing import Annotated, Final

import typer

from streamchat.config.target import printable
from streamchat.errors import UsageError

HELP = """Print the script with which a shell completes streamchat's command lines.

\b
  echo 'eval "$(streamchat completion bash)"' >> ~/.bashrc
  streamchat completion fish > ~/.config/fish/completions/streamchat.fish

For zsh: the same line as for bash with zsh in it, in ~/.zshrc, below compinit.
"""

BASH: Final = r"""# streamchat's completion for bash
_streamchat() {
  local line cur="${COMP_LINE:0:COMP_POINT}" words prefix
  local IFS=$' \t\n'
  read -ra words <<< "$cur"
  [[ $cur == *[[:space:]] ]] && words+=("")
  cur="${words[-1]}"
  prefix="${cur%"${COMP_WORDS[COMP_CWORD]}"}"  # bash cuts words at : and =, and wants only what is behind the cut
  [[ ${COMP_WORDS[COMP_CWORD]} == [:=] ]] && prefix="$cur"
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o default -o filenames 2>/dev/null
      COMPREPLY=()
      return
    fi
    line="${line%%$'\t'*}"
    COMPREPLY+=("${line#"$prefix"}")
  done < <(streamchat completion --words -- "${words[@]:1}" 2>/dev/null)
}
complete -F _streamchat streamchat
"""

ZSH: Final = r"""#compdef streamchat
# streamchat's completion for zsh
_streamchat() {
  local line value told
  local -a found plain
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      _files
      return
    fi
    value="${line%%$'\t'*}"
    told="${line#*$'\t'}"
    [[ $line == *$'\t'* ]] && found+=("${value//:/\\:}:$told") || found+=("${value//:/\\:}")
  done < <(streamchat completion --words -- "${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe -V streamchat found
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _streamchat "$@"
else
  compdef _streamchat streamchat
fi
"""

FISH: Final = r"""# streamchat's completion for fish
function __streamchat_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (streamchat completion --words -- $words[2..-1] 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path (commandline -ct)
        else
            printf '%s\n' $line
        end
    end
end
complete -c streamchat -f -a '(__streamchat_complete)'
"""

SCRIPTS: Final = {"bash": BASH, "zsh": ZSH, "fish": FISH}

completion_app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@completion_app.command(help=HELP)
def completion(
    context: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="SHELL", help="bash, zsh or fish.", show_default=False)],
    as_words: Annotated[
        bool, typer.Option("--words", hidden=True, help="What the words that follow can go on with: for the scripts.")
    ] = False,
) -> None:
    """Print a shell's script."""
    if as_words:
        from streamchat.cli.completing import candidates

        top = context.find_root()
        sys.stdout.writelines(f"{line}\n" for line in candidates(top.command, top, words))
        return
    if len(words) != 1 or words[0] not in SCRIPTS:
        raise UsageError(f"there is no script for {printable(' '.join(words))}", f"Shells: {', '.join(SCRIPTS)}.")
    sys.stdout.write(SCRIPTS[words[0]])
