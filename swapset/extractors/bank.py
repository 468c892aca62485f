"""Faces for the training of an extractor: cut out once, with a margin, and stored as uint8."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from swapset.errors import DataError, MediaError
from swapset.extractors.base import Extractor
from swapset.extractors.crops import cut_squares, to_crop
from swapset.extractors.labels.faces import LabelledFaces
from swapset.extractors.schedules import Variation
from swapset.io.files import atomic_output
from swapset.media.picture import decode_picture
from swapset.types import Frames, Image

_SHARE_OF_GPU = 0.4
"""All faces are kept on a GPU if they fill no more than this share of its free memory."""


@dataclass(frozen=True)
class FaceBank:
    """Faces cut out for one extractor.

    Attributes
    ----------
    faces : (n, 3, M, M) uint8, RGB
        The middle S×S pixels are the extractor's crop; the rest are real surroundings for turns,
        zooms and shifts. On the device if they fit, else in a file or in memory.
    points : (n, K, 2) float32
        Landmarks x, y in pixels of the extractor's crop.
    side : int
        S; M - S is even.
    fill : float
        Value of pixels outside of a picture, in [0, 255].
    """

    faces: Tensor
    points: Tensor
    side: int
    fill: float

    def __len__(self) -> int:
        return len(self.faces)

    def take(self, index: Tensor, device: torch.device) -> Tensor:
        """Return the faces (B, 3, M, M) uint8 of an index (B,) int64 on a device.

        The index is on the CPU.
        """
        return self.faces[index.to(self.faces.device)].to(device)


def margin_of(variation: Variation) -> float:
    """Return the side of the largest square that a variation can show, in sides of its crop.

    Of bends, which have no limit, it holds all but the rarest.
    """
    clipped = 2 if variation.law == "normal" else 1
    # A turned square is widest at 45 degrees.
    angle = math.radians(min(clipped * variation.turn, 45.0)) if variation.turned else 0.0
    widest = (1 + variation.scale) * (math.cos(angle) + math.sin(angle))
    widest *= math.exp(variation.stretch) + variation.stretch / 2
    return widest + 2 * variation.shift + 4 * variation.bend


def cut_bank(
    faces: LabelledFaces,
    extractor: Extractor,
    *,
    margin: float = 1.0,
    fill: float = 0.0,
    file: Path | None = None,
    device: torch.device | str = "cpu",
    log: TextIO | None = None,
) -> FaceBank:
    """Cut faces out of their pictures.

    Parameters
    ----------
    faces : LabelledFaces
        At least one.
    extractor : Extractor
        Determines the crops.
    margin : float
        Side of the stored faces, in sides of the crop.
    fill : float
        Value of pixels outside of a picture, in [0, 255].
    file : Path, optional
        Stores the faces, (n, 3, M, M) uint8 in numpy's format. If an earlier job has left it, it
        is used: its name must identify the content (`bank_name`).
    device : torch.device or str
        Device of the bank.
    log : TextIO, optional
        Gets a progress bar.

    Raises
    ------
    DataError
        Naming a picture or file that cannot be read.
    """
    side = extractor.side
    stored = side + 2 * math.ceil((margin - 1) * side / 2)
    boxes = torch.from_numpy(faces.boxes)
    regions = extractor.regions(boxes)
    points = to_crop(torch.from_numpy(faces.points), regions, side)
    wider = regions * torch.tensor((1.0, 1.0, stored / side))
    shape = (len(faces), 3, stored, stored)
    if file is None:
        cut = np.empty(shape, np.uint8)
        _cut(faces, wider, cut, fill, log)
    else:
        if not file.exists():
            with atomic_output(file) as scratch:
                stored_faces = np.lib.format.open_memmap(
                    scratch, mode="w+", dtype=np.uint8, shape=shape
                )
                _cut(faces, wider, stored_faces, fill, log)
                stored_faces.flush()
                del stored_faces
        cut = _opened(file, shape)
    return FaceBank(_placed(torch.from_numpy(cut), torch.device(device)), points, side, fill)


def bank_name(faces: LabelledFaces, extractor: Extractor, *facts: object) -> str:
    """Return a name that changes with the labels, the pictures and how they are cut.

    Parameters
    ----------
    faces : LabelledFaces
    extractor : Extractor
    *facts
        Further values that change the stored faces, such as the margin.
    """
    text = "\0".join(map(str, (faces.fingerprint(), extractor.name, extractor.side, *facts)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_labelled_picture(path: Path) -> Image:
    """Return a picture (H, W, 3) uint8, RGB; grey and 16-bit ones are converted, alpha is left out.

    Its orientation in the metadata is ignored, as landmarks count the pixels in stored order.

    Raises
    ------
    DataError
        If it cannot be read, or is larger than 100 megapixels or 300 MB.
    """
    try:
        return decode_picture(path, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    except MediaError as error:
        raise DataError(f"{error}; replace it or remove its line") from error


def _cut(
    faces: LabelledFaces,
    regions: Tensor,
    into: Frames,
    fill: float,
    log: TextIO | None,
) -> None:
    path, frame = None, torch.empty(0)
    for number in tqdm(range(len(faces)), "cutting", file=log, mininterval=2, unit="face"):
        if faces.images[number] != path:
            path = faces.images[number]
            frame = torch.from_numpy(read_labelled_picture(path)).permute(2, 0, 1)[None]
        region, side = regions[number : number + 1], into.shape[-1]
        crop = cut_squares(frame, region, side)
        if fill:
            crop += fill * (1 - cut_squares(torch.ones_like(frame[:, :1]), region, side))
        into[number] = crop[0].round().clamp(0, 255).to(torch.uint8).numpy()


def _opened(file: Path, shape: tuple[int, ...]) -> Frames:
    try:
        # Copy on write, because torch warns of read-only arrays.
        kept = np.load(file, mmap_mode="c", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{file}: holds no faces ({error})") from error
    if kept.shape != shape or kept.dtype != np.uint8:
        raise DataError(f"{file}: holds other faces")
    return np.asarray(kept)


def _placed(faces: Tensor, device: torch.device) -> Tensor:
    if device.type != "cuda":
        return faces
    free, _ = torch.cuda.mem_get_info(device)
    return faces.to(device) if faces.nbytes <= _SHARE_OF_GPU * free else faces
