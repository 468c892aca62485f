"""How long a training goes on, and how large its steps are.

The rate rises, stays level, and falls over the last 40 % of the steps. Where the faces that were
held out stop improving before that, the fall begins there and then, in the same proportion: the
training ends as one would that had been planned to be that short.
"""

from __future__ import annotations

from dataclasses import dataclass, field

WARM_UP = 0.02
"""Share of the steps over which the learning rate rises to its full value."""
DECAY_FROM = 0.6
"""Share of the steps after which the learning rate falls, linearly to a tenth."""
LEAST_GAIN = 0.01
"""Relative improvement of the validation loss that counts as one."""
NOT_BEFORE = 0.2
"""Share of the steps before which no plateau is one: trainings are slow to start."""
LOOKS = 50
"""Looks at the held-out faces in a training that takes all its steps."""


@dataclass
class Course:
    """The course of a training.

    Attributes
    ----------
    steps : int
        The limit.
    patience : int
        Looks at the held-out faces without improvement after which the rate falls; 0: never.
    history : list of (int, float)
        Step and loss of each look.
    turned : int or None
        The step at which a plateau was found.
    """

    steps: int
    patience: int = 0
    history: list[tuple[int, float]] = field(default_factory=list)
    turned: int | None = None

    @property
    def look_every(self) -> int:
        """Return the steps between two looks."""
        return max(1, self.steps // LOOKS)

    @property
    def decay_from(self) -> float:
        """Return the step after which the rate falls."""
        return DECAY_FROM * self.steps if self.turned is None else self.turned

    @property
    def end(self) -> int:
        """Return the number of steps that will have been done, as far as is known now."""
        if self.turned is None:
            return self.steps
        return min(self.steps, max(self.turned + 1, round(self.turned / DECAY_FROM)))

    def factor(self, step: int) -> float:
        """Return the learning rate's factor in a step, counted from 1."""
        if step <= self.decay_from:
            return min(1.0, step / (WARM_UP * self.steps))
        return 1.0 - 0.9 * (step - self.decay_from) / (self.end - self.decay_from)

    def look(self, step: int, loss: float) -> None:
        """Note the held-out faces' loss after a step; find out whether it still falls."""
        self.history.append((step, loss))
        if not self.patience or self.turned is not None:
            return
        if not NOT_BEFORE * self.steps <= step < self.decay_from:
            return
        best, since = float("inf"), 0
        for _, value in self.history:
            gained = value < best * (1 - LEAST_GAIN)
            best, since = (value, 0) if gained else (best, since + 1)
        if since >= self.patience:
            self.turned = step
