"""TensorBoard event files of a training: numbers and pictures over its steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


class Events:
    """Writes into a folder; without a folder it does nothing.

    Parameters
    ----------
    folder : Path or None
    step : int
        Where the training goes on: later entries of an interrupted one are not shown.
    """

    def __init__(self, folder: Path | None, step: int):
        self._writer: Any = None
        if folder is not None:
            from tensorboardX import SummaryWriter

            self._writer = SummaryWriter(str(folder), purge_step=step or None, flush_secs=30)

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()

    def numbers(self, group: str, values: Mapping[str, float], step: int) -> None:
        """Write numbers of a group, such as the losses of all subjects; none that is NaN."""
        if self._writer is None:
            return
        for name, value in values.items():
            if math.isfinite(value):
                self._writer.add_scalar(f"{group}/{name}", value, step)

    def picture(self, name: str, picture: npt.NDArray[np.uint8], step: int) -> None:
        """Write a picture (H, W, 3) uint8, RGB."""
        if self._writer is not None:
            self._writer.add_image(name, picture, step, dataformats="HWC")
