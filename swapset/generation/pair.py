"""Train one pair from its aligned faces: model, loss curve, preview and card."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt
import pandas as pd

from swapset.files import atomic_output, sha256_of, write_csv, write_empty, write_json
from swapset.generation.augment import FaceBank
from swapset.generation.checkpoint import save_model
from swapset.generation.methods import TrainingRecipe
from swapset.generation.preview import loss_picture, preview_row, stacked
from swapset.generation.training import Schedule, Trainer

logger = logging.getLogger(__name__)

Faces = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class PairFiles:
    """Where a pair's results belong."""

    model: Path
    losses: Path
    preview: Path
    card: Path


def train_pair(
    recipe: TrainingRecipe,
    faces: Mapping[str, Faces],
    context: float,
    schedule: Schedule,
    files: PairFiles,
    *,
    preview_every: int,
    code: str,
    log: TextIO,
) -> None:
    """Train a pair's model and write everything about it.

    Parameters
    ----------
    recipe : TrainingRecipe
        What is trained.
    faces : mapping of str to (m, S, S, 3) uint8 RGB
        Aligned faces of the two subjects. If one has none, empty files and a card with the
        reason are written.
    context : float
        Context of the stored faces, see `swapset.faces.align.crop_transform`.
    schedule : Schedule
        Seed, device, precision, checkpoints.
    files : PairFiles
        What to write.
    preview_every : int
        Steps between two rows of the preview.
    code : str
        Hash of the code; a checkpoint of other code is not resumed.
    log : TextIO
        Gets the progress bar.

    Raises
    ------
    TrainingError
        If the loss is not a number.
    """
    missing = [subject for subject, images in faces.items() if not len(images)]
    if missing:
        _write_nothing(files, f"no accepted clip of {' and '.join(missing)}")
        return
    share = recipe.context / context
    banks = {
        subject: FaceBank.of(
            images, resolution=recipe.resolution, share=share, device=schedule.device
        )
        for subject, images in faces.items()
    }
    facts = {"faces": {subject: _fingerprint(images) for subject, images in faces.items()}}
    trainer = Trainer(recipe, banks, schedule, _training_hash(recipe, schedule, facts, code))
    rows = []
    due = preview_every
    for step in trainer.run(log):
        if step >= due or step == recipe.steps:
            rows.append(preview_row(trainer.model, banks, recipe.resolution))
            due += preview_every
    _write_results(trainer, files, facts, stacked(rows))


def _write_results(
    trainer: Trainer, files: PairFiles, facts: dict[str, Any], picture: npt.NDArray[np.uint8]
) -> None:
    losses = pd.DataFrame(trainer.losses.cpu().numpy(), columns=list(trainer.banks))
    losses.insert(0, "step", np.arange(1, len(losses) + 1))
    write_csv(files.losses, losses)
    with atomic_output(files.preview) as scratch:
        loss_picture(losses, picture, scratch)
    save_model(files.model, trainer.model, trainer.recipe, facts)
    tail = losses.iloc[-min(100, len(losses)) :, 1:].mean()
    card = {
        "trained": True,
        "sha256": sha256_of(files.model),
        "recipe": trainer.recipe.model_dump(),
        "steps": trainer.step,
        "loss": {subject: round(float(value), 6) for subject, value in tail.items()},
        "faces": {subject: len(bank.faces) for subject, bank in trainer.banks.items()},
        "device": str(trainer.schedule.device),
        "parameters": sum(weight.numel() for weight in trainer.model.parameters()),
    }
    write_json(files.card, card)
    trainer.schedule.checkpoint.unlink(missing_ok=True)
    logger.info("trained %d steps, L1 %s", trainer.step, card["loss"])


def _write_nothing(files: PairFiles, reason: str) -> None:
    """Write the empty results of a pair that cannot be trained, with the reason on its card."""
    logger.warning("not trained: %s", reason)
    for path in (files.model, files.losses, files.preview):
        write_empty(path)
    write_json(files.card, {"trained": False, "reason": reason})


def _fingerprint(faces: Faces) -> str:
    """Return a hash of a subject's faces."""
    digest = hashlib.sha256(str(faces.shape).encode())
    for face in faces:
        digest.update(face.tobytes())
    return digest.hexdigest()


def _training_hash(
    recipe: TrainingRecipe, schedule: Schedule, facts: dict[str, Any], code: str
) -> str:
    """Return what a checkpoint must agree with to be resumed."""
    parts = [recipe.model_dump(), schedule.seed, schedule.precision, facts, code]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
