"""Pictures of a training that a person can judge: faces as they go in and as they come out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from swapset.generation.augment import FaceBank, plain_batch
from swapset.generation.autoencoder import SwapAutoencoder, composed, resized
from swapset.generation.recipes import TrainingRecipe

Image = npt.NDArray[np.uint8]
SAMPLES = 3
"""Faces of each subject in a preview row."""
SUBJECTS = 4
"""Most subjects in a preview row."""


@torch.inference_mode()
def preview_row(
    model: SwapAutoencoder, banks: Mapping[str, FaceBank], recipe: TrainingRecipe
) -> Image:
    """Return source, reconstruction and swap of a few faces of each subject, side by side.

    Returns
    -------
    (R, 3 * SAMPLES * R * n, 3) uint8, RGB
        For each of n subjects and its samples: the face, the same through its own decoder, and
        through the next subject's. A decoder's mask lays the face over the source.
    """
    pictures = []
    shown = list(banks)[:SUBJECTS]
    for own, other in zip(shown, [*shown[1:], shown[0]], strict=True):
        bank = banks[own]
        index = torch.linspace(0, len(bank) - 1, SAMPLES).round().long().to(bank.faces.device)
        batch = plain_batch(bank, index, recipe.resolution, recipe.input_side)
        made = [composed(model(batch.warped, name), batch.target) for name in (own, other)]
        seen = resized(batch.warped, recipe.resolution)
        pictures.append(torch.stack([seen, *made], dim=1).flatten(0, 1))
    row = torch.cat(pictures).mul(255).round().clamp(0, 255).to(torch.uint8)
    return np.concatenate(list(row.permute(0, 2, 3, 1).cpu().numpy()), axis=1)


def stacked(rows: list[Image]) -> Image:
    """Return preview rows one under the other, the earliest on top."""
    return np.concatenate(rows, axis=0)


def loss_picture(
    losses: pd.DataFrame, held_out: list[tuple[int, float]], preview: Image, path: Path
) -> None:
    """Write one PNG: the loss of all subjects over the steps, above the preview.

    Parameters
    ----------
    losses : DataFrame
        Columns `step` and one per subject; NaN where a step did not see a subject.
    held_out : list of (int, float)
        Step and mean loss of each look at the held-out faces.
    preview : (H, W, 3) uint8, RGB
    path : Path
    """
    from matplotlib.figure import Figure

    height, width = preview.shape[:2]
    inches = width / 150
    figure = Figure(figsize=(inches, inches * height / width + 2.4), dpi=150, layout="constrained")
    curve, picture = figure.subplots(2, 1, height_ratios=[2.0, inches * height / width])
    subjects = list(losses.columns[1:])
    for subject in subjects:
        smooth = losses[subject].ewm(span=max(2, len(losses) // 50)).mean()
        curve.plot(losses["step"], smooth, label=subject)
    if held_out:
        curve.plot(*zip(*held_out, strict=True), "k--", label="held out")
    curve.set(xlabel="step", ylabel="L1", yscale="log")
    curve.legend(fontsize=7, ncols=1 + len(subjects) // 8)
    picture.imshow(preview)
    picture.set_axis_off()
    shown = subjects[:SUBJECTS]
    turns = zip(shown, [*shown[1:], shown[0]], strict=True)
    titles = (f"{SAMPLES} x ({own}, reconstructed, as {other})" for own, other in turns)
    picture.set_title(", ".join(titles), fontsize=8)
    figure.savefig(path, metadata={"Software": None})
