"""Perturbations: names, numbers, seeds, and what they do to videos."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
import pytest
from material.faces import background

from swapset.media.colour import rgb_to_i420
from swapset.media.perturbations.names import CHAINS, PARAMETERS, expand, parse
from swapset.media.perturbations.pixels import CHANGES
from swapset.media.perturbations.videos import perturb_frames, with_perturbed
from swapset.media.planar import PlanarImage
from swapset.types import Frames, Image


def generator() -> np.random.Generator:
    return np.random.default_rng(3)


def plain(colour: tuple[int, int, int], height: int = 64, width: int = 96) -> Image:
    return np.full((height, width, 3), colour, np.uint8)


class Video:
    """Frames in memory as a video; counts how many were read."""

    def __init__(self, frames: Frames) -> None:
        self._frames, self.frames, self.read_count = frames, len(frames), 0

    def read(self, numbers: Iterable[int]) -> Iterator[PlanarImage]:
        for number in numbers:
            self.read_count += 1
            yield PlanarImage(rgb_to_i420(self._frames[number]))


def textured(count: int = 6, height: int = 96, width: int = 128) -> Frames:
    picture = cv2.resize(background(), (width + 2 * count, height))
    return np.stack([picture[:, 2 * k : 2 * k + width] for k in range(count)])


# -- names -------------------------------------------------------------------------------------


def test_published_kinds_have_five_levels_each() -> None:
    names = [each.name for each in expand("deeperforensics")]
    assert len(names) == 35
    assert names[:6] == [*(f"saturation/{k}" for k in range(1, 6)), "contrast/1"]


def test_all_is_every_kind_and_chain() -> None:
    assert len(expand("all")) == 5 * len(PARAMETERS) + len(CHAINS)
    assert expand("all") == expand(["all", "blur/3"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("saturation/1", 0.4),
        ("saturation/5", 0),
        ("contrast/3", 0.6),
        ("blocks/5", 80),
        ("noise/5", 0.05),
        ("blur/3", 13),
        ("pixelation/5", 6),
        ("video/1", 30),
        ("video/5", 40),
    ],
)
def test_parameters_are_those_of_the_authors(name: str, value: float) -> None:
    (step,) = parse(name).steps
    assert step == (name.partition("/")[0], value)


def test_name_tells_kind_level_and_path() -> None:
    several, one, chain = parse("resize/2+video/3"), parse("blur/3"), parse("messenger")
    assert (one.kind, one.level, one.key, one.family) == ("blur", 3, "blur-3", "blur")
    assert (several.kind, several.level) == ("resize/2+video/3", 0)
    assert several.key == several.family == "resize-2+video-3"
    assert (chain.kind, chain.level, chain.key) == ("messenger", 0, "messenger")
    assert several.steps == (("resize", 0.6), ("video", 35))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["blurr/3"], "choose from blur"),
        (["blur/6"], "level '6' is not allowed; use 1 to 5"),
        (["blur/0"], "level '0'"),
        (["blur/"], "level ''"),
        (["blur/3+"], "'blur/3+' is no perturbation"),
        (["blur/3/4"], "is no perturbation"),
        (["blur+jpeg/2"], "is no perturbation"),
        ([""], "is no perturbation"),
        ("none", "is no perturbation"),
    ],
)
def test_other_names_are_refused(names: str | list[str], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        expand(names)


def test_a_kind_is_not_one_perturbation() -> None:
    with pytest.raises(ValueError, match="several perturbations; add a level"):
        parse("blur")


# -- frames ------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.4, 0.1, 0.0])
def test_saturation_goes_towards_luma(share: float) -> None:
    luma = 0.299 * 210 + 0.587 * 33 + 0.114 * 63  # BT.601
    shown = CHANGES["saturation"](plain((210, 33, 63)), share, generator())
    assert shown[5, 5].tolist() == [int(luma + share * (x - luma)) for x in (210, 33, 63)]


def test_contrast_is_cut_off() -> None:
    shown = CHANGES["contrast"](plain((255, 101, 3)), 0.85, generator())
    assert shown[0, 0].tolist() == [216, 85, 2]  # 216.75, 85.85, 2.55


@pytest.mark.parametrize(
    ("height", "width", "units"), [(512, 900, 2), (300, 256, 1), (767, 800, 2), (120, 90, 1)]
)
def test_blocks_are_grey_squares_in_the_stated_number(height: int, width: int, units: int) -> None:
    shown = CHANGES["blocks"](plain((0, 0, 0), height, width), 16, generator())
    assert set(np.unique(shown)) == {0, 128}
    covered = (shown[..., 0] == 128).sum()
    assert covered <= units * 16 * 64
    assert covered >= units * 16 * 64 * 0.6  # some overlap
    labels, _ = cv2.connectedComponents((shown[..., 0] == 128).astype(np.uint8))
    assert 1 < labels <= units * 16 + 1


def test_noise_has_the_spread_of_the_authors_formula() -> None:
    """Luma: 255 * 255 / 219 * sqrt(variance); chroma 255 * 255 / 224, in OpenCV's weights."""
    shown = CHANGES["noise"](plain((120, 120, 120), 300, 300), 0.001, generator())
    luma = 255 * 255 / 219 * np.sqrt(0.001)
    chroma = 255 * 255 / 224 * np.sqrt(0.001)
    expected = np.hypot(luma, [1.403 * chroma, np.hypot(0.714, 0.344) * chroma, 1.773 * chroma])
    assert shown.std(axis=(0, 1)) == pytest.approx(expected, rel=0.02)
    assert shown.mean(axis=(0, 1)) == pytest.approx(119.5, abs=0.3)


def test_noise_clips_instead_of_wrapping_round() -> None:
    shown = CHANGES["noise"](plain((255, 255, 255), 100, 100), 0.001, generator())
    assert shown.min() > 150


def test_blur_has_a_sixth_of_its_window_as_deviation() -> None:
    dot = plain((0, 0, 0), 65, 65)
    dot[32, 32] = 255
    shown = CHANGES["blur"](dot, 13, generator())[..., 0].astype(float)
    weights = np.exp(-0.5 * (np.arange(-6, 7) / (13 / 6)) ** 2)
    peak = (weights[6] / weights.sum()) ** 2
    assert shown[32, 32] == pytest.approx(255 * peak, abs=1)
    assert shown[:, :25].max() == 0


def test_pixelation_keeps_the_size_and_loses_detail() -> None:
    frame = textured(1)[0]
    shown = CHANGES["pixelation"](frame, 6, generator())
    assert shown.shape == frame.shape
    assert cv2.Laplacian(shown, cv2.CV_64F).std() < 0.3 * cv2.Laplacian(frame, cv2.CV_64F).std()


def test_jpeg_keeps_colours_in_their_order() -> None:
    shown = CHANGES["jpeg"](plain((200, 60, 20)), 75, generator())
    assert np.abs(shown.astype(int) - (200, 60, 20)).max() <= 4


@pytest.mark.parametrize(
    ("kind", "value", "size"),
    [
        ("resize", 0.25, (24, 32)),
        ("resize", 0.45, (44, 58)),
        ("fit", 48, (48, 64)),
        ("fit", 720, (96, 128)),
    ],
)
def test_sizes(kind: str, value: float, size: tuple[int, int]) -> None:
    assert CHANGES[kind](textured(1)[0], value, generator()).shape[:2] == size


# -- videos ------------------------------------------------------------------------------------


def read(video: Video, name: str, numbers: list[int], clip: str = "a", seed: int = 1) -> Frames:
    return with_perturbed(
        video,
        parse(name),
        clip,
        seed,
        lambda shown: np.stack([image.rgb for image in shown.read(numbers)]),
    )


@pytest.mark.parametrize("name", ["noise/3", "blocks/5"])
def test_random_numbers_follow_from_seed_clip_and_frame(name: str) -> None:
    still = np.stack([plain((90, 110, 130))] * 4)
    every = read(Video(still), name, [0, 1, 2, 3])
    assert np.array_equal(read(Video(still), name, [1, 3]), every[[1, 3]])
    assert not np.array_equal(every[0], every[1])
    assert not np.array_equal(read(Video(still), name, [1], clip="b")[0], every[1])
    assert not np.array_equal(read(Video(still), name, [1], seed=2)[0], every[1])


def test_only_frames_asked_for_are_read() -> None:
    video = Video(textured())
    read(video, "blur/3+jpeg/2", [4])
    assert video.read_count == 1


def test_video_compression_sees_all_frames() -> None:
    video = Video(textured())
    shown = read(video, "video/5", [2, 5])
    assert video.read_count == 6
    plain_frames = np.stack([image.rgb for image in video.read([2, 5])])
    away = np.abs(shown.astype(int) - plain_frames).mean()
    assert 1 < away < 30


def test_levels_of_video_compression_get_worse() -> None:
    clean = textured()
    lost = [
        np.abs(perturb_frames(clean, parse(f"video/{k}"), "a", 1).astype(int) - clean).mean()
        for k in (1, 3, 5)
    ]
    assert lost == sorted(lost)
    assert lost[0] > 0.5


def test_chain_is_done_in_its_order() -> None:
    shown = read(Video(textured(3, 720, 960)), "messenger", [0, 2])
    assert shown.shape == (2, 360, 480, 3)
    small = perturb_frames(textured(3, 720, 960), parse("messenger"), "a", 1)
    assert small.shape == (3, 360, 480, 3)


def test_odd_sides_survive_video_compression() -> None:
    assert perturb_frames(textured(2, 95, 127), parse("video/1"), "a", 1).shape == (2, 95, 127, 3)


def test_steps_of_a_chain_add_up() -> None:
    clean = textured(2)
    both = perturb_frames(clean, parse("contrast/5+blur/5"), "a", 1)
    darker = [(frame * np.float32(0.35)).astype(np.uint8) for frame in clean]
    by_hand = [cv2.GaussianBlur(frame, (21, 21), 3.5) for frame in darker]
    assert np.array_equal(both, np.stack(by_hand))
