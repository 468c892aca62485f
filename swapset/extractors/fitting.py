"""Train an extractor or read its published weights; write its model, card and preview."""

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
from swapset.extractors.schedules import Schedule, Variation, widened
from swapset.extractors.training import Run, Trainer, find
from swapset.io.files import sha256_of, write_json
from swapset.media.timeline import sampled
from swapset.seeds import derive_seed

logger = logging.getLogger(__name__)

VALIDATION_FACES = 512
"""Most held-out faces that a look measures, spread evenly."""
_SCHEDULE_KEYS = ("steps", "batch", "learning_rate")


@dataclass(frozen=True)
class ExtractorJob:
    """An extractor's training: its name, seed and settings.

    Attributes
    ----------
    extractor : str
    seed : int
        The config's.
    checkpoint : Path
        From here an interrupted training resumes; the cut faces lie beside it during the training.
    precision : {"auto", "fp32", "bf16"}
    settings : mapping
        Any of `width`, `steps`, `batch`, `learning_rate`, `variation`, `weights` and
        `backbone_weights`; the others have their published values.
    points : int, optional
        Number of landmarks; by default the labels'.
    checkpoint_every : int
        In steps.
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
        """Return this training's seed, derived from the config's and the extractor's name."""
        return derive_seed(self.seed, "extractor", self.extractor)

    def plan(self) -> Schedule:
        """Return the published schedule, changed by the settings; a cosine if faces vary widely."""
        changes = {key: self.settings[key] for key in _SCHEDULE_KEYS if key in self.settings}
        published = extractor_class(self.extractor).published
        return replace(published, **changes, cosine=self._is_wide)

    def variation(self) -> Variation:
        """Return the published augmentation, or a wider one if the settings ask for it."""
        published = extractor_class(self.extractor).variation
        return widened(published) if self._is_wide else published

    @property
    def _is_wide(self) -> bool:
        return bool(self.settings.get("variation") == "wide")


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
    """Train an extractor or read its published weights; write model, card and preview.

    Parameters
    ----------
    job : ExtractorJob
    labels : LabelledFaces or None
        Split "train" is learnt from; "val" (drawn from "train" if it is empty) chooses the best
        weights; "test" is not used. Published weights are only measured on them, and need none.
    model, card, preview : Path
        Outputs: safetensors, JSON, and a PNG of held-out faces with the labelled landmarks (green)
        and the predicted ones (red).
    device : torch.device
    log : TextIO, optional
        Gets the progress bars.

    Raises
    ------
    TrainingError
        If a loss is not a number, with its step.
    InterruptedTrainingError
        After SIGTERM or SIGINT, with a checkpoint written.
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
    """Return the extractor with its published weights, and facts for its card."""
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
    """Return the extractor before its training, with a backbone's weights if the settings say so.

    The second value are facts for its card.
    """
    if labels is None or not len(labels):
        raise DataError(f"{job.extractor}: there is no labelled face to learn from")
    points = job.points or labels.points.shape[1]
    check_points(labels, points, f"{job.extractor}: landmark_breaker.labels")
    width = float(job.settings.get("width", 1.0))
    extractor = extractor_class(job.extractor)(
        points=points, width=width, seed=job.training_seed, device=device
    )
    facts: dict[str, Any] = {"extractor": job.extractor, "points": points, "width": width}
    facts["variation"] = job.settings.get("variation", "published")
    backbone = job.settings.get("backbone_weights")
    if backbone:
        extractor.take_backbone(Path(backbone))
        facts |= {"backbone": Path(backbone).name, "backbone_sha256": sha256_of(backbone)}
    return extractor, facts


def _divided(
    job: ExtractorJob, labels: LabelledFaces | None, extractor: Extractor
) -> LabelledFaces:
    """Return the labels with some held out; none if their landmarks are not the extractor's."""
    if labels is None or labels.points.shape[1] != extractor.points:
        return LabelledFaces((), np.empty((0, extractor.points, 2), np.float32), (), ())
    return labels.with_validation(seed=job.training_seed)


def _bank(
    faces: LabelledFaces, extractor: Extractor, most: int, log: TextIO | None
) -> FaceBank | None:
    """Return at most `most` of the faces, spread evenly, cut as in the extractor's use."""
    if not len(faces):
        return None
    chosen = faces.taken(sampled(len(faces), most))
    return cut_bank(chosen, extractor, device=extractor.device, log=log)


def _train(
    job: ExtractorJob,
    extractor: Extractor,
    labels: LabelledFaces,
    held: FaceBank | None,
    log: TextIO | None,
) -> dict[str, Any]:
    """Train the extractor; return facts about the training for its card."""
    faces, plan = labels.of("train"), job.plan()
    if not len(faces):
        raise DataError(f"{job.extractor}: there is no labelled face of split 'train'")
    training, file = _training_bank(job, extractor, faces, log)
    if held is None:
        logger.warning("%s: nobody is held out; the last weights are kept", job.extractor)
    counts = {"faces": len(faces), "validation_faces": 0 if held is None else len(held)}
    logger.info("%s: %s, %s", job.extractor, counts, plan)
    run = Run(
        job.training_seed,
        job.precision,
        job.checkpoint,
        job.checkpoint_every,
        _fingerprint(job, labels, plan),
    )
    trainer = Trainer(extractor, training, held, plan, job.variation(), run)
    trainer.run(log)
    for path in (job.checkpoint, file):
        path.unlink(missing_ok=True)
    return counts | _facts(trainer)


def _training_bank(
    job: ExtractorJob, extractor: Extractor, faces: LabelledFaces, log: TextIO | None
) -> tuple[FaceBank, Path]:
    """Return the faces cut for training, and the file that keeps them beside the checkpoint."""
    variation = job.variation()
    margin, fill = margin_of(variation), variation.fill
    file = job.checkpoint.with_name(
        f"{job.checkpoint.stem}-{bank_name(faces, extractor, margin, fill, job.code)}.npy"
    )
    bank = cut_bank(
        faces, extractor, margin=margin, fill=fill, file=file, device=extractor.device, log=log
    )
    return bank, file


def _facts(trainer: Trainer) -> dict[str, Any]:
    """Return facts about a finished training for its card."""
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
    """Return a hash of everything that a resumed training must share with its checkpoint."""
    settings = {key: str(value) for key, value in job.settings.items()}
    parts = [job.extractor, job.training_seed, job.precision, settings, asdict(plan), job.code]
    text = json.dumps([*parts, labels.fingerprint()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
