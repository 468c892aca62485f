"""Train a model from aligned faces: weights, loss curve, preview and card."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

import numpy as np
import numpy.typing as npt
import torch

from swapset.config.recipes import TrainingRecipe
from swapset.errors import ConfigError
from swapset.faces.prepare import load_faces, load_points
from swapset.generation.augment import FaceBank
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.checkpoint import load_model, save_model
from swapset.generation.preview import loss_picture
from swapset.generation.training import Run, Trainer
from swapset.io.files import atomic_output, sha256_of, write_csv, write_empty, write_json

logger = logging.getLogger(__name__)

_KEPT = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class ModelFiles:
    """Where a model's results belong."""

    model: Path
    losses: Path
    preview: Path
    card: Path


@dataclass(frozen=True)
class AlignedFaces:
    """One subject's aligned faces.

    Attributes
    ----------
    images : (m, S, S, 3) uint8, RGB
    points : (m, 68, 2) float32
        Landmarks in pixels of the images.
    """

    images: npt.NDArray[np.uint8]
    points: npt.NDArray[np.float32]

    @classmethod
    def load(cls, folder: Path, most: int | None = None) -> AlignedFaces:
        """Read a folder written by rule `align`; at most `most` faces, evenly over all clips."""
        return cls(load_faces(folder, most), load_points(folder, most))

    def fingerprint(self) -> str:
        """Return a hash of the faces."""
        digest = hashlib.sha256(str(self.images.shape).encode())
        for face in self.images:
            digest.update(face.tobytes())
        digest.update(self.points.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class ModelJob:
    """What is trained.

    Attributes
    ----------
    recipe : TrainingRecipe
    context : float
        Context of the stored faces, see `swapset.faces.align.crop_transform`.
    run : Run
        Seed, device, precision, checkpoints.
    code : str
        Hash of the code; a checkpoint of other code is not resumed.
    needs_all : bool
        Whether every subject must have faces (a pair), or those without are left out.
    start : Path or None
        Model that the training starts from; its card lies beside it.
    warm_rate : float
        Share of the recipe's learning rate, where `start` has a decoder for every subject. Somebody
        new to it has more to learn, and takes the full rate.
    keep : {"float32", "bfloat16"}
        How the weights are stored.
    """

    recipe: TrainingRecipe
    context: float
    run: Run
    code: str
    needs_all: bool = True
    start: Path | None = None
    warm_rate: float = 1.0
    keep: Literal["float32", "bfloat16"] = "float32"


def train_model(
    job: ModelJob, faces: Mapping[str, AlignedFaces], files: ModelFiles, log: TextIO
) -> None:
    """Train a model and write everything about it.

    Parameters
    ----------
    job : ModelJob
    faces : mapping of str to AlignedFaces
        Of each subject. Where too few have any, empty files and a card with the reason are written.
    files : ModelFiles
        What to write.
    log : TextIO
        Gets the progress bar.

    Raises
    ------
    TrainingError
        If the loss is not a number.
    """
    missing = [subject for subject, found in faces.items() if not len(found.images)]
    there = {subject: found for subject, found in faces.items() if subject not in missing}
    if (missing and job.needs_all) or len(there) < 2:
        _write_nothing(files, f"no accepted clip of {' and '.join(missing)}")
        return
    facts: dict[str, Any] = {
        "faces": {subject: found.fingerprint() for subject, found in there.items()},
        "start": sha256_of(job.start) if job.start else None,
    }
    start = _start(job, there) if job.start else None
    banks = {subject: _bank(job, found) for subject, found in there.items()}
    recipe = _recipe(job, start, there)
    fingerprint = _training_hash(job, recipe, facts)
    trainer = Trainer(recipe, banks, job.run, fingerprint, start)
    del start  # its memory
    trainer.run(log)
    _write_results(trainer, files, facts, missing, job.keep)


def _start(job: ModelJob, subjects: Collection[str]) -> SwapAutoencoder:
    """Return the model that a training starts from; the subjects' decoders, if it knows all.

    Raises
    ------
    ConfigError
        If it has other layers than the recipe.
    """
    assert job.start is not None  # noqa: S101 - asked for where there is one
    found = load_model(job.start, job.run.device, subjects)
    wanted, there = job.recipe.network(), found.recipe.network()
    wrong = [
        f"{key} {there[key]} instead of {value}"
        for key, value in wanted.items()
        if there[key] != value
    ]
    if wrong:
        raise ConfigError(f"{job.start}: no base model of this recipe: it has {', '.join(wrong)}")
    return found.model


def _recipe(
    job: ModelJob, start: SwapAutoencoder | None, subjects: Iterable[str]
) -> TrainingRecipe:
    """Return the recipe, at the rate that the start asks for."""
    if start is None or not all(subject in start.decoders for subject in subjects):
        return job.recipe
    rate = job.recipe.learning_rate * job.warm_rate
    return job.recipe.model_copy(update={"learning_rate": rate})


def _bank(job: ModelJob, faces: AlignedFaces) -> FaceBank:
    return FaceBank.from_faces(
        faces.images,
        resolution=job.recipe.resolution,
        share=job.recipe.context / job.context,
        device=job.run.device,
        points=faces.points if job.recipe.needs_masks else None,
    )


def _write_results(
    trainer: Trainer, files: ModelFiles, facts: dict[str, Any], missing: list[str], keep: str
) -> None:
    steps, schedule = trainer.loop.done, trainer.schedule
    losses = trainer.record.table(steps)
    write_csv(files.losses, losses)
    save_model(files.model, trainer.model, trainer.recipe, facts, _KEPT[keep])
    with atomic_output(files.preview) as scratch:
        loss_picture(losses, schedule.history, trainer.previews, scratch)
    tail = losses.iloc[-min(100, len(losses)) :, 1:].mean()
    card = {
        "trained": True,
        "sha256": sha256_of(files.model),
        "recipe": trainer.recipe.model_dump(),
        "steps": steps,
        "plateau": schedule.plateau_step,
        "warm_start": facts["start"] is not None,
        # Of everybody whom the last steps saw.
        "loss": {subject: round(float(value), 6) for subject, value in tail.dropna().items()},
        "held_out": [[step, round(loss, 6)] for step, loss in schedule.history],
        "faces": {
            subject: len(bank) + len(trainer.held_out[subject])
            for subject, bank in trainer.banks.items()
        },
        "left_out": missing,
        "device": str(trainer.settings.device),
        "parameters": sum(weight.numel() for weight in trainer.model.parameters()),
    }
    write_json(files.card, card)
    trainer.settings.checkpoint.unlink(missing_ok=True)
    logger.info("trained %d steps, L1 %s", steps, card["loss"])


def _write_nothing(files: ModelFiles, reason: str) -> None:
    """Write the empty results of a model that cannot be trained, with the reason on its card."""
    logger.warning("not trained: %s", reason)
    for path in (files.model, files.losses, files.preview):
        write_empty(path)
    write_json(files.card, {"trained": False, "reason": reason})


def _training_hash(job: ModelJob, recipe: TrainingRecipe, facts: dict[str, Any]) -> str:
    """Return what a checkpoint must agree with to be resumed."""
    settings = [job.run.seed, job.run.precision, job.run.patience]
    parts = [recipe.model_dump(), settings, facts, job.code]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
