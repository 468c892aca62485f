"""Fit a detector on the training people of a fold, or read its published weights."""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
import pandas as pd
import torch

from swapset.detection.about_fit import trained_on, validated_on
from swapset.detection.protocol import open_stores, training_faces
from swapset.detection.store import StoredSamples
from swapset.detectors.base import Detector, Schedule
from swapset.detectors.registry import detector_class
from swapset.errors import DataError
from swapset.io.files import sha256_of, write_json
from swapset.learning.checkpoint import Checkpoint
from swapset.seeds import derive_seed

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FitJob:
    """A detector's fit: its name, fold, seed and settings.

    Attributes
    ----------
    detector : str
    fold : int
    seed : int
        The config's.
    precision : {"auto", "fp32", "bf16"}
    settings : mapping
        `patience`, `look_every`, and any keys of `DetectorSettings`.
    checkpoint : Path or None
        From here a killed fit resumes, if the detector can; with None it starts over.
    checkpoint_every : int
        In steps.
    code : str
        Hash of the code; a checkpoint of other code is not resumed.
    demo : bool
        Whether the clips are the demo's, which the card says.
    repeat : int
        Which training of its fold it is, from 0.
    """

    detector: str
    fold: int
    seed: int
    precision: str
    settings: Mapping[str, Any]
    checkpoint: Path | None = None
    checkpoint_every: int = 500
    code: str = ""
    demo: bool = False
    repeat: int = 0

    @property
    def fit_seed(self) -> int:
        """Return this fit's seed: from the config's, the detector, the fold and the repeat."""
        repeats = (self.repeat,) if self.repeat else ()
        return derive_seed(self.seed, "detector", self.detector, self.fold, *repeats)

    def schedule(self, checkpoint: Checkpoint | None = None) -> Schedule:
        """Return the schedule that the settings ask for, with this fit's seed."""
        known = ("steps", "batch", "learning_rate", "patience", "look_every")
        asked = {key: self.settings[key] for key in known if key in self.settings}
        return Schedule(
            seed=self.fit_seed, precision=self.precision, checkpoint=checkpoint, **asked
        )


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
    """Fit a detector or read its published weights; write it with its card.

    Parameters
    ----------
    job : FitJob
    splits : DataFrame
        See `swapset.detection.protocol`.
    faces : sequence of Path
        Face stores of the training dataset.
    model, card : Path
        Outputs: safetensors and JSON.
    device : torch.device
    log : TextIO, optional
        Gets the progress bar.

    Raises
    ------
    TrainingError
        If there are no real or no fake faces among the training people, or a loss is not a number.
    InterruptedTrainingError
        After SIGTERM or SIGINT, with a checkpoint written.
    DataError
        If weights cannot be read.
    """
    facts: dict[str, Any] = {"detector": job.detector, "fold": job.fold}
    if job.repeat:
        facts["repeat"] = job.repeat
    checkpoint = None
    if "weights" in job.settings:
        detector, published = _published(job, Path(job.settings["weights"]), device)
        facts |= published
    else:
        facts["compressions"] = list(dict.fromkeys(store.parent.name for store in faces))
        parts = _fold_faces(job, splits, faces)
        checkpoint = _checkpoint(job, parts)
        detector, fit_facts = _fit(job.schedule(checkpoint), job, parts, device, log)
        facts |= fit_facts | _about(detector, job, splits, faces, parts)
    detector.save(model, facts)
    write_json(card, facts | {"sha256": sha256_of(model)})
    if checkpoint is not None:
        checkpoint.remove()


def _about(
    detector: Detector,
    job: FitJob,
    splits: pd.DataFrame,
    folders: Sequence[Path],
    faces: _FoldFaces,
) -> dict[str, Any]:
    """Return what the card says of the people and the conditions of a fit."""
    training, validation = faces
    about = {"trained_on": trained_on(training, splits, folders, job.fold, demo=job.demo)}
    if len(validation):
        about["validation"] = validated_on(detector, validation, splits, folders, job.fold)
    return about


def _published(job: FitJob, weights: Path, device: torch.device) -> tuple[Detector, dict[str, Any]]:
    """Return the detector with published weights, and the hashes of all files that they are in."""
    kind = detector_class(job.detector, job.settings.get("protocol"))
    options: dict[str, Path] = {}
    if backbone := _backbone(job):
        if "backbone" not in inspect.signature(kind.from_weights).parameters:
            raise DataError(
                f"detection.settings.{job.detector}.backbone_weights: is not allowed beside "
                f"weights, which are whole for {job.detector}; remove one of the two"
            )
        options["backbone"] = backbone
    detector = kind.from_weights(weights, device=device, **options)
    files = kind.weight_files(weights, **options)
    hashes = {file.name: sha256_of(file) for file in files}
    main = files[0].name
    protocol = {"protocol": detector.protocol} if detector.protocol else {}
    return detector, {
        "weights": main,
        "weights_sha256": hashes.pop(main),
        "beside_sha256": hashes,
    } | protocol


def _backbone(job: FitJob) -> Path | None:
    backbone = job.settings.get("backbone_weights")
    return Path(backbone) if backbone else None


class _FoldFaces(NamedTuple):
    """Faces to train on, and to validate on."""

    training: StoredSamples
    validation: StoredSamples


def _fold_faces(job: FitJob, splits: pd.DataFrame, faces: Sequence[Path]) -> _FoldFaces:
    """Return the faces of the job's fold."""
    stores = open_stores(faces)
    roles = ("train", "val")
    margin = detector_class(job.detector).margin
    parts = _FoldFaces(
        *(training_faces(stores, splits, job.fold, role, margin=margin) for role in roles)
    )
    logger.info("%d faces to learn from, %d to validate on", *map(len, parts))
    return parts


def _checkpoint(job: FitJob, faces: _FoldFaces) -> Checkpoint | None:
    """Return the fit's checkpoint; its fingerprint covers faces, settings and code."""
    if job.checkpoint is None or not detector_class(job.detector).resumes:
        return None
    backbone = _backbone(job)
    settings = {key: str(value) for key, value in job.settings.items()}
    inputs = [part.fingerprint() for part in faces] + ([sha256_of(backbone)] if backbone else [])
    parts = [job.detector, job.fit_seed, job.precision, settings, job.code, inputs]
    fingerprint = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return Checkpoint(job.checkpoint, job.checkpoint_every, fingerprint)


def _fit(
    schedule: Schedule,
    job: FitJob,
    faces: _FoldFaces,
    device: torch.device,
    log: TextIO | None,
) -> tuple[Detector, dict[str, Any]]:
    """Return the fitted detector, and facts about the fit for its card."""
    detector = detector_class(job.detector)(seed=schedule.seed, device=device)
    training, validation = faces
    backbone = _backbone(job)
    facts = detector.fit(
        training,
        validation if len(validation) else None,
        schedule,
        log=log,
        backbone=backbone,
    )
    if backbone:
        facts |= {"backbone": backbone.name, "backbone_sha256": sha256_of(backbone)}
    counts = {
        "faces": len(training),
        "fake_faces": int(np.count_nonzero(training.labels)),
        "validation_faces": len(validation),
    }
    return detector, counts | facts
