"""GrabCut on a grid aligned to the face: seeds from landmarks, colour models shared by key frames.

Other modules use `swapset.faces.head_masks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from swapset.faces.align import MEAN_FACE
from swapset.types import Bytes, Floats, Mask

# The grid: the mean face's box is UNIT cells wide and high (on a coarser grid, GrabCut's cost of a
# contour outweighs the colours, and hair is lost). The box begins MARGIN_LEFT and MARGIN_TOP sides
# from the grid's corner, to leave room for hair.
UNIT = 80
MARGIN_LEFT, MARGIN_TOP = 0.55, 0.85
CELLS = round(2.1 * UNIT)
GRID_FACE: Floats = (MEAN_FACE + [MARGIN_LEFT, MARGIN_TOP]) * UNIT - 0.5

# Ellipses (centre x, y, half axes) in sides of the face box, from its top left corner: the area
# that every head covers, the usual area of a head with hair, and the largest, with big hair.
SKULL = (0.5, 0.24, 0.46, 0.74)
LIKELY = (0.5, 0.12, 0.68, 0.86)
LARGEST = (0.5, 0.2, 0.95, 0.98)

# Number of key frames from which a shot's colours are learnt.
LEARN_FRAMES = 6
# Weights of neighbouring key frames in the average over time.
NEIGHBOURS = np.array([2, 3, 2], np.float32)
# Weight of the third channel, the distance from the head's centre, beside two colour channels: grey
# levels per half axis of LIKELY. It decides where hair and background have the same colour.
DISTANCE_WEIGHT = 25.0

_ROW, _COLUMN = np.mgrid[:CELLS, :CELLS]
_NO_BOX = (0, 0, 1, 1)
_OPENING = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))


@dataclass(frozen=True)
class Seeds:
    """Areas of a key frame's grid that follow from the landmarks.

    Attributes
    ----------
    labels : (CELLS, CELLS) uint8
        GrabCut's labels to start from.
    sure : (CELLS, CELLS) bool
        Cells that belong to the head, whatever their colour.
    below : (CELLS, CELLS) bool
        Neck and everything below the chin, which never belong to the head.
    inside : (CELLS, CELLS) bool
        Cells inside the frame.
    tip : (int, int)
        Row and column of the tip of the nose.
    chin : float
        Row of the chin.
    """

    labels: Bytes
    sure: Mask
    below: Mask
    inside: Mask
    tip: tuple[int, int]
    chin: float

    @classmethod
    def of(cls, points: Floats, inside: Mask) -> Seeds:
        """Return the seeds for landmarks on the grid.

        Parameters
        ----------
        points : (68, 2) float64
            Landmarks x, y in cells.
        inside : (CELLS, CELLS) bool
            Cells inside the frame.

        Returns
        -------
        Seeds
        """
        sure = _face(points) | (_ellipse(SKULL) & _above(points[33, 1]))
        # Cells outside the frame repeat its border, which may be hair, not background.
        labels = np.where(inside, cv2.GC_BGD, cv2.GC_PR_BGD).astype(np.uint8)
        labels[_largest()] = cv2.GC_PR_BGD
        labels[_ellipse(LIKELY)] = cv2.GC_PR_FGD
        labels[sure] = cv2.GC_FGD
        column, row = np.clip(np.round(points[30]), 0, CELLS - 1).astype(int)
        tip = (int(row), int(column))
        return cls(labels, sure, _below(points) & ~sure, inside, tip, float(points[8, 1]))


def cut(crops: Sequence[Bytes], seeds: Sequence[Seeds]) -> Mask:
    """Cut the heads out of a shot's key frames.

    The colour models are learnt in a single pass from a few key frames together: with further
    passes they drift until dark hair is lost to a dark background.

    Parameters
    ----------
    crops : sequence of (CELLS, CELLS, 3) uint8
        Key frames on the grid, RGB in [0, 255].
    seeds : sequence of Seeds
        Seeds of each key frame.

    Returns
    -------
    (k, CELLS, CELLS) bool
        True on the heads.
    """
    # Rows below the chin show clothes, often in the hair's colour, so the models do not see them.
    rows = min(CELLS, int(max(seed.chin for seed in seeds) + 0.08 * UNIT) + 1)
    features = _features(crops, seeds)
    chosen = np.unique(np.linspace(0, len(crops) - 1, min(len(crops), LEARN_FRAMES)).astype(int))
    stacked = np.concatenate([features[k][:rows] for k in chosen])
    labels = np.concatenate([seeds[k].labels[:rows] for k in chosen])
    background, head = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(stacked, labels, _NO_BOX, background, head, 1, cv2.GC_INIT_WITH_MASK)
    return np.stack(
        [
            _cut_one(image, seed, rows, background, head)
            for image, seed in zip(features, seeds, strict=True)
        ]
    )


def average(heads: Mask) -> Bytes:
    """Return soft masks, (k, CELLS, CELLS) uint8: heads (bool) averaged over neighbours in time."""
    total, weights = np.zeros(heads.shape, np.float32), np.zeros((len(heads), 1, 1), np.float32)
    reach = len(NEIGHBOURS) // 2
    for offset, weight in zip(range(-reach, reach + 1), NEIGHBOURS, strict=True):
        here = slice(max(0, -offset), max(0, len(heads) - max(0, offset)))
        there = slice(max(0, offset), max(0, len(heads) + min(0, offset)))
        total[here] += weight * heads[there]
        weights[here] += weight
    soft = np.round(total / weights * 255).astype(np.uint8)
    return np.stack([cv2.GaussianBlur(mask, (5, 5), 1) for mask in soft])


def _cut_one(image: Bytes, seed: Seeds, rows: int, background: Floats, head: Floats) -> Mask:
    """Cut one key frame by the learnt models; keep the piece with the nose and fill its holes."""
    labels = np.ascontiguousarray(seed.labels[:rows])
    top = np.ascontiguousarray(image[:rows])
    cv2.grabCut(top, labels, _NO_BOX, background.copy(), head.copy(), 1, cv2.GC_EVAL_FREEZE_MODEL)
    # GrabCut's labels of the foreground (sure or probable) are odd.
    mask = np.zeros((CELLS, CELLS), np.uint8)
    mask[:rows] = labels & 1
    mask[seed.below] = 0
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, _OPENING).astype(bool) | seed.sure
    _, pieces = cv2.connectedComponents(opened.astype(np.uint8), connectivity=4)
    return _fill_holes(np.asarray(pieces == pieces[seed.tip]))


def _fill_holes(mask: Mask) -> Mask:
    padded = np.pad(mask.astype(np.uint8), 1)
    cv2.floodFill(padded, None, (0, 0), 2)
    return padded[1:-1, 1:-1] != 2


def _features(crops: Sequence[Bytes], seeds: Sequence[Seeds]) -> list[Bytes]:
    """Return images of two colour channels and the distance from the head's centre.

    The colour channels are the principal components of the shot's colours after a square root,
    which brightens them so that dark hair differs from a dark background.
    """
    roots = [np.sqrt(crop * np.float32(255)) for crop in crops]
    known = np.concatenate([root[seed.inside] for root, seed in zip(roots, seeds, strict=True)])
    if not len(known):  # The face is outside the frame: any axes will do.
        known = roots[0].reshape(-1, 3)
    mean = known.mean(axis=0)
    _, axes = np.linalg.eigh(np.cov(known - mean, rowvar=False))
    axes = axes[:, :0:-1]
    axes = (axes * np.where(axes.sum(axis=0) < 0, -1, 1)).astype(np.float32)
    far = DISTANCE_WEIGHT * (np.clip(_distance(), 0.5, 1.6) - 1)
    channels = [np.dstack([(root - mean) @ axes, far.astype(np.float32)]) for root in roots]
    return [np.clip(image + 128, 0, 255).astype(np.uint8) for image in channels]


def _place(x: float, y: float) -> tuple[float, float]:
    return (x + MARGIN_LEFT) * UNIT - 0.5, (y + MARGIN_TOP) * UNIT - 0.5


def _ellipse(shape: tuple[float, float, float, float]) -> Mask:
    x, y = _place(*shape[:2])
    return np.hypot((_COLUMN - x) / shape[2], (_ROW - y) / shape[3]) <= UNIT


def _above(row: float) -> Mask:
    return row > _ROW


def _largest() -> Mask:
    """Return the largest area of a head: an ellipse, continued straight down for long hair."""
    x, y = _place(*LARGEST[:2])
    return _ellipse(LARGEST) | (~_above(y) & (np.abs(_COLUMN - x) < LARGEST[2] * UNIT))


def _distance() -> Floats:
    """Return the distance from the head's centre in half axes; it grows slowly down long hair."""
    x, y = _place(*LIKELY[:2])
    down = _ROW - y
    down = np.where(down > 0, 0.4 * down, down)
    return np.hypot((_COLUMN - x) / LIKELY[2], down / LIKELY[3]) / UNIT


def _face(points: Floats) -> Mask:
    """Return the hull of the jaw, moved in a little, and the brows, moved up to the forehead."""
    centre = points.mean(axis=0)
    jaw = centre + 0.93 * (points[:17] - centre)
    forehead = points[17:27] - [0, 0.28 * UNIT]
    return _filled(cv2.convexHull(np.concatenate([jaw, forehead]).astype(np.float32))[:, 0])


def _below(points: Floats) -> Mask:
    """Return the area under the jaw line, moved out a little, and everything below the chin."""
    centre = points.mean(axis=0)
    jaw = (centre + 1.04 * (points[:17] - centre))[2:15]
    floor = CELLS + 5.0
    neck = np.concatenate([[(jaw[0, 0], floor)], jaw, [(jaw[-1, 0], floor)]])
    return _filled(neck) | ~_above(jaw[:, 1].max())


def _filled(outline: npt.NDArray) -> Mask:
    mask = np.zeros((CELLS, CELLS), np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 1, shift=4)
    return mask.astype(bool)
