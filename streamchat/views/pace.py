"""How often to draw: up to 90 times a second, and less often where a frame is dear."""

FASTEST = 1 / 90
"""Seconds between the beginnings of two frames, at least: at 100 tokens a second, half of them wait less than 6 ms."""

_SHARE = 5  # a frame that takes t seconds begins 5 t after the one before: a fifth of one core at most
_MEMORY = 4  # what one takes is a mean of about so many
_LATE = 0.005  # so late may one begin without the next being put off


class Pace:
    """Says when the next frame may begin."""

    def __init__(self) -> None:
        self._cost = 0.0
        self._due = 0.0

    def after(self, begun: float, ended: float) -> float:
        """When a frame may begin after one that took this time.

        One that was dear for once, because much came at once, puts nothing off; so the lesser of its own cost and the
        mean counts.
        """
        spent = ended - begun
        self._cost += (spent - self._cost) / _MEMORY
        start = self._due if 0 <= begun - self._due <= _LATE else begun
        self._due = start + max(FASTEST, _SHARE * min(spent, self._cost))
        return self._due
