"""The report's section on models that were trained on protected clips."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from swapset.report.page.markup import Markup, element, joined, table
from swapset.report.page.pictures import figure

_HEADS = {"source": "extractor", "role": "protected person is", "nme": "NME"}


def protected_section(root: Path, measures: Path, picture: Path) -> Markup:
    """Return what noise on training clips does to fakes.

    Parameters
    ----------
    root : Path
        The build's folder.
    measures, picture : Path
        `tables/protected_training.csv` and `figures/protected_training.png`.
    """
    rows = pd.read_csv(measures, keep_default_na=False, na_values=[""])
    return joined(
        [
            element("h2", "Models trained on protected clips"),
            element(
                "p",
                "Somebody gathers clips of a protected person, finds landmarks in them by the "
                "extractor, and trains a pair's model on the faces that these align. With attack "
                "'none' the clips are clean and all else is the same. Nearer to the donor than "
                "to the target (identity_donor) may be what is no face at all: donor_distance, "
                "below 0.6 for one person, tells. NME: error of these landmarks; face_shaped: the "
                "share of frames in which they look like a face at all, which is what is left to "
                "somebody who checks.",
            ),
            table(rows, _HEADS),
            figure(picture, root, "Swaps", "Each column is one model."),
        ]
    )
