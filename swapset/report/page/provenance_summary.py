"""Totals over the provenance of a dataset."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from swapset.errors import DataError


@dataclass
class ProvenanceSummary:
    """Totals over `provenance.jsonl`.

    Attributes
    ----------
    videos : Counter
        Videos by (kind, compression); the kind is "real" or a method.
    licences : dict of str to set of str
        Source clips by licence.
    restricted : set of str
        Source clips that may not be redistributed.
    models : set of str
        SHA-256 of the models used.
    config_hashes, software : set of str
    """

    videos: Counter[tuple[str, str]] = field(default_factory=Counter)
    licences: dict[str, set[str]] = field(default_factory=dict)
    restricted: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    config_hashes: set[str] = field(default_factory=set)
    software: set[str] = field(default_factory=set)

    def add(self, record: dict) -> None:
        """Count one video's record."""
        self.videos[record.get("method", "real"), record["compression"]] += 1
        self.config_hashes.add(record["config_hash"])
        self.software.add(record["software"])
        if record.get("model_sha256"):
            self.models.add(record["model_sha256"])
        for source in record["sources"]:
            self.licences.setdefault(source["licence"], set()).add(source["clip"])
            if not source["redistribute"]:
                self.restricted.add(source["clip"])

    def videos_table(self) -> pd.DataFrame:
        """Return the number of videos by kind (rows) and compression (columns)."""
        kinds = list(dict.fromkeys(kind for kind, _ in self.videos))
        compressions = list(dict.fromkeys(compression for _, compression in self.videos))
        rows = [[kind, *(self.videos[kind, c] for c in compressions)] for kind in kinds]
        return pd.DataFrame(rows, columns=["kind", *compressions])

    def licences_table(self) -> pd.DataFrame:
        """Return the number of source clips by licence, and how many may be redistributed."""
        rows = [
            (licence, len(clips), len(clips - self.restricted))
            for licence, clips in sorted(self.licences.items())
        ]
        return pd.DataFrame(rows, columns=["licence", "clips", "redistributable"])


def summarise(path: Path) -> ProvenanceSummary:
    """Read `provenance.jsonl` line by line.

    Raises
    ------
    DataError
        If a line is not a record of a video.
    """
    summary = ProvenanceSummary()
    with path.open(encoding="utf-8") as stream:
        for line, text in enumerate(stream, 1):
            try:
                summary.add(json.loads(text))
            except (ValueError, KeyError) as error:
                raise DataError(
                    f"{path}, line {line}: is not a provenance record; delete the file"
                ) from error
    return summary
