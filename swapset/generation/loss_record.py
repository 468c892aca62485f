"""Record of a training's losses, with no more rows than a curve needs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

MOST_ROWS = 100_000
"""In a longer training, each row has the mean of several steps."""


class LossRecord:
    """Each subject's mean loss over the steps.

    Parameters
    ----------
    steps : int
        The largest number of steps.
    subjects : sequence of str
    device : torch.device
        Device of the losses; nothing is copied to the host before `table`.

    Attributes
    ----------
    sums, counts : (rows, subjects) float32
        For each row's steps: the sum of the losses, and the number of steps with the subject.
    """

    def __init__(self, steps: int, subjects: Sequence[str], device: torch.device):
        self.subjects = list(subjects)
        self.stride = math.ceil(steps / MOST_ROWS)
        shape = (math.ceil(steps / self.stride), len(subjects))
        self.sums = torch.zeros(shape, device=device)
        self.counts = torch.zeros(shape, device=device)

    def add(self, step: int, column: int, loss: Tensor) -> None:
        """Add a subject's loss in a step.

        Parameters
        ----------
        step : int
            Counted from 0.
        column : int
            The subject's number in `subjects`.
        loss : scalar float32
        """
        row = step // self.stride
        self.sums[row, column] += loss
        self.counts[row, column] += 1

    def restore(self, sums: Tensor, counts: Tensor) -> None:
        """Copy `sums` and `counts`, (rows, subjects) float32, from a checkpoint."""
        self.sums.copy_(sums)
        self.counts.copy_(counts)

    def table(self, steps: int) -> pd.DataFrame:
        """Return the losses of the first `steps` steps.

        Column `step` is the last step of a row; each subject has a column with its mean loss, NaN
        where no step of the row has the subject.
        """
        rows = math.ceil(steps / self.stride)
        values = (self.sums[:rows] / self.counts[:rows]).cpu().numpy()
        table = pd.DataFrame(values, columns=self.subjects)
        ends = np.minimum(np.arange(1, rows + 1) * self.stride, steps)
        table.insert(0, "step", ends)
        return table
