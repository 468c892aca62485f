"""Charts, pictures and the report's section on Landmark Breaker."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from material.extractors import Tiny
from material.report import FIRST, clip_landmarks, cut_off, panels, pictures, tiny_pair
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from swapset.config.methods import synthesis_of
from swapset.generation.synthesis import Synthesiser
from swapset.obstruction.keyframes import LANDMARKS, Run
from swapset.report.figures.breaker_charts import robustness_chart, sweep_chart
from swapset.report.figures.breaker_pictures import Protected, breaker_pictures, heatmap_picture
from swapset.report.figures.sheet import message
from swapset.report.page.landmark_breaker import (
    black_boxes,
    landmark_breaker,
    robustness,
    transfers,
)
from swapset.report.page.section import render

QUOTED = pd.DataFrame(
    [("nme", "none", "lb", 0.87), ("nme", "jpeg50", "lb", 0.7), ("nme", "none", "base2", 0.85)],
    columns=["metric", "compression", "attack", "fan"],
)
COMPRESSIONS = ("none", "jpeg50", "mpeg4")


def white() -> pd.DataFrame:
    about = [
        ("fan", "none", "none", 0.01),
        ("fan", "lb", "fan", 0.9),
        ("fan", "lb-mix", "fan+hrnet", 0.6),
        ("hrnet", "none", "none", 0.0),
        ("hrnet", "lb-mix", "fan+hrnet", 0.5),
        ("dlib", "none", "none", 0.1),
    ]
    rows = [
        (*names, compression, error, error - 0.05, error + 0.1, 4)
        for *names, error in about
        for compression in COMPRESSIONS
    ]
    columns = ["extractor", "attack", "source", "compression", "nme", "low", "high", "runs"]
    return pd.DataFrame(rows, columns=columns)


def sweep() -> pd.DataFrame:
    rows = [
        (varied, step, count, name, 0.5 + step, 0.8, 0.7, 6)
        for name in ("fan", "hrnet")
        for varied, step, count in (("step", 0.5, 20), ("step", 1.5, 20), ("iterations", 1.0, 14))
    ]
    columns = ["varied", "step", "iterations", "extractor", "nme", "ssim_i", "ssim_w", "images"]
    return pd.DataFrame(rows, columns=columns)


def means() -> pd.DataFrame:
    about = [("none", "none", 0.0, 0.2), ("lb", "fan", 0.9, 0.3), ("lb-mix", "fan+hrnet", 0.6, 0.4)]
    rows = [
        (attack, compression, source, target, error, error / 2, 0.8, 0.7, 30)
        for attack, source, own, other in about
        for compression in ("none", "mpeg4")
        for target, error in (("fan", own), ("dlib", other))
    ]
    columns = ["attack", "compression", "source", "target"]
    return pd.DataFrame(rows, columns=[*columns, "nme", "moved", "ssim_i", "ssim_w", "images"])


def detection() -> pd.DataFrame:
    rows = [
        (attack, compression, source, detector, found, 30)
        for attack, source, found in (
            ("none", "none", 1.0),
            ("lb", "fan", 0.9),
            ("lb", "hrnet", 0.4),
        )
        for compression in ("none", "mpeg4")
        for detector in ("hog", "centerface")
    ]
    columns = ["attack", "compression", "source", "detector", "found", "frames"]
    return pd.DataFrame(rows, columns=columns)


# -- charts ------------------------------------------------------------------------------------


def test_a_row_for_each_extractor_that_is_known_to_an_attack() -> None:
    figure = robustness_chart(white(), QUOTED)
    assert cut_off(figure) == []
    assert [axes.get_title() for axes in figure.axes] == [
        "fan, image compression",
        "fan, video compression",
        "hrnet, image compression",
        "hrnet, video compression",
    ]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "none",
        "lb",
        "lb-mix on fan+hrnet",
    ]


def test_errors_stand_over_their_compression_with_intervals() -> None:
    axes = robustness_chart(white(), QUOTED).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["none", "Q75", "Q50"]
    (lb,) = [part for part in axes.containers if part.get_label() == "lb"]
    assert np.round(lb.lines[0].get_xdata()).tolist() == [0, 2]  # Q75 was not measured
    assert lb.lines[0].get_ydata().tolist() == [0.9, 0.9]
    low, high = np.array(lb.lines[2][0].get_segments()[0])[:, 1]
    assert (low, high) == (pytest.approx(0.85), pytest.approx(1.0))


def test_the_chapters_errors_are_hollow_and_of_attacks_that_are_here() -> None:
    figure = robustness_chart(white(), QUOTED)
    diamonds = [line for line in figure.axes[0].lines if line.get_marker() == "D"]
    (lb,) = diamonds
    assert lb.get_ydata()[[0, 2]].tolist() == [0.87, 0.7]
    assert not any(line.get_marker() == "D" for line in figure.axes[2].lines)


def test_attacks_of_other_packages_follow_ours_in_colours_of_their_own() -> None:
    others = [f"theirs-{number:02d}" for number in range(30)]
    rows = white()
    lb = rows[rows["attack"] == "lb"]
    table = pd.concat([*(lb.assign(attack=name) for name in others), rows])
    figure = robustness_chart(table, QUOTED)
    (legend,) = figure.legends
    named = [text.get_text() for text in legend.get_texts()]
    assert named == ["none", "lb", "lb-mix on fan+hrnet", *others]
    colours, before = colours_of(figure), colours_of(robustness_chart(white(), QUOTED))
    assert {name: colours[name] for name in before} == before
    assert len({colours[name] for name in named[:12]}) == 12


def colours_of(figure: Figure) -> dict[str, tuple[float, ...]]:
    """Return the colour of each attack's line in the first panel."""
    shown = figure.axes[0].containers
    return {bars.get_label(): to_rgba(bars.lines[0].get_color()) for bars in shown}


def test_a_row_for_what_is_varied_and_a_column_for_each_measure() -> None:
    figure = sweep_chart(sweep())
    assert cut_off(figure) == []
    assert [axes.get_xlabel() for axes in figure.axes] == [
        *(["size of a step"] * 3),
        *(["number of steps"] * 3),
    ]
    fan, hrnet = figure.axes[0].lines
    assert (fan.get_label(), hrnet.get_label()) == ("fan", "hrnet")
    assert fan.get_xdata().tolist() == [0.5, 1.5]
    assert fan.get_ydata().tolist() == [1.0, 2.0]
    assert figure.axes[3].lines[0].get_xdata().tolist() == [14]
    assert len(sweep_chart(sweep()[sweep()["varied"] == "step"]).axes) == 3


def test_charts_of_nothing_have_empty_panels_and_others_curves() -> None:
    robustness_of = partial(robustness_chart, quoted=QUOTED)
    for chart, table in ((robustness_of, white()), (sweep_chart, sweep())):
        nothing, something = chart(table[:0]), chart(table)
        assert [(panel == 255).all() for panel in panels(nothing)] == [True] * len(nothing.axes)
        assert [(panel != 255).any() for panel in panels(something)] == [True] * len(something.axes)
        assert not nothing.legends
        named = {axes.get_xlabel() for axes in something.axes}
        assert {axes.get_xlabel() for axes in nothing.axes} == named


# -- pictures ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def extractor() -> Tiny:
    return Tiny(seed=2)


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory) -> Protected:
    folder = tmp_path_factory.mktemp("protected")
    run = Run("id0_0000", 1, clip_landmarks().smooth[1:4])
    clean = np.stack(pictures()[1:4])
    for name, frames in (("clean", clean), ("noisy", np.clip(clean + 12.0, 0, 255))):
        (folder / name).mkdir()
        np.save(folder / name / f"{run.name}.npy", frames.astype(np.uint8))
        np.savez(folder / name / LANDMARKS, **{run.name: run.landmarks})
    pair = tiny_pair(folder / "pair.safetensors")
    device = torch.device("cpu")
    synthesiser = Synthesiser(pair, "id1", synthesis_of(FIRST), device, precision="fp32")
    return Protected(folder / "clean", {"tiny": folder / "noisy"}, lambda: synthesiser)


def test_a_row_of_pictures_for_each_extractor(extractor: Tiny, protected: Protected) -> None:
    noisy = protected.noisy["tiny"]
    both = Protected(protected.frames, {"tiny": noisy, "other": noisy}, protected.synthesiser)
    one = breaker_pictures([protected], {"tiny": extractor}, "lb")
    two = breaker_pictures([both], {"tiny": extractor, "other": extractor}, "lb")
    assert two.shape[0] > one.shape[0] > 190
    without = breaker_pictures(
        [Protected(protected.frames, protected.noisy, lambda: None)], {"tiny": extractor}, "lb"
    )
    assert without.shape == one.shape
    # Of nine pictures, the two swaps are missing.
    changed = np.flatnonzero((one != without).any(axis=(0, 2)))
    assert changed.min() > one.shape[1] * 7 / 9


def test_who_has_no_frames_is_passed_over(
    extractor: Tiny, protected: Protected, tmp_path: Path
) -> None:
    np.savez(tmp_path / LANDMARKS)
    nobody = Protected(tmp_path, {"tiny": tmp_path}, lambda: pytest.fail("was called"))
    extractors = {"tiny": extractor}
    found = breaker_pictures([nobody, protected], extractors, "lb")
    assert (found == breaker_pictures([protected], extractors, "lb")).all()
    said = message("Nobody who is protected has an accepted clip.", "From noise to swap")
    assert (breaker_pictures([nobody], extractors, "lb") == said).all()


def test_heat_maps_are_brightest_where_landmarks_are_found(
    extractor: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    def maps(images):
        found = images.new_zeros(1, 68, 16, 16)
        found[:, :, 4, 12] = 0.001
        return found

    monkeypatch.setattr(extractor, "heatmaps", maps)
    run = Run("id0_0000", 5, clip_landmarks().smooth[5:6])
    shown = heatmap_picture(extractor, np.zeros((128, 128, 3), np.uint8), run)
    y, x = np.unravel_index(shown.sum(axis=2).argmax(), shown.shape[:2])
    assert (abs(y - 9) <= 1, abs(x - 25) <= 1) == (True, True)
    assert shown[20:, :16].max() == 0


# -- the report --------------------------------------------------------------------------------


def test_transfers_are_of_uncompressed_frames_and_every_target() -> None:
    table = transfers(means())
    assert list(table) == [
        *("attack", "source", "SSIM_I"),
        *("NME fan", "NME dlib", "SSIM_W fan", "SSIM_W dlib"),
    ]
    assert table["source"].tolist() == ["none", "fan", "fan+hrnet"]
    assert table["NME dlib"].tolist() == [0.2, 0.3, 0.4]


def test_compression_is_of_known_extractors() -> None:
    table = robustness(means()).set_index(["compression", "attack"])
    assert len(table) == 6
    assert table.loc[("mpeg4", "lb"), "NME fan"] == 0.9
    assert np.isnan(table.loc[("mpeg4", "lb"), "NME dlib"])
    assert table.loc[("none", "none"), "NME dlib"] == 0.2
    assert table.loc[("none", "lb-mix on fan+hrnet"), "SSIM_I fan"] == 0.8


def test_black_boxes_have_the_means_over_the_sources_of_noise() -> None:
    table = black_boxes(means(), detection())
    assert list(table) == [
        *("compression", "attack", "moved by dlib", "found by hog", "found by centerface"),
    ]
    lb = table.set_index(["compression", "attack"]).loc[("mpeg4", "lb")]
    assert lb["moved by dlib"] == pytest.approx(0.15)
    assert lb["found by hog"] == pytest.approx(0.65)
    assert len(table) == 6


def test_section_is_there_if_it_was_measured(tmp_path: Path) -> None:
    columns = ["compression", "target", "attack", "against", "nme_difference", "low", "high"]
    compared = pd.DataFrame([("none", "fan", "lb", "base2", 0.123, 0.1, 0.2)], columns=columns)
    section = landmark_breaker(tmp_path, means(), compared, detection(), [])
    text = render("landmark_breaker", section=section)
    assert "<td>lb-mix on fan+hrnet</td>" in text
    assert '<td class="number">0.123</td>' in text
    assert "Models that no attack follows" in text
    assert landmark_breaker(tmp_path, None, compared, detection(), []) is None
