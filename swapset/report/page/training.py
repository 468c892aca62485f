"""The report's section on training: numbers of steps, and previews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from swapset.report.page.pictures import Picture, picture
from swapset.report.page.section import Section
from swapset.report.page.tables import Table, table

_HEADS = {
    "kind": "of",
    "start": "start from",
    "saved": "steps saved by plateaus",
    "held_out": "L1 of held-out faces",
}


@dataclass(frozen=True)
class Training(Section):
    """Trainings by recipe (None if there is no table), and previews of some."""

    name = "training"
    title = "Training"
    trained: Table | None
    previews: Sequence[Picture]


def training(root: Path, trained: pd.DataFrame | None, paths: Sequence[Path]) -> Training | None:
    """Return the section, or None if there are no previews.

    Parameters
    ----------
    root : Path
        The build's folder.
    trained : DataFrame or None
        `tables/training.csv`.
    paths : sequence of Path
        Previews, `models/<recipe>/<model>.png`.
    """
    if not paths:
        return None
    caption = "Loss over the training steps, and preview."
    return Training(
        None if trained is None else table(_by_recipe(trained), _HEADS),
        [picture(path, root, f"{path.parent.name}, {path.stem}", caption) for path in paths],
    )


def _by_recipe(rows: pd.DataFrame) -> pd.DataFrame:
    """Return models, faces, steps, saved steps and L1 for each recipe, kind and start."""
    done = rows[rows["trained"]].assign(
        models=1, kind=lambda r: r["model"].where(r["model"].isin(["base", "all"]), "pair")
    )
    totals = {"models": "sum", "faces": "mean", "steps": "sum", "saved": "mean", "held_out": "mean"}
    return done.groupby(["recipe", "kind", "start"], as_index=False).agg(totals)
