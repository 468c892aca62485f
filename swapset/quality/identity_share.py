"""Measure how often a fake shows the donor, which Mask-SSIM alone does not tell.

Mask-SSIM is highest for a face that was not swapped at all. Therefore the share of frames with an
embedding nearer the donor than the target is given beside it, and scores are compared only where
that share is high. A picture that is no longer a face is far from both people but still nearer to
one of them; only the distance shows this.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

ENOUGH = 0.9
"""Smallest share of donor frames at which Mask-SSIMs are compared."""


def identity_donor(embeddings: npt.ArrayLike, target: npt.ArrayLike, donor: npt.ArrayLike) -> float:
    """Return the share of frames that are nearer the donor than the target.

    Parameters
    ----------
    embeddings : (n, d) array-like
        Float embeddings of the fake's frames; rows with NaN (no face) are left out.
    target, donor : (d,) array-like
        Reference embeddings of the two subjects, see `swapset.faces.identity.reference`.

    Returns
    -------
    float
        In [0, 1]; NaN if no frame has an embedding. A frame equally near to both counts as the
        target's.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    vectors = np.asarray(embeddings, np.float64)
    donor, target = np.asarray(donor, np.float64), np.asarray(target, np.float64)
    if vectors.ndim != 2 or {donor.shape, target.shape} != {vectors.shape[1:]}:
        raise ValueError(f"embeddings {vectors.shape} do not fit {target.shape} and {donor.shape}")
    vectors = vectors[np.isfinite(vectors).all(axis=1)]
    if not len(vectors):
        return float("nan")
    to_donor = np.linalg.norm(vectors - donor, axis=1)
    to_target = np.linalg.norm(vectors - target, axis=1)
    return float((to_donor < to_target).mean())


def donor_distance(embeddings: npt.ArrayLike, donor: npt.ArrayLike) -> float:
    """Return the mean Euclidean distance of float embeddings (n, d) from a donor's (d,).

    Rows with NaN (no face) are left out; the result is NaN if all are.
    """
    vectors = np.asarray(embeddings, np.float64)
    distances = np.linalg.norm(vectors - np.asarray(donor, np.float64), axis=1)
    distances = distances[np.isfinite(distances)]
    return float(distances.mean()) if len(distances) else float("nan")
