"""Preview pictures of a training: input faces, their reconstructions and swaps, and the losses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch

from swapset.config.recipes import TrainingRecipe
from swapset.generation.augment import plain_batch
from swapset.generation.autoencoder import SwapAutoencoder, composite, resized
from swapset.generation.bank import FaceBank
from swapset.generation.size import SAMPLES, SHOWN
from swapset.types import Image

_DPI = 150


@torch.inference_mode()
def preview_row(
    model: SwapAutoencoder, banks: Mapping[str, FaceBank], recipe: TrainingRecipe
) -> Image:
    """Return source, reconstruction and swap of a few faces of each subject, side by side.

    Parameters
    ----------
    model : SwapAutoencoder
    banks : mapping of str to FaceBank
        The faces to choose from, by subject.
    recipe : TrainingRecipe

    Returns
    -------
    (R, 3 * SAMPLES * R * n, 3) uint8 in [0, 255], RGB
        For each of n subjects and its samples: the face, the same through the subject's decoder,
        and through the next subject's. A decoder's mask blends its face over the source.
    """
    pictures = []
    shown = list(banks)[:SHOWN]
    for subject, donor in zip(shown, [*shown[1:], shown[0]], strict=True):
        bank = banks[subject]
        index = torch.linspace(0, len(bank) - 1, SAMPLES).round().long().to(bank.faces.device)
        batch = plain_batch(bank, index, recipe.resolution, recipe.input_side)
        decoded = [composite(model(batch.warped, who), batch.target) for who in (subject, donor)]
        source = resized(batch.warped, recipe.resolution)
        pictures.append(torch.stack([source, *decoded], dim=1).flatten(0, 1))
    row = torch.cat(pictures).mul(255).round().clamp(0, 255).to(torch.uint8)
    return np.concatenate(list(row.permute(0, 2, 3, 1).cpu().numpy()), axis=1)


def loss_picture(
    losses: pd.DataFrame, held_out: list[tuple[int, float]], rows: list[Image], path: Path
) -> None:
    """Write one PNG: the loss of all subjects over the steps, above the rows of the preview.

    Parameters
    ----------
    losses : DataFrame
        Columns `step` and one per subject; NaN where a step did not see a subject.
    held_out : list of (int, float)
        Step and mean loss of each look at the held-out faces.
    rows : list of (R, W, 3) uint8 in [0, 255], RGB
        The first row is on top.
    path : Path
    """
    curve = _curve(losses, held_out, rows[0].shape[1])
    height = len(curve) + sum(len(row) for row in rows)
    # The rows of long trainings take hundreds of megabytes, so they are copied only once.
    canvas, top = np.empty((height, rows[0].shape[1], 3), np.uint8), 0
    for part in (curve, *rows):
        canvas[top : top + len(part)] = part[..., ::-1]  # OpenCV writes BGR
        top += len(part)
    path.write_bytes(cv2.imencode(".png", canvas)[1].data)


def _curve(losses: pd.DataFrame, held_out: list[tuple[int, float]], width: int) -> Image:
    """Return the losses over the steps as a picture (H, width, 3), titled for the preview."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / _DPI, 2.4), dpi=_DPI, layout="constrained")
    axes, subjects = figure.subplots(), list(losses.columns[1:])
    for subject in subjects:
        smooth = losses[subject].ewm(span=max(2, len(losses) // 50)).mean()
        axes.plot(losses["step"], smooth, label=subject)
    if held_out:
        axes.plot(*zip(*held_out, strict=True), "k--", label="held out")
    shown = subjects[:SHOWN]
    pairs = zip(shown, [*shown[1:], shown[0]], strict=True)
    titles = (f"{SAMPLES} x ({subject}, reconstructed, as {donor})" for subject, donor in pairs)
    axes.set(xlabel="step", ylabel="L1", yscale="log")
    axes.legend(fontsize=7, ncols=1 + len(subjects) // 8)
    figure.supxlabel(", ".join(titles), fontsize=8)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba())[:, :width, :3]
    return np.pad(drawn, ((0, 0), (0, width - drawn.shape[1]), (0, 0)), mode="edge")
