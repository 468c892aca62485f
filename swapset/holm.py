"""P-values corrected for their number.

S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
Statistics 6(2), 1979.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from swapset.types import Floats


def holm(p_values: npt.ArrayLike) -> Floats:
    """Return p-values (k,) float64 corrected by Holm's method, in the given order.

    Parameters
    ----------
    p_values : (k,) array-like
        In [0, 1]; NaN = no test, which does not count and stays NaN.
    """
    given = np.asarray(p_values, np.float64)
    corrected = np.full(len(given), np.nan)
    known = np.flatnonzero(np.isfinite(given))
    order = known[np.argsort(given[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(given[order] * factors), 1)
    return corrected
