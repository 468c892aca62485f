"""Draw held-out faces with their landmarks, so that a person can judge an extractor."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from swapset.extractors.bank import FaceBank
from swapset.extractors.base import Extractor
from swapset.extractors.nme import nme
from swapset.extractors.training import find
from swapset.io.files import atomic_output, write_empty
from swapset.types import Image, Points

COLUMNS, ROWS = 4, 3
SHOWN = COLUMNS * ROWS
SIDE = 320
LABELLED, PREDICTED = (0, 220, 0), (255, 40, 40)
_SHIFT = 4  # cv2 draws at fractions of a pixel


def write_preview(path: Path, extractor: Extractor, bank: FaceBank | None) -> None:
    """Write a PNG of a few faces: labelled landmarks green, predicted ones red, with the NME.

    Parameters
    ----------
    path : Path
    extractor : Extractor
    bank : FaceBank or None
        None: an empty file is written.
    """
    if bank is None:
        write_empty(path)
        return
    index = torch.linspace(0, len(bank) - 1, min(SHOWN, len(bank))).round().long()
    few = FaceBank(bank.faces[index.to(bank.faces.device)], bank.points[index], bank.side, 0)
    predicted, truth = find(extractor, few), few.points.numpy()
    rim = (few.faces.shape[-1] - few.side) // 2
    crops = few.faces[:, :, rim : rim + few.side, rim : rim + few.side]
    faces = crops.permute(0, 2, 3, 1).cpu().numpy()
    errors = nme(predicted, truth)
    tiles = [drawn(*each) for each in zip(faces, truth, predicted, errors, strict=True)]
    with atomic_output(path) as scratch:
        cv2.imwrite(str(scratch), cv2.cvtColor(_grid(tiles), cv2.COLOR_RGB2BGR))


def drawn(face: Image, truth: Points, predicted: Points, error: float) -> Image:
    """Draw both sets of landmarks and the error into an enlarged face.

    Parameters
    ----------
    face : (S, S, 3) uint8, RGB
    truth, predicted : (K, 2) float32
        x, y in pixels of the face; NaN = not drawn.
    error : float
        NME.

    Returns
    -------
    (320, 320, 3) uint8, RGB
    """
    scale = SIDE / len(face)
    tile = cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    for points, colour, radius in ((truth, LABELLED, 2.5), (predicted, PREDICTED, 1.5)):
        for point in (points[np.isfinite(points).all(1)] + 0.5) * scale - 0.5:
            x, y = (round(float(value) * 2**_SHIFT) for value in point)
            size = int(radius * 2**_SHIFT)
            cv2.circle(tile, (x, y), size, colour, -1, cv2.LINE_AA, _SHIFT)
    where = (6, SIDE - 8)
    cv2.putText(tile, f"{error:.3f}", where, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1)
    return np.asarray(tile)


def _grid(tiles: list[Image]) -> Image:
    columns = min(COLUMNS, len(tiles))
    tiles = tiles + [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[k : k + columns], 1) for k in range(0, len(tiles), columns)]
    return np.concatenate(rows)
