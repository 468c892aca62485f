"""The report's section on clips: accepted and rejected clips, with the reasons."""

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
"""The verdicts on clips, as in `accepted/<subject>.json`."""


@dataclass(frozen=True)
class Clips(Section):
    """Numbers of clips by verdict, the rejected clips (None if there are none), and all clips."""

    name = "clips"
    title = "Clips"
    counts: Table
    rejected: Table | None
    every: Table


def clips(verdicts: Verdicts) -> Clips:
    """Return the section, from the verdict on each clip."""
    rejected = [clip for clip in verdicts if not clip["accepted"]]
    reasons = Counter(clip["reason"] for clip in rejected)
    counts = [("accepted", len(verdicts) - len(rejected))]
    counts += [(f"rejected: {reason}", count) for reason, count in reasons.most_common()]
    return Clips(
        table(pd.DataFrame(counts, columns=["verdict", "clips"])),
        _table(rejected, _REJECTED) if rejected else None,
        _table(verdicts, _EVERY),
    )


def _table(verdicts: Verdicts, columns: list[str]) -> Table:
    rows = [[clip[column] for column in columns] for clip in verdicts]
    return table(pd.DataFrame(rows, columns=columns))
