"""Facts about a fit for the detector's card: people, conditions, and validated thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from swapset.detection.conditions import conditions, usual
from swapset.detection.protocol import AT_ONCE
from swapset.detection.statistics.operating_points import validation_points
from swapset.detection.store import StoredSamples
from swapset.detectors.base import Detector
from swapset.types import Floats


def trained_on(
    training: StoredSamples, splits: pd.DataFrame, folders: Sequence[Path], fold: int, *, demo: bool
) -> dict[str, Any]:
    """Return what a detector was fitted on.

    Parameters
    ----------
    training : StoredSamples
    splits : DataFrame
        See `swapset.detection.protocol`.
    folders : sequence of Path
        Stores of the faces, `…/<kind>/<compression>/<block>`.
    fold : int
    demo : bool
        Whether the clips are the demo's.

    Returns
    -------
    dict
        datasets, compressions, people (their number, None if they are not known), demo, and
        conditions, see `swapset.detection.conditions.usual`.
    """
    kinds = list(dict.fromkeys(folder.parent.parent.name for folder in folders))
    return {
        "datasets": [kind for kind in kinds if kind != "real"] or kinds,
        "compressions": list(dict.fromkeys(folder.parent.name for folder in folders)),
        "people": count_people(splits, kinds, fold, "train"),
        "demo": demo,
        "conditions": usual(np.array([conditions(training[k]) for k in range(len(training))])),
    }


def validated_on(
    detector: Detector,
    validation: StoredSamples,
    splits: pd.DataFrame,
    folders: Iterable[Path],
    fold: int,
) -> dict[str, Any]:
    """Return the thresholds that a detector's scores of its validation people ask for.

    Parameters
    ----------
    detector : Detector
        Fitted.
    validation : StoredSamples
    splits, folders, fold
        As in `trained_on`.

    Returns
    -------
    dict
        people (their number, None if they are not known), videos, and points by level, see
        `swapset.detection.statistics.operating_points.validation_points`.
    """
    kinds = list(dict.fromkeys(folder.parent.parent.name for folder in folders))
    table = pd.DataFrame(
        {
            "video": validation.videos.astype(str),
            "frame": np.arange(len(validation)),
            "label": validation.labels,
            "score": _scores(detector, validation),
        }
    )
    return {
        "people": count_people(splits, kinds, fold, "val"),
        "videos": int(table["video"].nunique()),
        "points": validation_points(table),
    }


def _scores(detector: Detector, samples: StoredSamples) -> Floats:
    scores = [
        detector.score_faces([samples[k] for k in range(start, min(start + AT_ONCE, len(samples)))])
        for start in range(0, len(samples), AT_ONCE)
    ]
    return np.concatenate([np.zeros(0), *scores])


def count_people(splits: pd.DataFrame, kinds: Sequence[str], fold: int, role: str) -> int | None:
    """Return the number of people in a part of a fold; None if they are not known by name.

    Parameters
    ----------
    splits : DataFrame
        See `swapset.detection.protocol`.
    kinds : sequence of str
        Kinds of videos.
    fold : int
    role : {"train", "val", "test"}
    """
    inside = (splits["fold"] == fold) & (splits["role"] == role) & splits["kind"].isin(kinds)
    rows = splits[inside]
    names = (set(rows["target"]) | set(rows["donor"])) - {""}
    return len(names) or None
