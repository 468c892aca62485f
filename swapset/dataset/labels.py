"""Frame-by-frame labels of a fake: whether a frame is swapped, where, and under which mask."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from swapset.errors import DataError
from swapset.io.files import atomic_output
from swapset.types import Floats

SCHEMA = pa.schema(
    [
        pa.field("frame", pa.int32(), metadata={"about": "index in the video, from 0"}),
        pa.field("swapped", pa.bool_(), metadata={"about": "false: no face, frame left as it was"}),
        pa.field(
            "transform",
            pa.list_(pa.float64()),
            metadata={"about": "a, b, x, c, d, y: frame pixels to aligned crop, rows of [A | t]"},
        ),
        pa.field(
            "mask",
            pa.list_(pa.float32()),
            metadata={"about": "outline of the mask in frame pixels: x0, y0, x1, y1, ..."},
        ),
        pa.field(
            "feather",
            pa.float32(),
            metadata={"about": "pixels inside the outline over which alpha rises from 0 to 1"},
        ),
    ]
)


@dataclass(frozen=True)
class FrameLabel:
    """The label of one frame.

    Attributes
    ----------
    frame : int
        Index in the clip, from 0.
    swapped : bool
        False: no face was found (or the network's mask is empty), and the frame is the original's.
    transform : (2, 3) float64 or None
        Similarity transform from frame to aligned crop, in pixels.
    outline : (p, 2) float64 or None
        Outline of the mask, x, y in frame pixels; alpha is 0 outside.
    feather : float
        Width in pixels over which alpha rises to 1 inside the outline.
    """

    frame: int
    swapped: bool
    transform: Floats | None = None
    outline: Floats | None = None
    feather: float = 0.0


def write_labels(path: Path, labels: Iterable[FrameLabel], facts: dict[str, Any]) -> None:
    """Write a fake's frame labels to a Parquet file.

    Parameters
    ----------
    path : Path
        The file.
    labels : iterable of FrameLabel
        One label per frame; none for a fake that could not be made.
    facts : dict
        JSON values about the fake, for the file's metadata; `reason` tells why it was not made.
    """
    rows = [
        {
            "frame": label.frame,
            "swapped": label.swapped,
            "transform": None if label.transform is None else label.transform.ravel().tolist(),
            "mask": None
            if label.outline is None
            else label.outline.astype(np.float32).ravel().tolist(),
            "feather": label.feather if label.swapped else None,
        }
        for label in labels
    ]
    schema = SCHEMA.with_metadata({"swapset": json.dumps(facts, sort_keys=True)})
    with atomic_output(path) as scratch:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), scratch, compression="zstd")


def read_labels(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """Read a fake's frame labels and facts.

    Raises
    ------
    DataError
        If the file is missing, damaged or not a file of labels.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: not a file of labels ({error})") from error
    return table, _facts(path, table.schema)


def read_label_facts(path: Path) -> dict[str, Any]:
    """Read only a fake's facts.

    Raises
    ------
    DataError
        If the file is missing, damaged or not a file of labels.
    """
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: not a file of labels ({error})") from error
    return _facts(path, schema)


def _facts(path: Path, schema: pa.Schema) -> dict[str, Any]:
    stored = (schema.metadata or {}).get(b"swapset")
    if stored is None:
        raise DataError(f"{path}: was not written by swapset")
    return json.loads(stored)
