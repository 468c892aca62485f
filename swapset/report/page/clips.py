"""The report's section on clips: which were accepted, and why others were not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from swapset.report.page.section import Section
from swapset.report.page.tables import Table, table

_REJECTED = ["clip", "subject", "reason", "detail"]
_EVERY = [
    *("clip", "subject", "accepted", "reason", "frames", "clip_frames", "width", "height"),
    *("fps", "face_height", "cuts", "gaps"),
]
Verdicts = Sequence[Mapping[str, Any]]
"""What `accepted/<subject>.json` says of each clip."""


@dataclass(frozen=True)
class Clips(Section):
    """Numbers of clips by verdict, the rejected ones (None if there are none), and all."""

    name = "clips"
    title = "Clips"
    counts: Table
    rejected: Table | None
    every: Table


def clips(judged: Verdicts) -> Clips:
    """Return how many clips were accepted, the rejected ones by reason, and every clip."""
    rejected = [clip for clip in judged if not clip["accepted"]]
    reasons = Counter(clip["reason"] for clip in rejected)
    counts = [("accepted", len(judged) - len(rejected))]
    counts += [(f"rejected: {reason}", count) for reason, count in reasons.most_common()]
    return Clips(
        table(pd.DataFrame(counts, columns=["verdict", "clips"])),
        _listed(rejected, _REJECTED) if rejected else None,
        _listed(judged, _EVERY),
    )


def _listed(judged: Verdicts, columns: list[str]) -> Table:
    rows = [[clip[column] for column in columns] for clip in judged]
    return table(pd.DataFrame(rows, columns=columns))
