"""Every setting: its name, type, default and explanation.

To add a setting, add a field with a docstring under it. Its check, its environment variable, `config show` and
config.example.toml follow from the field; an `examples` entry is the value that the example file shows where the
default is to have none.
"""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

Temperature = Annotated[float, Meta(ge=0, le=2, examples=[0.7])]
Tokens = Annotated[int, Meta(ge=1, examples=[1024])]
Think = Literal["off", "low", "medium", "high"] | Annotated[int, Meta(ge=1, examples=["low"])]
Seconds = Annotated[float, Meta(gt=0, le=86400, examples=[120.0])]
Retries = Annotated[int, Meta(ge=0, le=100, examples=[2])]
Reasoning = Literal["fold", "show", "hide"]


class Defaults(Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked, of whom and how, where nothing stronger says otherwise."""

    profile: str = ""
    """The profile to use when `-P` names none; "" for none."""
    provider: str = ""
    """The provider to ask; "" to find one: a key in the environment, a local server, the embedded model."""
    model: str = ""
    """The model to ask: `provider/model`, an alias, or an id of that provider; "" for the provider's own choice."""
    system: str = ""
    """The system prompt: its text, or `@FILE` (from this file's directory); a text's own first @ is written @@."""
    temperature: Temperature | None = None
    """How freely the model chooses its words, 0 to 2; without it, as the provider does by default."""
    max_tokens: Tokens | None = None
    """The longest answer, in tokens; without it, as the provider does by default."""
    think: Think | None = None
    """How much the model thinks first: off, low, medium, high or a number of tokens; without it, as the model does."""
    idle_timeout: Seconds = 120.0
    """The longest silence, in seconds, before an answer is given up."""
    retries: Retries = 2
    """How often a request that was refused or did not get through is sent again, before any of the answer came."""
    discover: bool = True
    """Look for a server on this machine (Ollama and its kind) where no provider is named and there is no key."""
    proxy: str = ""
    """The proxy for every request (http://, https:// or socks5:// URL); "" for what HTTPS_PROXY and its kind say."""
    stream: bool = True
    """Show the answer while it arrives."""
    strict: bool = False
    """End with exit code 6 when the answer stopped short (length, filter, refusal) or is empty."""


class Ui(Struct, frozen=True, forbid_unknown_fields=True):
    """What the terminal shows."""

    color: Literal["auto", "always", "never"] = "auto"
    """Colours: auto means on a terminal, unless NO_COLOR or FORCE_COLOR decide."""
    reasoning: Reasoning = "fold"
    """What is seen of the model's thinking on a terminal: fold (one dim line), show (all of it), hide."""
    footer: bool = True
    """The line under an answer: model, time, tokens."""
    theme: Literal["auto", "dark", "light"] = "auto"
    """Colours for a dark or a light background; auto asks the terminal."""
    code_theme: str = ""
    """The Pygments style of code blocks; "" for the theme's own."""
    width: Annotated[int, Meta(ge=0, le=10000)] = 0
    """The widest line, in columns; 0 for the terminal's width."""
    accessible: bool = False
    """For screen readers: no animation, no redrawing, words instead of signs. ACCESSIBLE=1 sets it too."""
    notify: Literal["off", "bell", "desktop"] = "off"
    """What tells that an answer that took long is there: off, bell, desktop (a notification, where terminals can)."""
    notify_after: Annotated[float, Meta(ge=0, le=86400)] = 10.0
    """How long, in seconds, an answer takes at least for that."""
    keymap: Literal["emacs", "vi"] = "emacs"
    """The keys of the prompt of `chat`."""


class History(Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept on disk."""

    save: bool = True
    """Keep conversations."""
    dir: str = ""
    """Where conversations are kept; "" for the data directory (`streamchat config path --all`)."""
    transcript_dir: str = ""
    """Where a readable copy of every conversation is written as well; "" for nowhere."""
    transcript_format: Literal["md", "json", "jsonl", "txt"] = "md"
    """The format of those copies."""
    redact: tuple[str, ...] = ()
    """Regular expressions: what they match is kept as [redacted]."""


class Local(Struct, frozen=True, forbid_unknown_fields=True):
    """The embedded model."""

    model: str = ""
    """The path of a GGUF file; "" for the small model that `streamchat local install` fetches."""
    primer: bool = True
    """Give the small model the short opening that makes its answers better."""
    context: Annotated[int, Meta(ge=256, le=1048576)] = 4096
    """How much it can hold in mind at once, in tokens."""
    max_tokens: Annotated[int, Meta(ge=1)] = 512
    """The longest answer where `max_tokens` of [defaults] says nothing: small models do not always find an end."""
    threads: Annotated[int, Meta(ge=0, le=1024)] = 0
    """How many threads compute; 0 for the cores of this machine minus one."""


Count = Annotated[int, Meta(ge=1)]


class Serve(Struct, frozen=True, forbid_unknown_fields=True):
    """The server of `streamchat serve`. Its token is in the variable STREAMCHAT_SERVE_TOKEN, or made and kept."""

    port: Annotated[int, Meta(ge=0, le=65535)] = 8484
    """Where it listens; 0 for a free port."""
    allow_host: tuple[str, ...] = ()
    """More names, with their ports if not this one, by which it may be reached: behind a proxy, its public name."""
    cors_origin: tuple[str, ...] = ()
    """Origins whose pages may ask the public interfaces under /v1: "https://app.example.com"."""
    store: str = ""
    """Where conversations are kept: "" for this machine's own, or a postgresql:// URL for a team."""
    runs: str = ""
    """Where answers under way are found again by other processes: "" for nowhere, or a redis:// URL."""
    drain: Annotated[float, Meta(ge=0, le=3600)] = 5.0
    """How long, in seconds, answers may go on when the server is asked to stop."""
    grace: Annotated[float, Meta(ge=0, le=86400)] = 30.0
    """How long, in seconds, an answer goes on that nobody reads any more."""
    retention: Annotated[float, Meta(ge=0, le=86400)] = 600.0
    """How long, in seconds, an answer can be read again by its run's id after its end."""
    body: Count = 1048576
    """The longest request, in bytes."""
    prompt: Count = 200000
    """The longest question with all that goes with it, in characters."""
    messages: Count = 200
    """The most messages in one request."""
    max_tokens: Count = 8192
    """The longest answer, in tokens, whatever is asked for."""
    concurrent: Count = 64
    """The most answers under way at once."""
    concurrent_per_user: Count = 8
    """The most of these for one person."""
    per_minute: Annotated[int, Meta(ge=0)] = 30
    """The most questions of one person in a minute; 0 for any number."""
    run_seconds: Annotated[float, Meta(gt=0, le=86400)] = 900.0
    """The longest that one answer may take, in seconds."""


class ProviderTable(Struct, frozen=True, forbid_unknown_fields=True):
    """How a provider is reached. A table for a name that streamchat knows changes only what it sets."""

    kind: Literal["openai", "anthropic", "local", "replay", "echo"]
    """Which way of speaking it understands; any compatible server is `openai` or `anthropic`."""
    base_url: str = ""
    """Its address; "" for the vendor's own, or where OPENAI_BASE_URL or ANTHROPIC_BASE_URL moves these two."""
    api_key_env: str = ""
    """The NAME of the environment variable that holds the key; "" for a server that wants none."""
    api_key_cmd: str = ""
    """A command that prints the key, run once and without a shell when that variable is not set."""
    api_key_keyring: str = ""
    """The entry of the system's keyring, as SERVICE/USER; "" for the one that `streamchat keys set` makes."""
    model: str = ""
    """The model to ask when only the provider is named."""
    api: Literal["auto", "responses", "chat"] = "auto"
    """OpenAI's interface: auto means Responses at the vendor's own address and Chat Completions everywhere else."""
    stop_reason: Literal["required", "optional"] = "required"
    """`optional` for a server known to end its answers without saying why; otherwise that is a cut-off answer."""
    context: Annotated[int, Meta(ge=256, examples=[200000])] | None = None
    """How much its models hold, in tokens: the chat says in time when a conversation outgrows it."""
    headers: dict[str, str] = {}
    """More headers for every request."""
    options: dict[str, Any] = {}
    """More fields for every request's body, sent as they are."""
    idle_timeout: Seconds | None = None
    """As in [defaults], for this provider."""
    retries: Retries | None = None
    """As in [defaults], for this provider."""

    def __repr__(self) -> str:
        return f"ProviderTable(kind={self.kind!r}, base_url={shown_url(self.base_url)!r}, model={self.model!r})"


class Profile(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A named set of defaults; `-P NAME` or `profile` of [defaults] puts it on. It changes only what it sets."""

    provider: str | None = None
    """As in [defaults]."""
    model: str | None = None
    """As in [defaults]."""
    system: str | None = None
    """As in [defaults]."""
    temperature: Temperature | None = None
    """As in [defaults]."""
    max_tokens: Tokens | None = None
    """As in [defaults]."""
    think: Think | None = None
    """As in [defaults]."""
    idle_timeout: Seconds | None = None
    """As in [defaults]."""
    retries: Retries | None = None
    """As in [defaults]."""
    proxy: str | None = None
    """As in [defaults]."""
    stream: bool | None = None
    """As in [defaults]."""
    strict: bool | None = None
    """As in [defaults]."""
    reasoning: Reasoning | None = None
    """As in [ui]."""


SECTIONS: dict[str, type[Struct]] = {"defaults": Defaults, "ui": Ui, "history": History, "local": Local, "serve": Serve}
"""The tables of the configuration that stand once."""

TABLES: dict[str, type[Struct]] = {"providers": ProviderTable, "profiles": Profile}
"""The tables that hold one table per name; `[aliases]` holds one text per name."""


def shown_url(url: str) -> str:
    """An address without what may be secret in it: a user's name and password, a query."""
    parts = urlsplit(url)
    if not (parts.username or parts.password or parts.query):
        return url
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()


def shown(name: str, value: Any) -> Any:
    """A setting's value as it may be seen: what can hold a secret is masked."""
    if name == "headers":
        return dict.fromkeys(value, "(hidden)")
    return shown_url(value) if name in ("base_url", "proxy", "store", "runs") and value else value


def setting_of_profile(name: str) -> str:
    """The setting that a profile's field sets."""
    return "ui.reasoning" if name == "reasoning" else f"defaults.{name}"
