"""Readers of labelled faces by the name of their layout."""

from __future__ import annotations

from pathlib import Path

from swapset.errors import ConfigError
from swapset.extractors.labels.csv_file import read_csv
from swapset.extractors.labels.faces import LabelledFaces
from swapset.extractors.labels.w300 import read_300w
from swapset.extractors.labels.wflw import read_wflw

LAYOUTS = ("wflw", "300w", "csv")


def read_labels(layout: str, root: Path, lists: Path | None = None) -> LabelledFaces:
    """Read labelled faces.

    Parameters
    ----------
    layout : {"wflw", "300w", "csv"}
    root : Path
        Folder of the pictures, or the CSV file.
    lists : Path, optional
        Folder of WFLW's lists, if it is not inside root.

    Raises
    ------
    ConfigError
        If the layout is unknown, or lists are set for another layout than WFLW.
    DataError
        Naming the wrong file and line.
    """
    if layout not in LAYOUTS:
        raise ConfigError(
            f"labels.layout: {layout!r} is not allowed: it is unknown; choose from "
            f"{', '.join(LAYOUTS)}"
        )
    if layout == "wflw":
        return read_wflw(root, lists)
    if lists is not None:
        raise ConfigError(f"labels: 'lists' is for wflw; {layout} has none, leave it out")
    return read_300w(root) if layout == "300w" else read_csv(root)
