"""Groups of faces with like expressions, found from landmarks and shared by all people.

Textures of the same number start from the same expression in all people, so that the encoder's
mixture means the same for everyone. Rare expressions, such as blinks, can be drawn more often.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from scipy.cluster.vq import kmeans
from torch import Tensor

from swapset.faces.align import narrower_drop
from swapset.generation.bank import FaceBank
from swapset.generation.crops import middle
from swapset.types import Floats, Floats32, Points

SPREADS = (0.035, 0.03, 0.05, 0.025, 0.03, 0.03, 0.035)
"""Unit of each of the values of `describe`: a typical standard deviation within a talking person,
and half of it for the eyes, so that closed ones have groups of their own."""
FARTHEST = 12.0
"""Largest absolute value of `describe`. Wrong landmarks would else have groups of their own, or no
numbers where points coincide; faces of real clips were within 10.5."""
_EYES, _MOUTH, _TURN = 0, 1, 4
_CLOSED = -7.0
"""Value of closed eyes in `describe`, as of people without glasses."""
_BLINKING = 0.03
"""Share of a talking person's frames with closed eyes."""
_HIDDEN = 4.0
"""Largest factor on the movement of lids. Behind glasses, landmarks follow them by a quarter;
without a bound, somebody who never blinks would have noise for blinks."""
NEAREST = 24
"""Most faces that are averaged for the start of a texture."""
_TRIES = 10
_LARGEST = 4096
"""Most faces of all people that the groups are found from."""


def describe(points: Points) -> Floats32:
    """Describe each face's expression and pose by numbers whose distances tell groups apart.

    Parameters
    ----------
    points : (N, 68, 2) float32
        Landmarks x, y in pixels of aligned faces.

    Returns
    -------
    (N, 7) float32
        Opening of the eyes and of the mouth, width of the mouth, height of the brows, turn to the
        side and up, and lift of the mouth's corners, in units of `SPREADS`. 0 is a closed mouth,
        a frontal face, eyes as open as the person's usually are, and the person's median else:
        somebody who always talks has no other closed mouth than somebody who is silent. Eyes that
        seem to move less than other people's, as behind glasses, are taken to close as far.
    """
    p = np.asarray(points, np.float64)
    width = _distance(p, 36, 45)
    eyes = [_distance(p, i + 1, i + 5) + _distance(p, i + 2, i + 4) for i in (36, 42)]
    widths = [2 * _distance(p, i, i + 3) for i in (36, 42)]
    openings = [_ratio(both, across) for both, across in zip(eyes, widths, strict=True)]
    mouth = np.mean([_distance(p, i, j) for i, j in ((61, 67), (62, 66), (63, 65))], axis=0)
    brows = p[:, 36:48, 1].mean(axis=1) - p[:, 17:27, 1].mean(axis=1)
    nose = p[:, 30] - (p[:, 36] + p[:, 45]) / 2
    corners = (p[:, 48, 1] + p[:, 54, 1]) / 2 - p[:, 51, 1]
    lengths = [mouth, _distance(p, 48, 54), brows, nose[:, 0], nose[:, 1], corners]
    values = np.stack(
        [np.mean(openings, axis=0), *(_ratio(each, width) for each in lengths)], axis=1
    )
    usual = np.median(values, axis=0)
    usual[_EYES] = np.quantile(values[:, _EYES], 0.75)
    usual[[_MOUTH, _TURN]] = 0
    values = (values - usual) / SPREADS
    lowest = min(float(np.quantile(values[:, _EYES], _BLINKING)), -1e-6)
    closing = values[:, _EYES] < 0
    values[closing, _EYES] *= np.clip(_CLOSED / lowest, 1, _HIDDEN)
    return values.clip(-FARTHEST, FARTHEST).astype(np.float32)


def _ratio(lengths: Floats, width: Floats) -> Floats:
    """Return lengths (N,) over widths (N,), which wrong landmarks may leave at zero."""
    return lengths / np.maximum(width, 1e-6)


def _distance(points: Floats, one: int, other: int) -> Floats:
    return np.linalg.norm(points[:, one] - points[:, other], axis=1)


def group_centres(banks: Mapping[str, FaceBank], count: int, seed: int) -> Tensor:
    """Return the centres of groups of like expressions, found by k-means over all people.

    Parameters
    ----------
    banks : mapping of str to FaceBank
        Faces with their expressions. Everybody has the same weight, however many faces.
    count : int
        Number of groups, K.
    seed : int

    Returns
    -------
    (K, 7) float32
        In the units of `describe`; with fewer different faces than groups, some are equal.
    """
    each = max(1, min(_LARGEST // len(banks), max(map(len, banks.values()))))
    parts = []
    for bank in banks.values():
        places = np.linspace(0, len(bank) - 1, each).round().astype(int)
        parts.append(_expressions(bank).double().numpy()[places])
    faces = np.concatenate(parts)
    different = len(np.unique(faces, axis=0))
    found, _ = kmeans(faces, min(count, different), iter=_TRIES, rng=seed)
    return torch.from_numpy(np.resize(found, (count, faces.shape[1])).astype(np.float32))


def balanced(bank: FaceBank, centres: Tensor) -> FaceBank:
    """Return the same faces with weights by which rare expressions are drawn more often.

    A group with n faces is drawn in proportion to the square root of n: evenly drawn groups would
    repeat a few faces too often.

    Parameters
    ----------
    bank : FaceBank
        Faces with their expressions.
    centres : (K, 7) float32
    """
    group = _distances(_expressions(bank), centres).argmin(dim=1)
    sizes = torch.bincount(group, minlength=len(centres))
    weights = sizes[group].double().rsqrt().cumsum(0)
    return bank.weighted((weights / weights[-1]).float())


def mean_faces(bank: FaceBank, centres: Tensor, side: int, share: float) -> Tensor:
    """Return the mean of the faces of each group that are nearest to its centre.

    Rare groups have few of them: with others' faces, a wide-open mouth would start half closed. Of
    an empty group it is the nearest face.

    Parameters
    ----------
    bank : FaceBank
        Faces with their expressions.
    centres : (K, 7) float32
    side : int
        Side of the pictures in pixels, T.
    share : float
        Side of the pictures as a share of the stored side.

    Returns
    -------
    (K, 3, T, T) float32 in [0, 1], RGB
    """
    distances = _distances(centres, _expressions(bank))
    sizes = torch.bincount(distances.argmin(dim=0), minlength=len(centres)).clamp(1, NEAREST)
    nearest = distances.argsort(dim=1, stable=True).to(bank.faces.device)
    place = (share, narrower_drop(bank.share))
    chosen = [order[:size] for order, size in zip(nearest, sizes.tolist(), strict=True)]
    return torch.stack([middle(bank.faces[each], side, *place).mean(dim=0) for each in chosen])


def _distances(ones: Tensor, others: Tensor) -> Tensor:
    """Return the distance of each of (n, 7) to each of (m, 7), (n, m) float32.

    On the processor and without products of matrices, so that no device changes the groups.
    """
    exact = "donot_use_mm_for_euclid_dist"
    return torch.cdist(ones.cpu(), others.cpu(), compute_mode=exact)


def _expressions(bank: FaceBank) -> Tensor:
    if bank.expressions is None:
        raise ValueError("these faces were loaded without their expressions")
    return bank.expressions
