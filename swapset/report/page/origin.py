"""The report's section on origin: software, models, videos and licences."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from swapset.report.page.provenance_summary import ProvenanceSummary
from swapset.report.page.section import Section
from swapset.report.page.tables import Table, table


@dataclass(frozen=True)
class Origin(Section):
    """Totals over `dataset/provenance.jsonl`."""

    name = "origin"
    title = "Origin"
    facts: Table
    videos: Table
    licences: Table


def origin(provenance: ProvenanceSummary) -> Origin:
    """Return the section, from the summary of `provenance.jsonl`."""
    facts = [
        ("software", ", ".join(sorted(provenance.software))),
        ("hash of the config", ", ".join(sorted(provenance.config_hashes))),
        ("models", f"{len(provenance.models):,}"),
        ("videos", f"{sum(provenance.videos.values()):,}"),
    ]
    return Origin(
        table(pd.DataFrame(facts, columns=["what", "value"])),
        table(provenance.videos_table()),
        table(provenance.licences_table()),
    )
