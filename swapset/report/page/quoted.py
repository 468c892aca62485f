"""The report's section with the chapter's numbers, separate from the build's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from swapset.report.page import dataset, quality
from swapset.report.page.section import Section
from swapset.report.page.tables import Table, table
from swapset.report.quoted import CAPTIONS, SOURCE

_HEADS = dataset.HEADS | quality.HEADS


@dataclass(frozen=True)
class Quoted(Section):
    """The chapter's tables, each with its caption."""

    name = "quoted"
    title = "Quoted from the chapter"
    tables: Sequence[tuple[str, Table]]
    source: str = SOURCE


def quoted(paths: Sequence[Path]) -> Quoted:
    """Return the section.

    Parameters
    ----------
    paths : sequence of Path
        `tables/quoted/*.csv`.
    """
    return Quoted([(CAPTIONS.get(path.stem, path.stem), _table(path)) for path in paths])


def _table(path: Path) -> Table:
    # Read as text, so that "17.3k" stays as printed.
    return table(pd.read_csv(path, dtype=str, keep_default_na=False), _HEADS)
