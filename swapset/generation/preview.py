"""Pictures of a training that a person can judge: faces as they go in and as they come out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from swapset.generation.augment import FaceBank, centre_crop
from swapset.generation.autoencoder import SwapAutoencoder

Image = npt.NDArray[np.uint8]
SAMPLES = 3
"""Faces of each subject in a preview row."""


@torch.inference_mode()
def preview_row(model: SwapAutoencoder, banks: Mapping[str, FaceBank], resolution: int) -> Image:
    """Return source, reconstruction and swap of a few faces of both subjects, side by side.

    Returns
    -------
    (R, 6 * SAMPLES * R, 3) uint8, RGB
        For each subject and sample: the face, the same through its own decoder, and through the
        other's.
    """
    pictures = []
    for own, other in zip(banks, reversed(list(banks)), strict=True):
        bank = banks[own]
        index = torch.linspace(0, len(bank.faces) - 1, SAMPLES).round().long()
        faces = centre_crop(bank, index.to(bank.faces.device), resolution)
        triple = torch.stack([faces, model(faces, own), model(faces, other)], dim=1)
        pictures.append(triple.flatten(0, 1))
    row = torch.cat(pictures).mul(255).round().clamp(0, 255).to(torch.uint8)
    return np.concatenate(list(row.permute(0, 2, 3, 1).cpu().numpy()), axis=1)


def stacked(rows: list[Image]) -> Image:
    """Return preview rows one under the other, the earliest on top."""
    return np.concatenate(rows, axis=0)


def loss_picture(losses: pd.DataFrame, preview: Image, path: Path) -> None:
    """Write one PNG: the loss of both subjects over the steps, above the preview.

    Parameters
    ----------
    losses : DataFrame
        Columns `step` and one per subject.
    preview : (H, W, 3) uint8, RGB
    path : Path
    """
    from matplotlib.figure import Figure

    height, width = preview.shape[:2]
    inches = width / 150
    figure = Figure(figsize=(inches, inches * height / width + 2.4), dpi=150, layout="constrained")
    curve, picture = figure.subplots(2, 1, height_ratios=[2.0, inches * height / width])
    for subject in losses.columns[1:]:
        smooth = losses[subject].ewm(span=max(2, len(losses) // 50)).mean()
        curve.plot(losses["step"], smooth, label=subject)
    curve.set(xlabel="step", ylabel="L1", yscale="log")
    curve.legend()
    picture.imshow(preview)
    picture.set_axis_off()
    first, second = losses.columns[1:]
    picture.set_title(
        f"{SAMPLES} x ({first}, reconstructed, as {second}), "
        f"{SAMPLES} x ({second}, reconstructed, as {first})",
        fontsize=8,
    )
    figure.savefig(path, metadata={"Software": None})
