"""Tables of perturbed videos, and faces found in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from material.faces import placed

from swapset.config.sections import TrackSettings
from swapset.detection.find import video_faces
from swapset.detection.perturbed import perturbed_faces
from swapset.detection.protocol import write_scores
from swapset.detection.robustness import robustness_tables
from swapset.faces.track import Tracker
from swapset.media.encode import VideoWriter
from swapset.media.perturbations.names import parse
from swapset.media.samples import Samples
from swapset.types import Floats

VIDEOS, FRAMES = 40, 4


def scores(gap: float, faceless: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(round(100 * gap))
    video = np.repeat(np.arange(VIDEOS), FRAMES)
    label = video % 2
    score = gap * label + generator.normal(size=len(video)) * 0.5
    score[:faceless] = np.nan
    names = [f"v{k:02d}" for k in video]
    frames = np.tile(np.arange(FRAMES), VIDEOS)
    table = {"video": names, "frame": frames, "label": label, "score": score}
    table |= {"fold": 0, "probability": np.nan}
    return pd.DataFrame(table).astype({"frame": "int32", "label": "int8"})


@pytest.fixture
def written(tmp_path: Path) -> tuple[list[Path], list[Path], pd.DataFrame]:
    """Scores that fall from perfect to chance over the levels of a blur."""
    plain = tmp_path / "scores" / "Net" / "Set" / "original.parquet"
    plain.parent.mkdir(parents=True)
    write_scores(plain, scores(9))
    for family, files in {
        "blur": {"blur-2": scores(1), "blur-4": scores(0, faceless=40)},
        "messenger": {"messenger": scores(2)},
    }.items():
        folder = tmp_path / "perturbed" / "scores" / "Net" / "Set" / family
        folder.mkdir(parents=True)
        for key, table in files.items():
            write_scores(folder / f"{key}.parquet", table)
    names = [f"v{k:02d}" for k in range(VIDEOS)]
    rows = {"kind": "Set", "video": names, "label": [k % 2 for k in range(VIDEOS)]}
    splits = pd.DataFrame(rows).assign(target="", donor="", fold=0, role="test")
    return [plain], sorted((tmp_path / "perturbed" / "scores" / "Net" / "Set").iterdir()), splits


def test_table_has_a_row_for_each_perturbation(
    written: tuple[list[Path], list[Path], pd.DataFrame],
) -> None:
    plain, folders, splits = written
    names = ["blur/4", "blur/2", "messenger"]
    table, _ = robustness_tables(plain, folders, names, splits, level=0.95)
    assert table["perturbation"].tolist() == ["none", *names]
    assert table["kind"].tolist() == ["none", "blur", "blur", "messenger"]
    assert table["level"].fillna(-1).tolist() == [0, 4, 2, -1]
    assert table["frame_auc"][0] == table["video_auc"][0] == 1
    assert table["frame_coverage"].tolist() == [1, 0.75, 1, 1]
    assert table["video_coverage"].tolist() == [1, 0.75, 1, 1]
    assert (table["videos"] == VIDEOS).all()
    assert (table["frames"] == VIDEOS * FRAMES).all()
    inside = table["frame_auc"].between(table["frame_auc_low"], table["frame_auc_high"])
    assert inside.all()


def test_area_is_the_mean_height_between_the_levels(
    written: tuple[list[Path], list[Path], pd.DataFrame],
) -> None:
    """Levels 0, 2 and 4, equally far apart: a quarter, a half, a quarter."""
    plain, folders, splits = written
    table, areas = robustness_tables(
        plain, folders, ["blur/4", "blur/2", "messenger"], splits, level=0.95
    )
    assert areas["kind"].tolist() == ["blur", "all"]  # a chain has no levels
    assert areas["levels"].tolist() == [2, 2]
    about = areas[["people", "interval", "faceless"]]
    assert about.to_numpy().tolist() == [[0, "videos", "middle"]] * 2
    none, fourth, second, _ = table["frame_auc"]
    for _, row in areas.iterrows():
        assert row["frame_area"] == pytest.approx(none / 4 + second / 2 + fourth / 4)
        assert row["frame_area_low"] < row["frame_area"] < row["frame_area_high"]
        assert row["frame_area_high"] - row["frame_area_low"] < 0.3


# -- faces -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tracker() -> Tracker:
    return Tracker(TrackSettings())


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "a.mp4"
    with VideoWriter(path, 320, 240, codec="h264") as video:
        for number in range(12):
            video.write(placed("hopper", (150 + number, 120), 120))
    return path


def points(path: Path, tracker: Tracker, name: str | None) -> list[Floats | None]:
    def find(video_name: str, video: Samples, **how: object) -> object:
        return perturbed_faces(video_name, video, perturbation=parse(str(name)), seed=1, **how)

    found = video_faces("a", path, tracker, wanted=3, find=find if name else None)
    return [None if face is None else face.landmarks for face in found.faces]


def test_faces_are_those_of_the_perturbed_picture(clip: Path, tracker: Tracker) -> None:
    clean, dark = points(clip, tracker, None), points(clip, tracker, "contrast/3")
    for one, other in zip(clean, dark, strict=True):
        assert np.abs(np.subtract(one, other)).mean() < 2


def test_landmarks_are_in_pixels_of_the_smaller_picture(clip: Path, tracker: Tracker) -> None:
    clean, small = points(clip, tracker, None), points(clip, tracker, "resize/2")
    for one, other in zip(clean, small, strict=True):
        assert np.abs(np.multiply(one, 0.6) - other).max() < 4


def test_face_finding_suffers(clip: Path, tracker: Tracker) -> None:
    assert points(clip, tracker, "noise/5+noise/5") == [None] * 3


def test_expected_person_and_outline_are_scaled(clip: Path, tracker: Tracker) -> None:
    clean = points(clip, tracker, None)[1]
    assert clean is not None
    outline = np.array([[100, 80], [200, 80], [200, 160], [100, 160]], np.float64)
    found = video_faces(
        "a",
        clip,
        tracker,
        wanted=3,
        expected=np.stack([clean] * 12),
        outlines=[outline] * 12,
        find=lambda name, video, **how: perturbed_faces(
            name, video, perturbation=parse("resize/2"), seed=1, **how
        ),
    )
    face = found.faces[1]
    assert face is not None
    assert face.frame_size == (192, 144)
    assert face.swapped is not None
    rows, columns = np.nonzero(face.swapped)
    left, top = face.origin
    ends = columns.min() + left, columns.max() + left, rows.min() + top, rows.max() + top
    assert ends == pytest.approx((60, 120, 48, 96), abs=2)
