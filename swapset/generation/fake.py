"""Make one fake video: decode the target's clip, swap, encode, label."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from swapset.config.recipes import SynthesisRecipe
from swapset.dataset.labels import FrameLabel, write_labels
from swapset.dataset.videos import Encoding, encode, label_of
from swapset.faces.prepare import ClipLandmarks
from swapset.generation.checkpoint import load_model
from swapset.generation.synthesis import Synthesiser
from swapset.io.files import read_json, write_empty
from swapset.media.decode import frames
from swapset.types import Image

logger = logging.getLogger(__name__)

__all__ = ["Encoding", "FakeJob", "make_fake", "write_fake"]


@dataclass(frozen=True)
class FakeJob:
    """One fake: its method, target and donor, and the files that it is made from.

    Attributes
    ----------
    method : str
    target : str
        The subject whose clip is changed.
    donor : str
        The subject whose face is put in.
    number : str
        The clip's number, NNNN.
    clips, landmarks : Path
        Folders of the ingested clips and their landmarks.
    verdicts : Path
        JSON file that says which clips are accepted.
    model, card : Path
        The trained model and its card.
    one_person : bool
        Whether target and donor are one person, so that the fake is not made.
    """

    method: str
    target: str
    donor: str
    number: str
    clips: Path
    landmarks: Path
    verdicts: Path
    model: Path
    card: Path
    one_person: bool = False

    @property
    def name(self) -> str:
        """Return the fake's name, `idT_idD_NNNN`."""
        return f"{self.target}_{self.donor}_{self.number}"

    @property
    def clip(self) -> str:
        """Return the name of the target's clip."""
        return f"{self.target}_{self.number}"


def write_fake(
    job: FakeJob,
    recipe: SynthesisRecipe,
    encoding: Encoding,
    *,
    video: Path,
    labels: Path,
    device: torch.device,
    precision: str,
) -> None:
    """Make a fake and its labels; if it cannot be made, write empty files with the reason.

    Parameters
    ----------
    job : FakeJob
    recipe : SynthesisRecipe
    encoding : Encoding
    video, labels : Path
        Outputs: the video, and a parquet file with a row per frame.
    device : torch.device
    precision : {"auto", "fp32", "bf16"}
    """
    facts: dict[str, Any] = {
        "label": 1,
        "method": job.method,
        "target": job.target,
        "donor": job.donor,
        "clip": job.clip,
        "recipe": recipe.model_dump(),
    }
    card = read_json(job.card)
    reason = _why_not(job, read_json(job.verdicts)[job.clip], card)
    if reason:
        logger.warning("%s was not made: %s", job.name, reason)
        write_empty(video)
        write_labels(labels, [], facts | {"reason": reason})
        return
    synthesiser = Synthesiser(
        load_model(job.model, device, [job.donor]), job.donor, recipe, device, precision=precision
    )
    label = label_of("fake", method=job.method, target=job.target, donor=job.donor, clip=job.clip)
    source = job.clips / f"{job.clip}.mkv"
    points = ClipLandmarks.load(job.landmarks / f"{job.clip}.npz")
    frame_labels = make_fake(source, points, synthesiser, video, encoding, label)
    trained = {key: card[key] for key in ("recipe", "steps", "warm_start")}
    facts |= {"model_sha256": card["sha256"], "training": trained, "reason": ""}
    write_labels(labels, frame_labels, facts)


def _why_not(job: FakeJob, verdict: dict[str, Any], card: dict[str, Any]) -> str:
    """Return why a fake cannot be made; empty if it can."""
    if not verdict["accepted"]:
        return f"clip rejected: {verdict['reason']}"
    if job.one_person:
        return f"{job.target} and {job.donor} are one person"
    if not card["trained"]:
        return f"no model: {card['reason']}"
    if job.donor in card["left_out"]:
        return f"no model: no accepted clip of {job.donor}"
    return ""


def make_fake(
    clip: Path,
    landmarks: ClipLandmarks,
    synthesiser: Synthesiser,
    output: Path,
    encoding: Encoding,
    label: dict[str, str],
) -> list[FrameLabel]:
    """Write the fake of a clip and return the labels of its frames.

    Parameters
    ----------
    clip : Path
        The target's ingested clip.
    landmarks : ClipLandmarks
        The target's landmarks in the clip.
    synthesiser : Synthesiser
        Model, donor and recipe.
    output : Path
        The video to write.
    encoding : Encoding
    label : dict of str to str
        Metadata for the container.

    Raises
    ------
    MediaError, DataError
        If the clip is damaged or does not fit its landmarks, or the fake cannot be written.
    """
    labels = []

    def swapped() -> Iterator[Image]:
        points = landmarks.chosen(synthesiser.recipe.smoothing)
        for frame, frame_label in synthesiser.swap(frames(clip), points):
            labels.append(frame_label)
            yield frame

    encode(swapped(), output, encoding, label)
    count = sum(each.swapped for each in labels)
    logger.info("%s: %d of %d frames swapped", output.name, count, len(labels))
    return labels
