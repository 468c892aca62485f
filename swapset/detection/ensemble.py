"""The AUC of the folds' detectors together, where several of them score the same videos.

It is the AUC of their mean score, and usually higher than the mean of their AUCs: a detector that
one can have is worse than several together. Tables give it beside the AUC, in a column of its own.
"""

from __future__ import annotations

import pandas as pd

from swapset.detection.auc import auc
from swapset.detection.statistics.levels import Faceless, at_level


def ensemble_scores(scores: pd.DataFrame) -> pd.DataFrame | None:
    """Return each frame's mean over the detectors that scored it.

    Parameters
    ----------
    scores : DataFrame
        See `swapset.detection.protocol.score_stores`.

    Returns
    -------
    DataFrame or None
        Columns video, frame, label, score; None unless several detectors scored every video.
    """
    if scores["fold"].nunique() < 2 or scores.groupby("video")["fold"].nunique().min() < 2:
        return None
    return scores.groupby(["video", "frame", "label"])["score"].mean().reset_index()


def ensemble_auc(scores: pd.DataFrame, level: str, faceless: Faceless = "middle") -> float:
    """Return the AUC of the detectors together; NaN where they do not score the same videos.

    Parameters
    ----------
    scores : DataFrame
        See `swapset.detection.protocol.score_stores`.
    level : {"frame", "video"}
    faceless : {"middle", "exclude", "real"}
        See `swapset.detection.statistics.levels.at_level`.
    """
    together = ensemble_scores(scores)
    scored = None if together is None else at_level(together, level, faceless)
    return auc(scored) if scored and scored.both else float("nan")
