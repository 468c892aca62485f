"""Learning rate and length of a training.

The rate rises, stays level, and falls over the last 40 % of the steps. If the held-out loss stops
improving before that, the fall begins at once and takes the same proportion: the training then ends
as if it had been planned to be that short.
"""

from __future__ import annotations

from dataclasses import dataclass, field

WARM_UP = 0.02
"""Share of the steps over which the learning rate rises to its full value."""
DECAY_FROM = 0.6
"""Share of the steps after which the learning rate falls, linearly to a tenth."""
LEAST_GAIN = 0.01
"""Smallest relative fall of the held-out loss that counts as an improvement."""
NOT_BEFORE = 0.2
"""Share of the steps before which a plateau is ignored: trainings are slow to start."""
LOOKS = 50
"""Looks at the held-out faces in a training that takes all its steps."""


@dataclass
class Schedule:
    """Learning rate and end of a training.

    Attributes
    ----------
    steps : int
        The largest number of steps.
    history : list of (int, float)
        Step and held-out loss of each look.
    plateau_step : int or None
        The step at which a plateau was found.
    """

    steps: int
    history: list[tuple[int, float]] = field(default_factory=list)
    plateau_step: int | None = None

    @property
    def look_every(self) -> int:
        """Return the steps between two looks."""
        return max(1, self.steps // LOOKS)

    @property
    def decay_from(self) -> float:
        """Return the step after which the rate falls."""
        return DECAY_FROM * self.steps if self.plateau_step is None else self.plateau_step

    @property
    def end(self) -> int:
        """Return the number of the last step; a plateau lowers it."""
        if self.plateau_step is None:
            return self.steps
        return min(self.steps, max(self.plateau_step + 1, round(self.plateau_step / DECAY_FROM)))

    def factor(self, step: int) -> float:
        """Return the factor of the learning rate in a step, counted from 1."""
        if step <= self.decay_from:
            return min(1.0, step / (WARM_UP * self.steps))
        return 1.0 - 0.9 * (step - self.decay_from) / (self.end - self.decay_from)

    def look(self, step: int, loss: float) -> bool:
        """Record the held-out loss after a step; return whether it has improved."""
        best = float("inf")
        for _, value in self.history:
            best = value if _improves(value, best) else best
        self.history.append((step, loss))
        return _improves(loss, best)

    def plateau(self, step: int) -> None:
        """Start the fall of the rate, unless it falls already or the training has just begun."""
        if self.plateau_step is None and NOT_BEFORE * self.steps <= step < self.decay_from:
            self.plateau_step = step


def _improves(loss: float, best: float) -> bool:
    return loss < best * (1 - LEAST_GAIN)
