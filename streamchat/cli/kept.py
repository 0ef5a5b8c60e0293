"""What a person asked to be kept beside the conversation: the answer (-o), the transcript (--save), the wire
(--record)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from msgspec import Struct

from streamchat.cli.exits import complain
from streamchat.cli.flags import Flags
from streamchat.errors import ChatError, UsageError
from streamchat.history.conversation import Conversation
from streamchat.paths import STDOUT, expanded
from streamchat.providers.base import Provider


class Targets(Struct, frozen=True):
    """Files to write when the answer has ended. `check` is asked before the answer is paid for; what could not be
    written all the same is told, takes nothing away from the answer, and stands in `missed`."""

    output: Path | None = None
    save: Path | None = None
    record: Path | None = None
    force: bool = False
    missed: list[ChatError] = []

    @classmethod
    def of(cls, flags: Flags) -> Self:
        """What these flags name."""
        answer = None if flags.output == STDOUT else flags.output
        output, save, record = (path and expanded(path) for path in (answer, flags.save, flags.record))
        return cls(output, save, record, flags.force)

    def check(self) -> None:
        """UsageError for a file that could not be written, or that is there and was not to be replaced."""
        if self.output is None and self.save is None and self.record is None:
            return
        from streamchat.history import files, formats

        paths = [path for path in (self.output, self.save, self.record) if path is not None]
        for number, path in enumerate(paths):
            files.check(path, overwrite=self.force)
            if path in paths[:number]:
                raise UsageError(f"{path} is named for two things", "Name a file for each of them.")
        if self.save is not None:
            formats.of(self.save)

    def recorded(self, provider: Provider) -> Provider:
        """The provider, with what it sends kept if that was asked for."""
        if self.record is None:
            return provider
        from streamchat.providers.recorded import Recorded

        return Recorded(provider, self._write_recording)

    def _write_recording(self, text: str) -> None:
        from streamchat.history import files

        assert self.record is not None
        with self._telling():
            files.write(self.record, text.encode(), overwrite=True)  # checked before; of several tries the last stays

    def write_answer(self, text: str) -> None:
        """The answer, whole, or what was wanted of it; an answer that was cut replaces nothing."""
        if self.output is not None:
            from streamchat.history import files

            files.write(self.output, (text if text.endswith("\n") else text + "\n").encode(), overwrite=self.force)

    def write_transcript(self, conversation: Conversation) -> None:
        """The transcript so far, also of an answer that was cut: it says so."""
        if self.save is not None:
            from streamchat.history import formats

            with self._telling():
                formats.save(self.save, conversation, overwrite=self.force)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except ChatError as exc:
            complain(exc.message, exc.hint)
            self.missed.append(exc)
