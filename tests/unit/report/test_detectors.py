"""Charts and the report's section on detectors."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from material.report import cut_off, panels
from matplotlib.patches import Rectangle

from swapset.build.figures import DETECTOR_FIGURES
from swapset.report.figures.detector_charts import (
    average_chart,
    compression_chart,
    draw_all,
    people_chart,
    roc_chart,
)
from swapset.report.page.detectors import detectors
from swapset.report.page.section import render

QUOTED = pd.DataFrame(
    {"detector": ["Meso4", "FWA"], "FF-DF": [84.7, 80.1], "Celeb-DF": [54.8, 56.9]}
)
H264 = pd.DataFrame({"detector": ["FWA"], "original": [56.9], "c23": [54.6], "c40": [52.2]})


def rows() -> pd.DataFrame:
    values = {
        ("Meso4", "celebdf", "original"): 0.6,
        ("Meso4", "celebdf", "c40"): 0.5,
        ("FWA", "celebdf", "original"): 0.8,
        ("FWA", "celebdf", "c40"): 0.7,
        ("Meso4", "FF-DF", "c23"): 0.9,
        ("FWA", "FF-DF", "c23"): np.nan,
    }
    found = [
        (*names, level, auc, auc - 0.1, auc + 0.1, 8, 64, 1.0, people, over, "middle")
        for names, auc in values.items()
        for people, over in [(2, "fakes") if names[1] == "celebdf" else (40, "people")]
        for level in ("frame", "video")
    ]
    columns = "detector,dataset,compression,level,auc,auc_low,auc_high,videos,frames,coverage"
    columns += ",people,interval,faceless"
    return pd.DataFrame(found, columns=columns.split(","))


def curves() -> pd.DataFrame:
    grid = np.linspace(0, 1, 5)
    about = [("Meso4", "celebdf", "original"), ("Meso4", "FF-DF", "c23")]
    parts = [
        pd.DataFrame({"false_positive": grid, "true_positive": grid**0.5}).assign(
            detector=detector, dataset=dataset, compression=compression, level="frame"
        )
        for detector, dataset, compression in about
    ]
    return pd.concat(parts)


def people() -> pd.DataFrame:
    """Return the AUCs of four people by two detectors, and one that is not known."""
    values = {"Meso4": [0.1, 0.5, 0.9, np.nan], "FWA": [0.4, 0.6, 0.8, 1.0]}
    found = [
        (detector, "celebdf", compression, f"id{k}", value if compression == "original" else 0.0)
        for detector, aucs in values.items()
        for compression in ("original", "c40")
        for k, value in enumerate(aucs)
    ]
    return pd.DataFrame(found, columns=["detector", "dataset", "compression", "person", "auc"])


def bars(figure) -> list[float]:
    return [
        round(patch.get_width(), 3)
        for patch in figure.axes[0].patches
        if isinstance(patch, Rectangle)
    ]


def test_averages_take_each_datasets_best_version() -> None:
    by_dataset = average_chart(rows(), QUOTED, "dataset")
    assert [label.get_text() for label in by_dataset.axes[0].get_yticklabels()] == [
        "celebdf",
        "FF-DF",
    ]
    assert bars(by_dataset) == [0.7, 0.9]
    assert bars(average_chart(rows(), QUOTED, "detector")) == [0.75, 0.8]


@pytest.mark.parametrize("by", ["dataset", "detector"])
@pytest.mark.parametrize("name", ["FWA", "EfficientNet-Lite0", "DeeperForensics-1.0 end to end"])
def test_no_label_is_cut_off(by: str, name: str) -> None:
    table = rows().replace({"FWA": name, "FF-DF": name})
    drawn = [
        average_chart(table, QUOTED, by),
        compression_chart(table, H264),
        roc_chart(curves().replace({"FF-DF": name})),
        people_chart(people().replace({"FWA": name, "celebdf": name})),
    ]
    assert [cut_off(figure) for figure in drawn] == [[]] * 4


def test_the_chapters_average_is_over_what_is_also_here() -> None:
    axes = average_chart(rows(), QUOTED, "dataset").axes[0]
    diamonds = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "D"]
    assert np.allclose(diamonds, [(0.548 + 0.569) / 2, (0.847 + 0.801) / 2])


def test_a_panel_for_each_dataset() -> None:
    assert [axes.get_title() for axes in roc_chart(curves()).axes] == ["celebdf", "FF-DF"]
    figure = compression_chart(rows(), H264)
    assert [axes.get_title() for axes in figure.axes] == ["celebdf", "FF-DF"]
    (fwa,) = [line for line in figure.axes[0].lines if line.get_label() == "FWA"]
    assert list(fwa.get_xdata()) == [0, 2]
    assert list(fwa.get_ydata()) == [0.8, 0.7]


def test_each_person_is_a_dot_and_the_extremes_are_named() -> None:
    (axes,) = people_chart(people()).axes
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert [list(line.get_xdata()) for line in dots] == [[0.1, 0.5, 0.9], [0.4, 0.6, 0.8, 1.0]]
    assert [text.get_text() for text in axes.texts] == ["id0", "id2", "id0", "id3"]
    means = [line.get_xdata()[0] for line in axes.lines if line.get_color() == "0.2"]
    assert means == [pytest.approx(0.5), pytest.approx(0.7)]


def blue(figure) -> bool:
    """Return whether a bar or the first detector's curve is seen: both are blue, no guide is."""
    inside = [panel.astype(int) for panel in panels(figure)]
    return any((part[..., 2] - part[..., 0] > 50).any() for part in inside)


def test_figures_of_nothing_have_guides_only_and_others_bars_and_curves() -> None:
    something = draw_all(rows(), curves(), people(), QUOTED, H264)
    nothing = draw_all(rows()[:0], curves()[:0], people()[:0], QUOTED, H264)
    assert set(something) == set(nothing) == set(DETECTOR_FIGURES)
    for name in DETECTOR_FIGURES:
        assert blue(something[name]), name
        assert not blue(nothing[name]), name
        assert any((panel != 255).any() for panel in panels(nothing[name])), name


def test_section_shows_aucs_and_what_was_left_out(tmp_path: Path) -> None:
    left_out = pd.DataFrame({"kind": ["FF-DF"], "reason": ["unreadable"], "video": ["005_004"]})
    text = render("detectors", section=detectors(tmp_path, rows(), left_out, []))
    cells = '<td>celebdf</td><td>Meso4</td><td class="number">{}</td><td class="number">-</td>'
    assert cells.format("0.600 [0.500, 0.700]") in text
    heads = re.findall(r'<th scope="col"[^>]*>([^<]+)', text)
    assert heads[:5] == ["dataset", "detector", "original", "c23", "c40"]
    assert '<td>unreadable</td><td class="number">1</td>' in text
    assert "AUC by video" in text
    assert "celebdf: intervals over fakes and real videos alone" in text
    assert "only 2 people" in text
    assert "FF-DF: intervals over 40 people" in text
    assert "Videos without a face are ranked in the middle" in text
    assert detectors(tmp_path, None, None, []) is None
