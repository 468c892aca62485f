"""The losses of a training, in no more rows than a curve needs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

MOST_ROWS = 100_000
"""A training of more steps has the mean of several steps in a row."""


class LossRecord:
    """Mean loss of each subject over the steps.

    Parameters
    ----------
    steps : int
        The training's limit.
    subjects : sequence of str
    device : torch.device
        Where the losses are; nothing is brought to the host before `table`.

    Attributes
    ----------
    sums, counts : (rows, subjects) float32
        Of the losses of each row's steps, and of the steps that saw the subject.
    """

    def __init__(self, steps: int, subjects: Sequence[str], device: torch.device):
        self.subjects = list(subjects)
        self.stride = math.ceil(steps / MOST_ROWS)
        shape = (math.ceil(steps / self.stride), len(subjects))
        self.sums = torch.zeros(shape, device=device)
        self.counts = torch.zeros(shape, device=device)

    def add(self, step: int, column: int, loss: Tensor) -> None:
        """Note a subject's loss in a step, counted from 0."""
        row = step // self.stride
        self.sums[row, column] += loss
        self.counts[row, column] += 1

    def restore(self, sums: Tensor, counts: Tensor) -> None:
        """Take over what a checkpoint kept."""
        self.sums.copy_(sums)
        self.counts.copy_(counts)

    def table(self, steps: int) -> pd.DataFrame:
        """Return the first `steps` steps: column `step`, the last of a row, and one per subject.

        NaN where no step of a row saw the subject.
        """
        rows = math.ceil(steps / self.stride)
        values = (self.sums[:rows] / self.counts[:rows]).cpu().numpy()
        table = pd.DataFrame(values, columns=self.subjects)
        ends = np.minimum(np.arange(1, rows + 1) * self.stride, steps)
        table.insert(0, "step", ends)
        return table
