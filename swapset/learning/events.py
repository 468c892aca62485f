"""TensorBoard event files of a training: numbers and pictures over its steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swapset.types import Image


class Events:
    """Writes event files into a folder; without a folder it does nothing.

    Parameters
    ----------
    folder : Path or None
    step : int
        Step from which the training resumes: TensorBoard hides later entries of the interrupted
        run.
    """

    def __init__(self, folder: Path | None, step: int):
        self._writer: Any = None
        if folder is not None:
            from tensorboardX import SummaryWriter

            self._writer = SummaryWriter(str(folder), purge_step=step or None, flush_secs=30)

    def close(self) -> None:
        """Write the remaining entries and close the file."""
        if self._writer is not None:
            self._writer.close()

    def numbers(self, group: str, values: Mapping[str, float], step: int) -> None:
        """Write the numbers of a group that are finite.

        Parameters
        ----------
        group : str
            Such as "loss".
        values : mapping of str to float
            By name, such as a subject's.
        step : int
        """
        if self._writer is None:
            return
        for name, value in values.items():
            if math.isfinite(value):
                self._writer.add_scalar(f"{group}/{name}", value, step)

    def picture(self, name: str, picture: Image, step: int) -> None:
        """Write a picture.

        Parameters
        ----------
        name : str
        picture : (H, W, 3) uint8 in [0, 255], RGB
        step : int
        """
        if self._writer is not None:
            self._writer.add_image(name, picture, step, dataformats="HWC")
