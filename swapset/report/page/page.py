"""The report: a single HTML page with a build's tables, pictures and origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from swapset import __version__
from swapset.io.files import atomic_output, read_json
from swapset.report.page.clips import Verdicts, clips
from swapset.report.page.dataset import dataset
from swapset.report.page.detectors import detectors
from swapset.report.page.expression import expression_kept
from swapset.report.page.gallery import gallery
from swapset.report.page.landmark_breaker import landmark_breaker
from swapset.report.page.matrix import matrix
from swapset.report.page.origin import origin
from swapset.report.page.outside_scores import outside_scores
from swapset.report.page.protected import protected
from swapset.report.page.provenance_summary import summarise
from swapset.report.page.quality import quality
from swapset.report.page.quoted import quoted
from swapset.report.page.robustness import robustness
from swapset.report.page.section import Section, render
from swapset.report.page.training import training


@dataclass(frozen=True)
class ReportFiles:
    """The files that the page is made from; all pictures and tables are below `root`.

    Attributes
    ----------
    root : Path
        The build's folder.
    figures : sequence of Path
        PNG files named as in `swapset.build.figures.figure_names`.
    previews : sequence of Path
        Training previews, `models/<recipe>/<model>.png`.
    verdicts : sequence of Path
        `verdicts/<subject>.json`.
    quoted : sequence of Path
        Tables of the chapter.
    detector_figures : sequence of Path
        Named as in `swapset.build.figures.DETECTOR_FIGURES`; none if no detector was measured.
    matrix : sequence of Path
        Tables and figures of several training sets, or none.
    outside_scores : sequence of Path
        Table of scores by detectors that were run elsewhere, or none.
    robustness : sequence of Path
        Tables and figures of perturbed videos, or none.
    breaker_figures : sequence of Path
        Named as in `swapset.build.figures.BREAKER_FIGURES`; none if there is no Landmark Breaker.
    protected : sequence of Path
        Table and figure of models that were trained on protected clips, or none.
    """

    root: Path
    figures: Sequence[Path]
    previews: Sequence[Path]
    verdicts: Sequence[Path]
    quoted: Sequence[Path]
    detector_figures: Sequence[Path] = ()
    matrix: Sequence[Path] = ()
    outside_scores: Sequence[Path] = ()
    robustness: Sequence[Path] = ()
    breaker_figures: Sequence[Path] = ()
    protected: Sequence[Path] = ()

    def table(self, name: str) -> pd.DataFrame | None:
        """Return a table of the build, or None if it has none of that name."""
        path = self.root / "tables" / f"{name}.csv"
        return pd.read_csv(path, keep_default_na=False, na_values=[""]) if path.exists() else None

    def read_verdicts(self) -> list[Mapping[str, Any]]:
        """Return the verdict on every clip."""
        return [verdict for path in self.verdicts for verdict in read_json(path).values()]


def write_page(files: ReportFiles, path: Path) -> None:
    """Write the report of a build to one HTML file.

    Parameters
    ----------
    files : ReportFiles
    path : Path
        `report.html`. It loads nothing from elsewhere: pictures are inside, with links to the
        full-size files beside it.
    """
    with atomic_output(path) as scratch:
        scratch.write_text(page(files), encoding="utf-8")


def page(files: ReportFiles) -> str:
    """Return the report as HTML."""
    return render(
        "page",
        name=files.root.name,
        summary=summary(files.read_verdicts(), files.table("fakes")),
        sections=sections(files),
    )


def summary(verdicts: Verdicts, fakes: pd.DataFrame | None) -> dict[str, Any]:
    """Return the numbers at the top of the page, of fakes, clips and people."""
    accepted = [clip for clip in verdicts if clip["accepted"]]
    return {
        "made": 0 if fakes is None else int(fakes["made"].sum()),
        "asked": 0 if fakes is None else len(fakes),
        "accepted": len(accepted),
        "clips": len(verdicts),
        "people": len({clip["subject"] for clip in accepted}),
        "version": __version__,
    }


def _robustness(files: ReportFiles) -> Section | None:
    names = ("robustness", "robustness_area", "robustness_ssim")
    return robustness(files.root, *(files.table(name) for name in names))


def sections(files: ReportFiles) -> list[Section]:
    """Return the sections of the page in order, without those that the build does not have."""
    root, read = files.root, files.table
    parts: list[Section | None] = [
        dataset(read("datasets"), read("demographics"), read("fakes")),
        clips(files.read_verdicts()),
        quality(read("mask_ssim"), read("mask_ssim_differences"), read("mask_ssim_per_fake")),
        expression_kept(read("expression"), read("expression_differences")),
        detectors(
            root,
            read("detector_auc") if files.detector_figures else None,
            read("left_out"),
            files.detector_figures,
        ),
        matrix(root, read("detector_matrix_drop") if files.matrix else None),
        outside_scores(read("outside_scores") if files.outside_scores else None),
        _robustness(files) if files.robustness else None,
        landmark_breaker(
            root,
            read("landmark_breaker") if files.breaker_figures else None,
            read("landmark_breaker_differences"),
            read("landmark_breaker_detection"),
            files.breaker_figures,
        ),
        protected(root, *files.protected) if files.protected else None,
        gallery(root, files.figures),
        training(root, read("training"), files.previews),
        origin(summarise(root / "dataset" / "provenance.jsonl")),
        quoted(files.quoted),
    ]
    return [part for part in parts if part]
