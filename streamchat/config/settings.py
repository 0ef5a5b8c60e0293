"""Settings: the values that one run works with, each with its origin."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct, structs

from streamchat.chat import Options
from streamchat.config import keys
from streamchat.config.environment import Variables
from streamchat.config.known import ENDPOINT_VARIABLES
from streamchat.config.schema import Defaults, History, Local, Profile, ProviderTable, Serve, Ui
from streamchat.config.target import choose, unknown_provider
from streamchat.paths import Files

FLAG, PROFILE, RESUMED, ENVIRONMENT, DEFAULT_PROFILE, PROJECT, FILE, CONVENTION, BUILT_IN = range(9)
"""The places that a value can come from, strongest first."""


class Origin(NamedTuple):
    """Where a value comes from: its place in the order, and the words for it."""

    rank: int
    text: str


class Settings(Struct, frozen=True):
    """The values of one run. No key is among them: `api_key` looks one up when it is needed."""

    defaults: Defaults
    ui: Ui
    history: History
    local: Local
    serve: Serve
    providers: dict[str, ProviderTable]
    profiles: dict[str, Profile]
    aliases: dict[str, str]
    files: Files
    origins: dict[str, Origin]
    """Where each setting that is not built in comes from, by its dotted name."""
    named_providers: tuple[tuple[int, str], ...]
    """The providers that the places name, strongest first, each with its rank."""
    base_url: str
    """The address that a flag gave, for the provider that is asked."""
    speed: float | None
    """How fast recordings are played, where a flag says so."""
    notices: tuple[str, ...]
    """What a person must be told before anything is sent: one line each, fit for a terminal."""
    variables: Variables
    nearby_keys: Variables
    """The keys that only a `.env` in the current directory holds."""
    vault: keys.Vault
    """What gives keys that no variable holds: the keyring and the commands."""
    system_file: Path | None
    """The file that the system prompt is read from."""
    sources: Any
    """What these settings were made from; `config.change` starts from it."""

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name} from {origin.text}' for name, origin in self.origins.items())})"

    def origin(self, name: str) -> str:
        """Where a setting's value comes from, by its dotted name: `flag --model`, a file, a variable, `built in`."""
        return self._origin(name).text

    def options(self, extra: dict[str, Any] | None = None) -> Options:
        """How to answer, as a Chat takes it."""
        asked = self.defaults
        return Options(asked.temperature, asked.max_tokens, asked.think, extra or {})

    def target(self, model: str = "") -> tuple[str | None, str | None]:
        """The provider and the model that are meant, None where nothing names one; `model` counts as a `--model`."""
        rank = FLAG if model else self._origin("defaults.model").rank
        provider, name = choose(model or self.defaults.model, rank, self.named_providers, self.providers, self.aliases)
        if provider and not name:
            name = self.providers[provider].model or None
        return provider, name

    def provider(self, name: str) -> ProviderTable:
        """How to reach this provider; `base_url` is never empty for one that is reached over the network."""
        table = self._table(name)
        if self.base_url and self.target()[0] in (name, None):
            table = structs.replace(table, base_url=self.base_url)
        if self.speed is not None and table.kind == "replay":
            table = structs.replace(table, options={**table.options, "speed": self.speed})
        return table

    def idle_timeout(self, name: str) -> float:
        """The longest silence to bear from this provider, in seconds."""
        own = self._table(name).idle_timeout
        return self.defaults.idle_timeout if own is None or self._stronger_than_table("idle_timeout") else own

    def retries(self, name: str) -> int:
        """How often to ask this provider again."""
        own = self._table(name).retries
        return self.defaults.retries if own is None or self._stronger_than_table("retries") else own

    def api_key(self, name: str) -> str | None:
        """The key for this provider, None where there is none.

        It may run `api_key_cmd` or open the keyring, each once in a run. AuthError when one of them fails.
        """
        return next((key for _, key in self._key_places(name) if key), None)

    def key_origin(self, name: str) -> str:
        """Where this provider's key stands: the variable, with its file if it has one, `api_key_cmd` or `keyring`;
        "" where there is no key. Nothing is run, and no keyring is opened."""
        return keys.origin(name, self._table(name), self.variables, self.nearby_keys, self.vault)

    def looked_for_key(self, name: str) -> tuple[str, ...]:
        """The places that `api_key` looks at, in order, up to the one that has the key."""
        return tuple(place.words for place, _ in self._key_places(name))

    def ready(self) -> tuple[str, ...]:
        """The providers that the person's own environment makes usable, in the order of the tables.

        That is a key (or what gives one), or one of the vendors' variables for an address. What only the current
        directory's `.env` holds does not count: a directory must not decide where questions go.
        """
        return tuple(
            name
            for name, table in self.providers.items()
            if keys.origin(name, table, self.variables, Variables(), self.vault)
            or self.variables.get(ENDPOINT_VARIABLES.get(name, ""))
        )

    def _origin(self, name: str) -> Origin:
        return self.origins.get(name, Origin(BUILT_IN, "built in"))

    def _table(self, name: str) -> ProviderTable:
        if name not in self.providers:
            raise unknown_provider(name, self.providers)
        return self.providers[name]

    def _key_places(self, name: str) -> Iterator[tuple[keys.Place, str | None]]:
        return keys.places(name, self._table(name), self.variables, self.nearby_keys, self.vault)

    def _stronger_than_table(self, name: str) -> bool:
        return self._origin(f"defaults.{name}").rank <= ENVIRONMENT
