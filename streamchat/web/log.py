"""The frames of one answer in their order: written once, read from any place by any number of readers."""

from array import array


class Log:
    """Encoded events, numbered from 0. A place is the number of the next frame to read.

    All of them stand in one buffer with an array of their ends: a frame costs its bytes and four more, and whatever
    is queued for a reader is one slice.
    """

    __slots__ = ("_ends", "_frames")

    def __init__(self) -> None:
        self._frames = bytearray()
        self._ends = array("I")

    def __len__(self) -> int:
        return len(self._ends)

    def append(self, frame: bytes) -> None:
        """One more frame, complete with its empty line."""
        self._frames += frame
        self._ends.append(len(self._frames))

    def since(self, place: int) -> bytes:
        """The frames from this place on, as they are sent; b"" when there are none yet. Nothing before 0 is missing."""
        if place >= len(self._ends):
            return b""
        return bytes(self._frames[self._ends[place - 1] if place > 0 else 0 :])
