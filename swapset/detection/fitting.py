"""Fit a detector on the training people of a fold, or take its published weights."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd
import torch

from swapset.detection.protocol import open_stores, training_faces
from swapset.detectors.base import Detector, Schedule
from swapset.detectors.registry import detector_class
from swapset.io.files import sha256_of, write_json
from swapset.seeds import derive_seed

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FitJob:
    """What is fitted, and how.

    Attributes
    ----------
    detector : str
    fold : int
    seed : int
        Of the config.
    precision : {"auto", "fp32", "bf16"}
    settings : mapping
        `patience`, `look_every`, and of `DetectorSettings` what is set.
    """

    detector: str
    fold: int
    seed: int
    precision: str
    settings: Mapping[str, Any]

    def schedule(self) -> Schedule:
        """Return the schedule with this job's own seed."""
        known = ("steps", "batch", "learning_rate", "patience", "look_every")
        asked = {key: self.settings[key] for key in known if key in self.settings}
        seed = derive_seed(self.seed, "detector", self.detector, self.fold)
        return Schedule(seed=seed, precision=self.precision, **asked)


def fit_detector(
    job: FitJob,
    splits: pd.DataFrame,
    faces: Sequence[Path],
    *,
    model: Path,
    card: Path,
    device: torch.device,
    log: TextIO | None = None,
) -> None:
    """Fit a detector, and write it with its card.

    Parameters
    ----------
    job : FitJob
    splits : DataFrame
        See `swapset.detection.protocol`.
    faces : sequence of Path
        Stores of the dataset that is learnt from.
    model, card : Path
        What is written: safetensors and JSON.
    device : torch.device
    log : TextIO, optional
        Gets the progress bar.

    Raises
    ------
    TrainingError
        If there are no real or no fake faces among the training people, or a loss is no number.
    DataError
        If weights cannot be read.
    """
    facts: dict[str, Any] = {"detector": job.detector, "fold": job.fold}
    if "weights" in job.settings:
        path = Path(job.settings["weights"])
        detector = _published(job, path, device)
        facts |= {"weights": path.name, "weights_sha256": sha256_of(path)}
    else:
        detector, fitted = _fit(job, splits, faces, device, log)
        facts |= fitted
    detector.save(model, facts)
    write_json(card, facts | {"sha256": sha256_of(model)})


def _published(job: FitJob, weights: Path, device: torch.device) -> Detector:
    """Return the detector with published weights, and its backbone's where they lie apart."""
    make = detector_class(job.detector).from_weights
    backbone = job.settings.get("backbone_weights")
    if backbone and "backbone" in inspect.signature(make).parameters:
        return make(weights, device=device, backbone=Path(backbone))
    return make(weights, device=device)


def _fit(
    job: FitJob,
    splits: pd.DataFrame,
    faces: Sequence[Path],
    device: torch.device,
    log: TextIO | None,
) -> tuple[Detector, dict[str, Any]]:
    schedule = job.schedule()
    detector = detector_class(job.detector)(seed=schedule.seed, device=device)
    stores = open_stores(faces)
    training = training_faces(stores, splits, job.fold, "train")
    validation = training_faces(stores, splits, job.fold, "val")
    logger.info("%d faces to learn from, %d to validate on", len(training), len(validation))
    backbone = job.settings.get("backbone_weights")
    facts = detector.fit(
        training,
        validation if len(validation) else None,
        schedule,
        log=log,
        backbone=Path(backbone) if backbone else None,
    )
    counts = {
        "faces": len(training),
        "fake_faces": int(np.count_nonzero(training.labels)),
        "validation_faces": len(validation),
    }
    return detector, counts | facts
