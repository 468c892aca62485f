"""Figures of a tiny build: their sizes, their panels, and figure 4.7 against the fake itself."""

from shutil import copytree

import numpy as np
import pytest
import torch
from material.report import (
    FRAMES,
    OWNERS,
    RECIPES,
    clip_landmarks,
    cut_off,
    differences,
    make_build,
    panels,
    scores,
    tiny_pair,
)
from PIL import Image

from swapset.build.figures import figure_names
from swapset.config.methods import synthesis_of
from swapset.errors import DataError
from swapset.generation.synthesis import Synthesiser
from swapset.media.decode import frames
from swapset.quality.expression import ExpressionReader
from swapset.report.figures.all import Figures
from swapset.report.figures.charts import jitter, mask_ssim_chart, smoothing_chart
from swapset.report.figures.expression import expression_figure
from swapset.report.figures.finished import (
    Fake,
    FinishedBuild,
    evenly,
    frame_at,
    spread_over_targets,
    zoom,
)
from swapset.report.figures.mask_rows import Models, steps_of_frame
from swapset.report.figures.sheet import GAP, Panel, Sheet, compose, layout, message


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_build(tmp_path_factory.mktemp("report") / "tiny")


def plain(colour, size=(30, 40)):
    return np.full((*size, 3), colour, np.uint8)


def test_every_panel_stands_where_the_layout_says():
    colours = [[(250, 0, 0), (0, 250, 0)], [(0, 0, 250), (200, 0, 200)]]
    rows = [[Panel(plain(colour), "caption") for colour in row] for row in colours]
    sheet = Sheet("title", rows, (80, 60), ["a\nb", "c"], ["first\nrow", "second"], "note " * 60)
    picture, place = compose(sheet), layout(sheet)
    assert picture.shape == (place.size[1], place.size[0], 3)
    for r, row in enumerate(colours):
        for c, colour in enumerate(row):
            x, y = place.corner(r, c)
            assert (picture[y : y + 60, x : x + 80] == colour).all()
            assert (picture[y : y + 60, x + 80 : x + 80 + GAP] == 255).all()


def test_pictures_keep_their_proportions():
    sheet = Sheet("t", [[Panel(plain((9, 9, 9), (20, 60)))]], (60, 60))
    x, y = layout(sheet).corner(0, 0)
    tile = compose(sheet)[y : y + 60, x : x + 60]
    assert (tile == 9).all(axis=(1, 2)).sum() == 20


def test_longer_notes_make_taller_sheets():
    assert message("word " * 200, "t").shape[0] > message("word", "t").shape[0]


def test_zoom_is_centred_on_the_face():
    points = clip_landmarks().smooth[5]
    frame = np.zeros((128, 128, 3), np.uint8)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    frame[round(middle[1]), round(middle[0])] = 255
    close = zoom(frame, points, 200)
    y, x = np.unravel_index(close[..., 0].argmax(), (200, 200))
    assert abs(x - 100) < 4
    assert 100 < y < 120


def test_frames_are_found_by_number(root):
    video = root / "clips" / "id0" / "id0_0000.mkv"
    assert (frame_at(video, 7) == list(frames(video))[7]).all()
    with pytest.raises(DataError, match="no frame 20"):
        frame_at(video, FRAMES)


def test_only_frames_that_all_methods_swapped_are_shown(root):
    build = FinishedBuild(root)
    assert [fake.name for fake in build.fakes_by(["first", "hull"])] == ["id0_id1_0000"]
    swapped = build.swapped("first", "id0_id1_0000")
    assert swapped.tolist() == list(range(1, FRAMES))
    assert build.middle_frame({"first": build.fakes_by(["first"])}) == 10


def test_examples_cover_the_targets_first():
    names = [("a", 1), ("a", 2), ("b", 1), ("c", 1), ("c", 2)]
    fakes = [Fake(f"{t}{k}", t, "d", f"{t}_{k}") for t, k in names]
    assert [f.name for f in spread_over_targets(fakes, 3)] == ["a1", "b1", "c1"]
    assert [f.name for f in spread_over_targets(fakes, 4)] == ["a1", "b1", "c1", "a2"]
    assert evenly(list(range(10)), 3) == [0, 4, 9]


@pytest.mark.parametrize("method", ["first", "hull"])
def test_figure_4_7_ends_in_the_fake_before_encoding(root, tmp_path, method):
    recipe = synthesis_of(RECIPES[method])
    pair = tiny_pair(tmp_path / "pair.safetensors")
    clip = root / "clips" / "id0" / "id0_0000.mkv"
    points = clip_landmarks().smooth
    synthesiser = Synthesiser(pair, "id1", recipe, torch.device("cpu"), precision="fp32")
    fake = [frame for frame, _ in synthesiser.swap(frames(clip), points)]
    for index in (3, 18):
        steps = steps_of_frame(clip, points, index, pair, "id1", recipe, "fp32")
        assert (steps.result == fake[index]).all()
        # (c) is (a) seen through (b); the real frame shows where the mask is 0.
        alpha = steps.mask[..., None]
        blended = alpha * steps.overlay + (1 - alpha) * steps.frame
        assert np.abs(blended - steps.result).max() <= 1.5
        assert 0.02 < steps.mask.mean() < 0.5
        assert (steps.result != steps.frame).any()


def test_figure_4_7_needs_a_face(root, tmp_path):
    pair = tiny_pair(tmp_path / "pair.safetensors")
    clip = root / "clips" / "id0" / "id0_0000.mkv"
    recipe = synthesis_of(RECIPES["first"])
    with pytest.raises(DataError, match="no face"):
        steps_of_frame(clip, clip_landmarks().smooth, 0, pair, "id1", recipe, "fp32")


def test_all_figures_are_drawn_the_same_twice(root, tmp_path):
    names = figure_names(list(RECIPES), RECIPES)
    drawn = Figures(FinishedBuild(root), list(RECIPES), RECIPES, Models(OWNERS, False, "fp32"))
    for folder in ("one", "two"):
        drawn.write(tmp_path / folder / f"{name}.png" for name in names)
    for name in names:
        one, two = (tmp_path / folder / f"{name}.png" for folder in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
        with Image.open(one) as picture:
            assert min(picture.size) > 150
            assert np.asarray(picture).std() > 20, f"{name} shows nothing"


def test_a_method_without_fakes_is_said_so(tmp_path):
    root = make_build(tmp_path / "none")
    path = root / "tables" / "fakes.csv"
    path.write_text(path.read_text().replace("True", "False"))
    out = tmp_path / "contact_sheet_first.png"
    drawn = Figures(FinishedBuild(root), list(RECIPES), RECIPES, Models(OWNERS, False, "fp32"))
    names = ("methods", "masks", "expression")
    drawn.write([out, *(tmp_path / f"{name}.png" for name in names)])
    for path in (out, tmp_path / "expression.png"):
        with Image.open(path) as picture:
            assert picture.height < 120


def test_expression_shows_openings_and_stills_of_the_liveliest_target(root):
    build = FinishedBuild(root)
    figure = expression_figure(build, list(RECIPES))
    curves = [axes for axes in figure.axes if axes.lines]
    stills = [axes for axes in figure.axes if axes.images]
    assert [axes.get_ylabel() for axes in curves] == [
        "opening of the mouth",
        "opening of the eyes",
    ]
    assert len(stills) == 2 * (1 + len(RECIPES))
    assert [axes.get_title() for axes in stills[:3]] == ["target", *RECIPES]
    points = build.landmarks("id0_0000").smooth
    read = [k for k in range(0, FRAMES, 2) if np.isfinite(points[k]).all()]
    reader = ExpressionReader()
    videos = [build.source("id0_0000"), build.video("hull", "id0_id1_0000")]
    for video, place in zip(videos, (0, 2), strict=True):
        pictures = list(frames(video))
        seen = [reader.read(pictures[k], points[k]) for k in read]
        for axes, values in zip(
            curves, ([one.mouth for one in seen], [one.eyes.mean() for one in seen]), strict=True
        ):
            assert axes.lines[place].get_xdata().tolist() == read
            np.testing.assert_allclose(axes.lines[place].get_ydata(), values)
    assert expression_figure(build, ["none"]) is None


def test_a_method_may_be_named_target(root, tmp_path):
    for part in ("dataset", "labels"):
        copytree(root / part / "hull", tmp_path / part / "target")
    for part in ("clips", "landmarks", "tables"):
        copytree(root / part, tmp_path / part)
    path = tmp_path / "tables" / "fakes.csv"
    path.write_text(path.read_text().replace("hull", "target"))
    figure = expression_figure(FinishedBuild(tmp_path), ["target"])
    assert [len(axes.lines) for axes in figure.axes if axes.lines] == [3, 3]


def test_jitter_ignores_steady_motion_and_sees_noise():
    points = clip_landmarks()
    assert np.isnan(jitter(points.smooth)[[0, 1, -1]]).all()
    assert np.nanmax(jitter(points.smooth)) < 1e-3
    assert np.nanmean(jitter(points.raw)) > 1
    doubled = jitter(2 * points.raw)
    np.testing.assert_allclose(doubled[2:-1], jitter(points.raw)[2:-1], rtol=1e-6)


def test_bars_and_differences_show_the_tables_numbers(root):
    per_fake = scores()[["method", "mask_ssim"]]
    figure = mask_ssim_chart(scores(), per_fake, differences())
    assert cut_off(figure) == []
    bars, pairs = figure.axes
    assert [bar.get_width() for bar in bars.patches] == pytest.approx([0.9, 0.8])
    # The method that hardly swaps is drawn pale and says so.
    assert bars.patches[0].get_facecolor() != bars.patches[1].get_facecolor()
    assert "donor in 25%" in [label.get_text() for label in bars.get_yticklabels()][1]
    assert pairs.get_yticklabels()[0].get_text() == "hull"
    alone = mask_ssim_chart(scores()[:1], per_fake[:1], differences()[:0])
    assert len(alone.axes) == 1


def test_smoothing_shows_a_trace_of_the_clip_and_its_jitter():
    clip = clip_landmarks()
    figure = smoothing_chart("id0_0000", clip, {"id0_0000": clip, "still": clip})
    assert cut_off(figure) == []
    trace, shake, per_clip = figure.axes
    lines = {line.get_label(): line.get_ydata() for line in trace.lines}
    for axis, letter in enumerate("xy"):
        smooth = clip.smooth[:, 30, axis]  # the tip of the nose
        expected = smooth - np.nanmedian(smooth)
        np.testing.assert_allclose(lines[f"{letter} smoothed"], expected, atol=1e-4)
        assert np.nanstd(lines[f"{letter} raw"] - expected) > 0.3
    raw, smoothed = (line.get_ydata() for line in shake.lines)
    np.testing.assert_array_equal(raw, jitter(clip.raw))
    np.testing.assert_array_equal(smoothed, jitter(clip.smooth))
    assert len(per_clip.lines[1].get_xdata()) == 2
    assert all((panel != 255).any() for panel in panels(figure))
