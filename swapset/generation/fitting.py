"""Train a model on aligned faces and write its weights, losses, preview and card."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

import pandas as pd
import torch

from swapset.config.recipes import TrainingRecipe
from swapset.errors import ConfigError
from swapset.faces.prepare import load_faces, load_points
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.bank import FaceBank
from swapset.generation.checkpoint import load_model, save_model
from swapset.generation.expressions import describe
from swapset.generation.preview import loss_picture
from swapset.generation.training import Run, Trainer
from swapset.io.files import atomic_output, sha256_of, write_csv, write_empty, write_json
from swapset.types import Frames, Points

logger = logging.getLogger(__name__)

_STORED_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class ModelFiles:
    """Paths of a training's results."""

    model: Path
    losses: Path
    preview: Path
    card: Path


@dataclass(frozen=True)
class AlignedFaces:
    """One subject's aligned faces.

    Attributes
    ----------
    images : (m, S, S, 3) uint8 in [0, 255], RGB
    points : (m, 68, 2) float32
        Landmarks x, y in pixels of the images.
    """

    images: Frames
    points: Points

    @classmethod
    def load(cls, folder: Path, most: int | None = None) -> AlignedFaces:
        """Read a folder that rule `align` wrote; at most `most` faces, evenly over all clips."""
        return cls(load_faces(folder, most), load_points(folder, most))

    def bank(self, recipe: TrainingRecipe, context: float, device: torch.device) -> FaceBank:
        """Return the faces for a training.

        Parameters
        ----------
        recipe : TrainingRecipe
        context : float
            Context of the stored faces, see `swapset.faces.align.crop_transform`.
        device : torch.device
        """
        return FaceBank.from_faces(
            self.images,
            resolution=recipe.resolution,
            share=recipe.context / context,
            device=device,
            points=self.points if recipe.needs_masks else None,
            expressions=describe(self.points) if recipe.needs_expressions else None,
        )

    def fingerprint(self) -> str:
        """Return a hash of the faces."""
        digest = hashlib.sha256(str(self.images.shape).encode())
        for face in self.images:
            digest.update(face.tobytes())
        digest.update(self.points.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class ModelJob:
    """A training: recipe, settings and start.

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
        True: every subject must have faces (a pair). False: those without are left out.
    one_person : bool
        Whether the two subjects are one person, so that nothing is trained.
    start : Path or None
        Model that the training starts from; its card lies beside it.
    warm_rate : float
        Factor of the recipe's learning rate if `start` has a decoder for every subject. With a new
        subject there is more to learn, and the rate is the recipe's.
    keep : {"float32", "bfloat16"}
        Type of the stored weights.
    """

    recipe: TrainingRecipe
    context: float
    run: Run
    code: str
    needs_all: bool = True
    one_person: bool = False
    start: Path | None = None
    warm_rate: float = 1.0
    keep: Literal["float32", "bfloat16"] = "float32"


def train_model(
    job: ModelJob, faces: Mapping[str, AlignedFaces], files: ModelFiles, log: TextIO
) -> None:
    """Train a model and write it with its losses, preview and card.

    If too few subjects have faces, or both are one person, the files are empty, and the card gives
    the reason.

    Parameters
    ----------
    job : ModelJob
    faces : mapping of str to AlignedFaces
        By subject.
    files : ModelFiles
        The files to write.
    log : TextIO
        Gets the progress bar.

    Raises
    ------
    TrainingError
        If the loss is not a number, with its step.
    InterruptedTrainingError
        After SIGTERM or SIGINT, with a checkpoint written.
    ConfigError
        If the start has other layers than the recipe.
    DataError
        If the start is damaged.
    """
    missing = [subject for subject, part in faces.items() if not len(part.images)]
    present = {subject: part for subject, part in faces.items() if subject not in missing}
    if (missing and job.needs_all) or len(present) < 2:
        _write_nothing(files, f"no accepted clip of {' and '.join(missing)}")
        return
    if job.one_person:
        _write_nothing(files, f"{' and '.join(faces)} are one person")
        return
    facts: dict[str, Any] = {
        "faces": {subject: part.fingerprint() for subject, part in present.items()},
        "start": sha256_of(job.start) if job.start else None,
    }
    start = _load_start(job, job.start, present) if job.start else None
    banks = {
        subject: part.bank(job.recipe, job.context, job.run.device)
        for subject, part in present.items()
    }
    recipe = _recipe(job, start, present)
    fingerprint = _training_hash(job, recipe, facts)
    trainer = Trainer(recipe, banks, job.run, fingerprint, start)
    del start  # frees its memory
    trainer.run(log)
    _write_results(trainer, files, facts, missing, job.keep)


def _load_start(job: ModelJob, path: Path, subjects: Collection[str]) -> SwapAutoencoder:
    """Load the model to start from; only the subjects' decoders, if it has all of them.

    Raises
    ------
    ConfigError
        If it has other layers than the recipe.
    """
    base = load_model(path, job.run.device, subjects)
    wanted, actual = job.recipe.network(), base.recipe.network()
    wrong = [
        f"{key} {actual[key]} instead of {value}"
        for key, value in wanted.items()
        if actual[key] != value
    ]
    if wrong:
        raise ConfigError(f"{path}: no base model of this recipe: it has {', '.join(wrong)}")
    return base.model


def _recipe(
    job: ModelJob, start: SwapAutoencoder | None, subjects: Iterable[str]
) -> TrainingRecipe:
    """Return the recipe; with the warm rate if the start has a decoder for every subject."""
    if start is None or not all(subject in start.decoders for subject in subjects):
        return job.recipe
    rate = job.recipe.learning_rate * job.warm_rate
    return job.recipe.model_copy(update={"learning_rate": rate})


def _write_results(
    trainer: Trainer, files: ModelFiles, facts: dict[str, Any], missing: list[str], keep: str
) -> None:
    losses = trainer.record.table(trainer.loop.done)
    write_csv(files.losses, losses)
    save_model(files.model, trainer.model, trainer.recipe, facts, _STORED_TYPES[keep])
    with atomic_output(files.preview) as scratch:
        loss_picture(losses, trainer.schedule.history, trainer.previews, scratch)
    card = _card(trainer, losses, warm_start=facts["start"] is not None, missing=missing)
    write_json(files.card, {"trained": True, "sha256": sha256_of(files.model), **card})
    trainer.settings.checkpoint.unlink(missing_ok=True)
    logger.info("trained %d steps, L1 %s", trainer.loop.done, card["loss"])


def _card(
    trainer: Trainer, losses: pd.DataFrame, *, warm_start: bool, missing: list[str]
) -> dict[str, Any]:
    """Return the facts about a training that its model's card tells."""
    schedule = trainer.schedule
    tail = losses.iloc[-min(100, len(losses)) :, 1:].mean()
    return {
        "recipe": trainer.recipe.model_dump(),
        "steps": trainer.loop.done,
        "plateau": schedule.plateau_step,
        "warm_start": warm_start,
        # Subjects that the last steps did not see are left out.
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


def _write_nothing(files: ModelFiles, reason: str) -> None:
    """Write the empty results of a model that cannot be trained, with the reason on its card."""
    logger.warning("not trained: %s", reason)
    for path in (files.model, files.losses, files.preview):
        write_empty(path)
    write_json(files.card, {"trained": False, "reason": reason})


def _training_hash(job: ModelJob, recipe: TrainingRecipe, facts: dict[str, Any]) -> str:
    """Return a hash of everything that a resumed training must share with its checkpoint."""
    settings = [job.run.seed, job.run.precision, job.run.patience]
    parts = [recipe.model_dump(), settings, facts, job.code]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
