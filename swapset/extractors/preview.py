"""A picture of held-out faces with their landmarks, for a person to judge an extractor by."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from swapset.extractors.bank import FaceBank
from swapset.extractors.base import Extractor
from swapset.extractors.nme import nme
from swapset.extractors.training import find
from swapset.io.files import atomic_output, write_empty

COLUMNS, ROWS = 4, 3
SHOWN = COLUMNS * ROWS
SIDE = 320
LABELLED, FOUND = (0, 220, 0), (255, 40, 40)
_SHIFT = 4  # cv2 draws at fractions of a pixel


def write_preview(path: Path, extractor: Extractor, bank: FaceBank | None) -> None:
    """Write a PNG of a few faces, labelled landmarks green and found ones red, with their NME.

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
    found, truth = find(extractor, few), few.points.numpy()
    rim = (few.faces.shape[-1] - few.side) // 2
    crops = few.faces[:, :, rim : rim + few.side, rim : rim + few.side]
    faces = crops.permute(0, 2, 3, 1).cpu().numpy()
    errors = nme(found, truth)
    tiles = [drawn(*each) for each in zip(faces, truth, found, errors, strict=True)]
    with atomic_output(path) as scratch:
        cv2.imwrite(str(scratch), cv2.cvtColor(_grid(tiles), cv2.COLOR_RGB2BGR))


def drawn(
    face: NDArray[np.uint8], truth: NDArray[np.float32], found: NDArray[np.float32], error: float
) -> NDArray[np.uint8]:
    """Return a face (S, S, 3) enlarged to 320 pixels, with both sets of landmarks (K, 2)."""
    scale = SIDE / len(face)
    tile = cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    for points, colour, radius in ((truth, LABELLED, 2.5), (found, FOUND, 1.5)):
        for point in (points[np.isfinite(points).all(1)] + 0.5) * scale - 0.5:
            x, y = (round(float(value) * 2**_SHIFT) for value in point)
            size = int(radius * 2**_SHIFT)
            cv2.circle(tile, (x, y), size, colour, -1, cv2.LINE_AA, _SHIFT)
    where = (6, SIDE - 8)
    cv2.putText(tile, f"{error:.3f}", where, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1)
    return np.asarray(tile)


def _grid(tiles: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    columns = min(COLUMNS, len(tiles))
    tiles = tiles + [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[k : k + columns], 1) for k in range(0, len(tiles), columns)]
    return np.concatenate(rows)
