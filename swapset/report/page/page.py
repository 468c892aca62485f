"""The report: one page with a build's tables, pictures and origin, that needs no other file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from swapset import __version__
from swapset.io.files import atomic_output, read_json
from swapset.report.page import dataset as sections
from swapset.report.page.detectors import detectors
from swapset.report.page.landmark_breaker import landmark_breaker
from swapset.report.page.markup import Markup, element, joined
from swapset.report.page.protected import protected_section
from swapset.report.page.provenance_summary import summarise

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:70rem;
margin:0 auto;padding:1.5rem}
h1{margin:0}h2{margin:2.5rem 0 .5rem;border-bottom:2px solid #33658a;padding-bottom:.2rem}
h3{margin:1.5rem 0 .3rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;margin:.5rem 0}
th,td{border-bottom:1px solid #ddd;padding:.25rem .7rem;text-align:left;vertical-align:top}
th{background:#f3f5f7}td.number{text-align:right;font-variant-numeric:tabular-nums}
figure{margin:1.2rem 0}figure img{max-width:100%;height:auto;border:1px solid #ddd}
figcaption,.note{color:#555;font-size:.9rem}
.box{border-left:5px solid #d1603d;background:#fdf4f1;padding:.7rem 1rem;margin:1rem 0}
.quoted{border:2px dashed #999;background:#faf8ef;padding:.5rem 1.2rem;margin-top:3rem}
.quoted h2{border-color:#999}summary{cursor:pointer}code{overflow-wrap:anywhere}
"""


@dataclass(frozen=True)
class ReportFiles:
    """What the page is made of; all pictures and tables lie under `root`.

    Attributes
    ----------
    root : Path
        The build's folder.
    figures : sequence of Path
        PNG files named as in `plan.figure_names`.
    previews : sequence of Path
        Previews of trainings, `models/<recipe>/<model>.png`.
    verdicts : sequence of Path
        `accepted/<subject>.json`.
    quoted : sequence of Path
        Tables of the chapter.
    detector_figures : sequence of Path
        Named as in `plan.DETECTOR_FIGURES`; none if no detector was measured.
    breaker_figures : sequence of Path
        Named as in `plan.BREAKER_FIGURES`; none if the build has no Landmark Breaker.
    protected : sequence of Path
        Table and figure of models trained on protected clips, or none.
    """

    root: Path
    figures: Sequence[Path]
    previews: Sequence[Path]
    verdicts: Sequence[Path]
    quoted: Sequence[Path]
    detector_figures: Sequence[Path] = ()
    breaker_figures: Sequence[Path] = ()
    protected: Sequence[Path] = ()

    def table(self, name: str) -> pd.DataFrame | None:
        """Return a table of the build, or None if it has none of that name."""
        path = self.root / "tables" / f"{name}.csv"
        return pd.read_csv(path, keep_default_na=False, na_values=[""]) if path.exists() else None

    def judged(self) -> list[Mapping[str, Any]]:
        """Return the verdict of every clip."""
        return [verdict for path in self.verdicts for verdict in read_json(path).values()]


def write_page(files: ReportFiles, path: Path) -> None:
    """Write the report of a build to one HTML file.

    Parameters
    ----------
    files : ReportFiles
    path : Path
        `report.html`. It makes no request to anywhere; pictures are inside, with links to the
        full-size files beside it.
    """
    with atomic_output(path) as scratch:
        scratch.write_text(page(files), encoding="utf-8")


def page(files: ReportFiles) -> str:
    """Return the report as HTML."""
    name = files.root.name
    fakes, judged, provenance = (
        files.table("fakes"),
        files.judged(),
        summarise(files.root / "dataset" / "provenance.jsonl"),
    )
    body = joined(
        [
            element("h1", f"{name}: a face-swap detection dataset"),
            sections.summary(judged, fakes, __version__),
            sections.responsible_use(),
            sections.datasets(files.table("datasets"), files.table("demographics"), fakes),
            sections.clips(judged),
            sections.quality(
                files.table("mask_ssim"),
                files.table("mask_ssim_differences"),
                files.table("mask_ssim_per_fake"),
            ),
            detectors(
                files.root,
                files.table("detector_auc") if files.detector_figures else None,
                files.table("left_out"),
                files.detector_figures,
            ),
            landmark_breaker(
                files.root,
                files.table("landmark_breaker") if files.breaker_figures else None,
                files.table("landmark_breaker_differences"),
                files.breaker_figures,
            ),
            protected_section(files.root, *files.protected) if files.protected else Markup(""),
            sections.gallery(files.root, files.figures),
            sections.training(files.root, files.table("training"), files.previews),
            sections.origin(provenance),
            sections.quoted(files.quoted),
        ]
    )
    return _document(f"{name} · swapset", body)


def _document(title: str, body: Markup) -> str:
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("title", title),
        element("style", Markup(_STYLE)),
    )
    return f"<!doctype html>\n{element('html', head, element('body', body), lang='en')}\n"
