"""The figure of robustness, and the report's sections on perturbed videos and outside scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from material.html import Page
from material.report import cut_off

from swapset.report.figures.charts import save_figure
from swapset.report.figures.robustness import robustness_chart
from swapset.report.page.outside_scores import outside_scores
from swapset.report.page.robustness import robustness
from swapset.report.page.section import Section, render


def rows() -> pd.DataFrame:
    table = []
    for detector in ("Net", "Other"):
        for name, kind, level, auc in (
            ("none", "none", 0, 0.9),
            ("blur/1", "blur", 1, 0.8),
            ("blur/2", "blur", 2, np.nan),
            ("messenger", "messenger", np.nan, 0.6),
        ):
            table.append(
                {
                    "detector": detector, "dataset": "Set", "compression": "c23",
                    "perturbation": name, "kind": kind, "level": level,
                    "frame_auc": auc, "frame_auc_low": auc - 0.1, "frame_auc_high": auc + 0.05,
                    "frame_coverage": 0.5 if np.isnan(auc) else 1.0,
                }
            )  # fmt: skip
    return pd.DataFrame(table)


def text_of(section: Section) -> str:
    """Return the texts of a page with one section, one per line."""
    summary = dict.fromkeys(("made", "asked", "accepted", "clips", "people"), 0)
    page = render("page", name="x", summary=summary | {"version": "1"}, sections=[section])
    return "\n".join(Page(page).texts)


def test_curves_begin_with_the_videos_as_they_are() -> None:
    figure = robustness_chart(rows())
    assert cut_off(figure) == []
    kind, chains = figure.axes
    assert kind.get_title() == "blur"
    assert [t.get_text() for t in chains.get_xticklabels()] == ["as it is", "messenger"]
    curves = {bars.get_label(): bars.lines[0] for bars in kind.containers}
    assert list(curves) == ["Net", "Other"]
    assert np.array_equal(curves["Net"].get_ydata(), [0.9, 0.8, np.nan], equal_nan=True)
    assert np.allclose(curves["Other"].get_xdata(), np.arange(3) + 0.075)
    (coverage,) = [line for line in kind.lines if line.get_label() == "frames with a score"]
    assert list(coverage.get_ydata()) == [1, 1, 0.5]


def test_figure_is_written_as_picture_and_as_pdf_of_the_same_bytes(tmp_path: Path) -> None:
    for _ in range(2):
        save_figure(robustness_chart(rows()), tmp_path / "a.png")
        save_figure(robustness_chart(rows()), tmp_path / "a.pdf")
        stored = [(tmp_path / name).read_bytes() for name in ("a.png", "a.pdf")]
    assert stored[0].startswith(b"\x89PNG")
    assert stored[1].startswith(b"%PDF")
    save_figure(robustness_chart(rows()), tmp_path / "b.pdf")
    assert (tmp_path / "b.pdf").read_bytes() == stored[1]


def test_section_has_a_column_for_each_detector(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    save_figure(robustness_chart(rows()), tmp_path / "figures" / "robustness.png")
    areas = pd.DataFrame(
        {
            "detector": ["Net", "Other"], "dataset": "Set", "compression": "c23", "kind": "all",
            "frame_area": [0.75, np.nan], "frame_area_low": 0.5, "frame_area_high": 0.875,
        }
    )  # fmt: skip
    ssim = pd.DataFrame({"method": ["m"], "perturbation": "blur/1", "fakes": 3, "frames": 9})
    for name, value in (("mask_ssim", 0.625), ("mask_ssim_alike", 0.75)):
        ssim = ssim.assign(**{name: value, f"{name}_low": 0.5, f"{name}_high": 0.875})
    section = robustness(tmp_path, rows(), areas, ssim)
    assert section is not None
    assert [head.text for head in section.aucs.heads] == [
        *("dataset", "compression", "perturbation", "Net", "Other")
    ]
    assert [cell.text for cell in section.aucs.rows[1]][2:4] == ["blur/1", "0.800 [0.700, 0.850]"]
    assert [cell.text for cell in section.aucs.rows[2]][3:] == ["-", "-"]
    assert [cell.text for cell in section.areas.rows[0]][2:] == ["all", "0.750 [0.500, 0.875]", "-"]
    text = text_of(section)
    assert "0.625 [0.500, 0.875]" in text
    assert "against it perturbed alike" in text
    assert robustness(tmp_path, None, None, None) is None


def test_outside_scores_are_listed_with_their_direction() -> None:
    files = pd.DataFrame(
        {"detector": ["Theirs"], "higher": "real", "direction": "found on the tested videos"}
    )
    section = outside_scores(files)
    assert section is not None
    assert "found on the tested videos" in text_of(section)
    assert outside_scores(None) is outside_scores(files.iloc[:0]) is None
