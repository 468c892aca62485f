"""Load the trainings of a detector: one file for each fold and seed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch

from swapset.dataset.trainings import training_number
from swapset.detectors.base import Detector, load_detector


def load_trainings(
    paths: Iterable[str | Path], device: torch.device | str = "cpu"
) -> dict[int, Detector]:
    """Return the detectors in files of trainings, by number (`swapset.dataset.trainings`).

    Parameters
    ----------
    paths : iterable of path-like
        `<training's name>.safetensors`.
    device : torch.device or str

    Raises
    ------
    DataError
        If a file is damaged or of an unknown detector.
    """
    files = [Path(path) for path in paths]
    return {training_number(file.stem): load_detector(file, device=device) for file in files}
