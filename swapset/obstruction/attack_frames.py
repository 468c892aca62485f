"""Noise of one attack on a person's key frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
from tqdm import tqdm

from swapset.extractors.base import Extractor
from swapset.obstruction.attacks.base import Attack
from swapset.obstruction.attacks.face_mask import face_masks
from swapset.obstruction.attacks.on_frames import Ensemble, OnFrames
from swapset.obstruction.attacks.registry import make_attack
from swapset.obstruction.keyframes import Run, read_frames, read_runs
from swapset.seeds import derive_seed
from swapset.types import Frames


@dataclass(frozen=True)
class AttackJob:
    """One attack on one person: name, settings and seed.

    Attributes
    ----------
    attack : str
        Name of the attack, a key of `swapset.obstruction.attacks.registry.ATTACKS`.
    subject : str
        The person who is protected. The name is part of the seed.
    seed : int
        The config's seed.
    settings : mapping
        Hyper-parameters of the attack.
    """

    attack: str
    subject: str
    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)

    def make(self) -> Attack:
        """Return the attack, seeded by the config's seed, the attack's name and the person.

        Raises
        ------
        ConfigError
            If the attack is unknown, or does not take these settings.
        """
        seed = derive_seed(self.seed, "attack", self.attack, self.subject)
        return make_attack(self.attack, seed=seed, **self.settings)


def write_noisy(
    job: AttackJob,
    extractors: Sequence[Extractor],
    frames: Path,
    folder: Path,
    *,
    log: TextIO | None = None,
) -> None:
    """Write the noisy frames of every run, in the same format as the clean ones.

    Parameters
    ----------
    job : AttackJob
    extractors : sequence of Extractor
        The extractors whose gradients the attack follows; exactly one unless it follows several.
    frames : Path
        Folder of the clean key frames, see `swapset.obstruction.keyframes`.
    folder : Path
        An existing folder; gets `<run>.npy`, (n, H, W, 3) uint8 RGB, for each run.
    log : TextIO, optional
        Gets a progress bar.

    Raises
    ------
    ConfigError
        If the attack is unknown, or does not take these settings.
    DataError
        If a file of key frames is missing or damaged, or an extractor's maps or gradients are not
        finite.
    """
    attack, runs = job.make(), read_runs(frames)
    for run, clean in zip(
        tqdm(runs, file=log, unit="run", mininterval=2), read_frames(frames, runs), strict=True
    ):
        np.save(folder / f"{run.name}.npy", noisy_frames(attack, extractors, clean, run))


def noisy_frames(
    attack: Attack, extractors: Sequence[Extractor], frames: Frames, run: Run
) -> Frames:
    """Attack the frames of a run.

    Parameters
    ----------
    attack : Attack
    extractors : sequence of Extractor
        The extractors whose gradients the attack follows; exactly one unless it follows several.
    frames : (n, H, W, 3) uint8 in [0, 255], RGB
    run : Run
        The clip and the landmarks of these frames.

    Returns
    -------
    (n, H, W, 3) uint8 in [0, 255], RGB
        The noisy frames.

    Raises
    ------
    DataError
        If an extractor's maps or gradients are not finite.
    """
    device, boxes = extractors[0].device, torch.from_numpy(run.boxes)
    images = torch.from_numpy(np.array(frames)).to(device).permute(0, 3, 1, 2)
    if attack.follows_several:
        masks = torch.from_numpy(face_masks(run.landmarks, frames.shape[1:3])).to(device)
        members = [OnFrames(extractor, boxes, mask=masks) for extractor in extractors]
        noisy = attack.run(Ensemble(members), images)
    else:
        (extractor,) = extractors
        noisy = attack.run(OnFrames(extractor, boxes), images)
    return noisy.permute(0, 2, 3, 1).contiguous().cpu().numpy()
