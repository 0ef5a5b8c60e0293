"""Commands that change whom is asked, how, and how answers look, from the next question on."""

from typing import TYPE_CHECKING

from msgspec import structs

from streamchat.choice import Choice, choose
from streamchat.config import change
from streamchat.config.checks import meaning, misfit
from streamchat.config.layers import KINDS
from streamchat.config.schema import Profile, setting_of_profile
from streamchat.config.settings import Settings
from streamchat.errors import UsageError
from streamchat.repl.commands.registry import command
from streamchat.repl.models import known_models

if TYPE_CHECKING:
    from streamchat.repl.loop import Repl

_OF_UI = ("reasoning", "footer", "color")
_SWITCHED = {"on": "true", "off": "false"}
SETTABLE = ("temperature", "max_tokens", "think", "idle_timeout", "retries", "proxy", "stream", *_OF_UI)
"""What /set can change; the others have a command of their own or belong to the whole run."""


@command("model", "[MODEL]", completes="models")
def model(repl: "Repl", rest: str) -> None:
    """Ask another model from now on, of another provider too (provider/model, an alias, an id), or choose one."""
    if not rest:
        models = repl.stop.waiting(lambda: known_models(repl.settings))
        if not models:
            raise UsageError("no models are known here", "Name one: /model provider/model")
        chosen = repl.prompt.pick("Ask which model from now on?", models)
        if chosen is None:
            return
        rest = models[chosen]
    _turn_to(repl, *asked_by(repl, rest))


def _turn_to(repl: "Repl", choice: Choice, settings: Settings, by: str = "") -> None:
    """Ask by these settings from now on, and say whom, and what of the conversation does not go there."""
    before = repl.session.provider.name
    repl.turn_to(choice, settings)
    provider = repl.session.provider
    repl.say(f"{by}asking {repl.title}")
    sent = (each for message in repl.conversation.messages() for each in message.attachments)
    if left := {each.name for each in sent if not provider.takes(each.media_type)}:
        repl.say(f"{provider.name} cannot take {', '.join(sorted(left))}: only the name is sent")
    if provider.name != before and any(turn.reasoning for turn in repl.conversation.turns()):
        repl.say(f"{provider.name} cannot take the reasoning of earlier answers: only the answers are sent")


def asked_by(repl: "Repl", model: str) -> tuple[Choice, Settings]:
    """Whom this reference to a model means, and the settings that ask it.

    An id alone is a model of the provider that is asked now.
    """
    settings = at_its_address(repl, change(repl.settings, flags={"model": model, "provider": None}))
    if settings.target()[0] is None:
        now = {"provider": repl.session.provider.name}
        settings = at_its_address(repl, change(settings, flags=now))
    return choose(settings), settings


def at_its_address(repl: "Repl", settings: Settings) -> Settings:
    """With the address from a flag where it belongs, to the provider that the chat began with, and nowhere else."""
    settings = change(settings, flags={"base_url": None})
    provider, _ = settings.target()
    return change(settings, flags={"base_url": repl.addresses.get(provider or "")})


@command("profile", "NAME", completes="profiles")
def profile(repl: "Repl", rest: str) -> None:
    """Put on a profile of the configuration: its model, system prompt and parameters."""
    if not rest:
        names = ", ".join(repl.settings.profiles) or "there are none in the configuration"
        raise UsageError("which profile?", f"Profiles: {names}.")
    # A profile is weaker than a flag: what it sets must not be hidden by what was set before it.
    own = repl.settings.profiles.get(rest, Profile())
    names_set = {name for name in Profile.__struct_fields__ if getattr(own, name) is not None}
    if names_set & {"provider", "model"}:
        names_set |= {"provider", "model"}
    cleared: dict[str, object] = {setting_of_profile(name).removeprefix("defaults."): None for name in names_set}
    settings = at_its_address(repl, change(repl.settings, flags=cleared, profile=rest))
    _turn_to(repl, choose(settings), settings, f"profile {rest}: ")


@command("system", "[TEXT|@FILE|off]")
def system(repl: "Repl", rest: str) -> None:
    """Show the system prompt, give another one from here on, or none."""
    if rest:
        text = "" if rest == "off" else repl.pastes.unfold(rest)
        settings = change(repl.settings, flags={"system": text})
        repl.settings, repl.session.system = settings, settings.defaults.system or None
    repl.say(f"system prompt: {repl.session.system}" if repl.session.system else "there is no system prompt")


@command("think", "off|low|medium|high|N")
def think(repl: "Repl", rest: str) -> None:
    """Say how much the model thinks before it answers."""
    set_(repl, f"think {rest}".strip())


@command("set", "[NAME [VALUE]]", completes="settings")
def set_(repl: "Repl", rest: str) -> None:
    """Show what can be set, or set it for this chat; `default` takes that back."""
    name, _, value = rest.partition(" ")
    name, value = name.replace("-", "_").rstrip("="), value.strip().removeprefix("= ")
    if name and name not in SETTABLE:
        raise UsageError(f"/set does not know {name!r}", f"It knows {', '.join(SETTABLE)}.")
    if value:
        given = {f"ui.{name}" if name in _OF_UI else name: _given(name, value)}
        whom = Choice(repl.session.provider.name, repl.session.model)
        repl.turn_to(whom, change(repl.settings, flags=given))
    for each in (name,) if name else SETTABLE:
        section = repl.settings.ui if each in _OF_UI else repl.settings.defaults
        found = getattr(section, each)
        shown = "(the default)" if found in (None, "") else str(found).lower() if isinstance(found, bool) else found
        repl.say(f"{each} = {shown}")


def _given(name: str, value: str) -> str | None:
    """A value as it is typed; None takes back what was set. UsageError, by the name that was typed, for what it cannot
    be."""
    if value == "default":
        return None
    kind = KINDS[f"ui.{name}" if name in _OF_UI else f"defaults.{name}"]
    if kind is bool:
        value = _SWITCHED.get(value, value)
    if wrong := misfit(value, kind, text=True) or meaning(name, value):
        raise UsageError(f"{name}: {wrong}")
    return value


@command("raw")
def raw(repl: "Repl", _: str) -> None:
    """Show answers as their Markdown source, beginning with the last one; again: rendered."""
    repl.look = structs.replace(repl.look, plain=not repl.look.plain)
    last = repl.conversation.last
    repl.say("answers are shown as their Markdown source" if repl.look.plain else "answers are rendered")
    if repl.look.plain and last is not None and last.text:
        repl.say(last.text)
