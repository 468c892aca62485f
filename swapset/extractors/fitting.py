"""Train an extractor on labelled faces, or take its published weights: model, card, preview."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch

from swapset.errors import DataError
from swapset.extractors.bank import FaceBank, bank_name, cut_bank, margin_of
from swapset.extractors.base import Extractor
from swapset.extractors.labels.faces import LabelledFaces, check_points
from swapset.extractors.nme import nme
from swapset.extractors.preview import SHOWN, write_preview
from swapset.extractors.registry import extractor_class
from swapset.extractors.schedules import Schedule
from swapset.extractors.training import Run, Trainer, find
from swapset.io.files import sha256_of, write_json
from swapset.media.timeline import sampled
from swapset.seeds import derive_seed

logger = logging.getLogger(__name__)

VALIDATION_FACES = 512
"""Most held-out faces that a training looks at, evenly spread."""
_SCHEDULE_KEYS = ("steps", "batch", "learning_rate")


@dataclass(frozen=True)
class ExtractorJob:
    """What is trained, and how.

    Attributes
    ----------
    extractor : str
    seed : int
        Of the config.
    checkpoint : Path
        Where an interrupted training goes on; beside it lie the faces while it runs.
    precision : {"auto", "fp32", "bf16"}
    settings : mapping
        Of `width`, `steps`, `batch`, `learning_rate`, `weights` and `backbone_weights` what is set;
        the rest is as published.
    points : int, optional
        Number of landmarks; by default the labels'.
    checkpoint_every : int
        Steps.
    code : str
        Hash of the code; a checkpoint of other code is not resumed.
    """

    extractor: str
    seed: int
    checkpoint: Path
    precision: str = "auto"
    settings: Mapping[str, Any] = field(default_factory=dict)
    points: int | None = None
    checkpoint_every: int = 500
    code: str = ""

    @property
    def training_seed(self) -> int:
        """Return this training's seed."""
        return derive_seed(self.seed, "extractor", self.extractor)

    def plan(self) -> Schedule:
        """Return the published schedule with what is set."""
        set_here = {key: self.settings[key] for key in _SCHEDULE_KEYS if key in self.settings}
        return replace(extractor_class(self.extractor).published, **set_here)


def train_extractor(
    job: ExtractorJob,
    labels: LabelledFaces | None,
    *,
    model: Path,
    card: Path,
    preview: Path,
    device: torch.device,
    log: TextIO | None = None,
) -> None:
    """Train an extractor, and write it with its card and preview.

    Parameters
    ----------
    job : ExtractorJob
    labels : LabelledFaces or None
        What is learnt from: faces of split "train", with those of "val" (drawn from "train" where
        there are none) to choose the best weights by; "test" is left alone. With published weights
        they may be None, and only tell how good these are.
    model, card, preview : Path
        What is written: safetensors, JSON, and a PNG of held-out faces with the labelled landmarks
        (green) and the found ones (red).
    device : torch.device
    log : TextIO, optional
        Gets the progress bars.

    Raises
    ------
    TrainingError
        If a loss is not a number, with its step.
    DataError
        If a picture or weights cannot be read, there is no face to learn from, or the labels have
        another number of landmarks.
    """
    if "weights" in job.settings:
        extractor, facts = _published(job, device)
    else:
        extractor, facts = _fresh(job, labels, device)
    faces = _divided(job, labels, extractor)
    held = _bank(faces.of("val"), extractor, VALIDATION_FACES, log)
    if not extractor.trained:
        facts |= _train(job, extractor, faces, held, log)
    if held is not None:
        errors = nme(find(extractor, held), held.points)
        facts |= {"validation_nme": float(errors.mean())}
    extractor.save(model, facts)
    write_preview(preview, extractor, held or _bank(faces.of("train"), extractor, SHOWN, log))
    write_json(card, facts | {"sha256": sha256_of(model)})
    logger.info("%s: %s", job.extractor, facts)


def _published(job: ExtractorJob, device: torch.device) -> tuple[Extractor, dict[str, Any]]:
    path = Path(job.settings["weights"])
    extractor = extractor_class(job.extractor).from_weights(path, device=device)
    return extractor, {
        "extractor": job.extractor,
        "points": extractor.points,
        "weights": path.name,
        "weights_sha256": sha256_of(path),
    }


def _fresh(
    job: ExtractorJob, labels: LabelledFaces | None, device: torch.device
) -> tuple[Extractor, dict[str, Any]]:
    """Return the extractor before its training, with a backbone's weights if there are some."""
    if labels is None or not len(labels):
        raise DataError(f"{job.extractor}: there is no labelled face to learn from")
    points = job.points or labels.points.shape[1]
    check_points(labels, points, f"{job.extractor}: landmark_breaker.labels")
    width = float(job.settings.get("width", 1.0))
    extractor = extractor_class(job.extractor)(
        points=points, width=width, seed=job.training_seed, device=device
    )
    facts: dict[str, Any] = {"extractor": job.extractor, "points": points, "width": width}
    backbone = job.settings.get("backbone_weights")
    if backbone:
        extractor.take_backbone(Path(backbone))
        facts |= {"backbone": Path(backbone).name, "backbone_sha256": sha256_of(backbone)}
    return extractor, facts


def _divided(
    job: ExtractorJob, labels: LabelledFaces | None, extractor: Extractor
) -> LabelledFaces:
    """Return the labels with some held out; none where they say nothing of this extractor."""
    if labels is None or labels.points.shape[1] != extractor.points:
        return LabelledFaces((), np.empty((0, extractor.points, 2), np.float32), (), ())
    return labels.with_validation(seed=job.training_seed)


def _bank(
    faces: LabelledFaces, extractor: Extractor, most: int, log: TextIO | None
) -> FaceBank | None:
    """Return some of the faces, evenly spread, as an extractor sees them when it is used."""
    if not len(faces):
        return None
    few = faces.taken(sampled(len(faces), most))
    return cut_bank(few, extractor, device=extractor.device, log=log)


def _train(
    job: ExtractorJob,
    extractor: Extractor,
    labels: LabelledFaces,
    held: FaceBank | None,
    log: TextIO | None,
) -> dict[str, Any]:
    """Train; return what is known of the training."""
    learnt, plan, variation = labels.of("train"), job.plan(), extractor.variation
    if not len(learnt):
        raise DataError(f"{job.extractor}: there is no labelled face of split 'train'")
    margin, fill = margin_of(variation), variation.fill
    file = job.checkpoint.with_name(
        f"{job.checkpoint.stem}-{bank_name(learnt, extractor, margin, fill, job.code)}.npy"
    )
    training = cut_bank(
        learnt, extractor, margin=margin, fill=fill, file=file, device=extractor.device, log=log
    )
    if held is None:
        logger.warning("%s: nobody is held out; the last weights are kept", job.extractor)
    counts = {"faces": len(learnt), "validation_faces": 0 if held is None else len(held)}
    logger.info("%s: %s, %s", job.extractor, counts, plan)
    run = Run(
        job.training_seed,
        job.precision,
        job.checkpoint,
        job.checkpoint_every,
        _fingerprint(job, labels, plan),
    )
    trainer = Trainer(extractor, training, held, plan, variation, run)
    trainer.run(log)
    for path in (job.checkpoint, file):
        path.unlink(missing_ok=True)
    return counts | _facts(trainer)


def _facts(trainer: Trainer) -> dict[str, Any]:
    plan = trainer.plan
    tail = trainer.losses[-min(100, plan.steps) :].mean()
    facts: dict[str, Any] = {
        **{key: getattr(plan, key) for key in _SCHEDULE_KEYS},
        "loss": round(float(tail), 6),
        "bf16": trainer.bf16,
        "device": trainer.device.type,
        "parameters": sum(part.numel() for part in trainer.extractor.network.parameters()),
    }
    if trainer.history:
        facts |= {"best_step": trainer.best.step, "history": trainer.history}
    return facts


def _fingerprint(job: ExtractorJob, labels: LabelledFaces, plan: Schedule) -> str:
    """Return what a checkpoint must agree with to be resumed."""
    settings = {key: str(value) for key, value in job.settings.items()}
    parts = [job.extractor, job.training_seed, job.precision, settings, asdict(plan), job.code]
    text = json.dumps([*parts, labels.fingerprint()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
