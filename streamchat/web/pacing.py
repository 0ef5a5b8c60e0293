"""How often a page is told what is new: fifteen times a second at most, and less often where telling it is dear."""

SHORTEST = 1 / 15
"""Seconds between the beginnings of two updates, at least."""

SHARE = 4
"""An update that took t seconds is followed by the next 4 t after it began: a quarter of the time is spent at most."""


class Pacing:
    """Says when the next update may begin."""

    def __init__(self) -> None:
        self.due = float("-inf")
        """When, by the clock of those who ask; the first may begin at once."""

    def after(self, begun: float, ended: float) -> float:
        """When, after an update that took this time."""
        self.due = begun + max(SHORTEST, SHARE * (ended - begun))
        return self.due
