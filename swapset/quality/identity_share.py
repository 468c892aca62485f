"""How often a fake shows the donor: Mask-SSIM means little where it does not.

Mask-SSIM is highest for a face that was not swapped at all. The share of frames whose embedding is
nearer the donor than the target stands beside it; scores are compared only where it is high. What
is no face any more is near to neither, and yet nearer to one: only the distance tells.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

ENOUGH = 0.9
"""Share of donor frames from which on Mask-SSIMs are compared."""


def identity_donor(embeddings: npt.ArrayLike, target: npt.ArrayLike, donor: npt.ArrayLike) -> float:
    """Return the share of frames that are nearer the donor than the target.

    Parameters
    ----------
    embeddings : (n, d) array-like
        Embeddings of the fake's frames; rows with NaN (no face) are left out.
    target, donor : (d,) array-like
        References of the two subjects (`swapset.faces.identity.reference`).

    Returns
    -------
    float
        In [0, 1]; NaN if no frame is left. A frame equally near to both counts as the target's.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    vectors = np.asarray(embeddings, np.float64)
    to, fro = np.asarray(donor, np.float64), np.asarray(target, np.float64)
    if vectors.ndim != 2 or to.shape != vectors.shape[1:] or fro.shape != vectors.shape[1:]:
        raise ValueError(f"embeddings {vectors.shape} do not fit {fro.shape} and {to.shape}")
    vectors = vectors[np.isfinite(vectors).all(axis=1)]
    if not len(vectors):
        return float("nan")
    to_donor = np.linalg.norm(vectors - to, axis=1)
    to_target = np.linalg.norm(vectors - fro, axis=1)
    return float((to_donor < to_target).mean())


def donor_distance(embeddings: npt.ArrayLike, donor: npt.ArrayLike) -> float:
    """Return the mean distance of embeddings (n, d) from a donor's (d,); NaN rows are left out.

    NaN if no frame is left.
    """
    vectors = np.asarray(embeddings, np.float64)
    distances = np.linalg.norm(vectors - np.asarray(donor, np.float64), axis=1)
    distances = distances[np.isfinite(distances)]
    return float(distances.mean()) if len(distances) else float("nan")
