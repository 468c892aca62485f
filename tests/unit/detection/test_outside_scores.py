"""Scores of detectors that were run elsewhere: files, direction, missing and unknown videos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from swapset.detection.outside_scores import (
    FOUND,
    FOUND_ON_TESTS,
    DatasetVideos,
    bring_in,
    find_direction,
    of_tests,
    read_outside,
)
from swapset.errors import DataError

LABELS = {"a": 0, "b": 1, "c": 0, "d": 1}
TESTED = {"c": 0, "d": 1}


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "video,score\na,0.25\nb.mp4,1\n",
        "score;video\r\n0,25;a.MP4\r\n1;b\r\n",
        "sep=\t\nvideo\tscore\tnote\na\t2.5e-1\tx\nb\t+1.\ty\n",
        "\ufeffvideo,score,frame\na,.25,0\nb,1,0\n",
    ],
    ids=["plain", "decimal commas", "other columns", "mark and frames"],
)
def test_forms_of_files(tmp_path: Path, text: str) -> None:
    table = read_outside(write(tmp_path / "s.csv", text), LABELS)
    assert table.to_numpy().tolist() == [["a", 0, 0, 0.25], ["b", 0, 1, 1.0]]


def test_frames_and_empty_scores(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", "video,frame,score\na,3,0.5\na,12,\nb,0,0.75\n")
    table = read_outside(path, LABELS)
    assert table["frame"].tolist() == [3, 12, 0]
    assert table["score"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("video,score\na,x\n", "line 2: score 'x' is not a number"),
        ("video,score\na,nan\n", "line 2: score 'nan' is not a number"),
        ("video,score\na,inf\n", "score 'inf'"),
        ("video,score\na,1e999\n", "score '1e999'"),
        ("video,frame,score\na,-1,0\n", "line 2: frame '-1' is not a number of a frame"),
        ("video,frame,score\na,1.5,0\n", "frame '1.5'"),
        (
            "video,frame,score\na,1,0\nb,1,0\na.mp4,1,0\n",
            "line 4: a has a score of the same frame in line 2",
        ),
        ("video,score\na,0\na,1\n", "line 3: a has a score of the same frame in line 2"),
        ("video,score\na,0\nq,1\nr.mp4,1\n", "not in this dataset: 'q' (line 3), 'r.mp4' (line 4)"),
        ("video,score\nq,1\nr,1\ns,1\nt,1\nu,1\n", "'s' (line 4) and 2 more; its videos are named"),
        ("name,score\na,0\n", "column 'video' is missing"),
        ("video,score\n", "has no rows below its header"),
    ],
)
def test_wrong_rows_are_refused_with_their_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError) as error:
        read_outside(write(tmp_path / "s.csv", text), LABELS)
    assert said in str(error.value)
    assert str(error.value).startswith(str(tmp_path / "s.csv"))


def scores(**by_video: float) -> pd.DataFrame:
    rows = [(name, 0, LABELS[name], score) for name, score in by_video.items()]
    return pd.DataFrame(rows, columns=["video", "frame", "label", "score"])


def test_direction_is_found_on_videos_that_are_not_tested() -> None:
    """The tested videos say the opposite, and are not asked."""
    table = scores(a=0.9, b=0.1, c=0.2, d=0.8)
    found = find_direction([table], [set(TESTED)])
    assert (found.higher, found.source, found.auc) == ("real", FOUND, 0.0)


def test_direction_is_found_on_tests_only_where_there_is_nothing_else() -> None:
    found = find_direction([scores(c=0.2, d=0.8, a=0.5)], [set(TESTED)])
    assert (found.higher, found.source, found.auc) == ("fake", FOUND_ON_TESTS, 1.0)


def test_all_files_of_a_detector_decide_together() -> None:
    wrong, right = scores(a=0.6, b=0.5), scores(a=0.1, b=0.9)
    found = find_direction([wrong, right, right], [set()] * 3)
    assert (found.higher, found.auc) == ("fake", pytest.approx(2 / 3))


@pytest.mark.parametrize(
    ("given", "expected"), [((0.2, 0.9), (0.8, 0.1)), ((-3.0, 7.0), (3.0, -7.0))]
)
def test_real_scores_are_turned_round(
    given: tuple[float, float], expected: tuple[float, float]
) -> None:
    table = of_tests(scores(c=given[0], d=given[1]), TESTED, "real")
    assert table["score"].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("higher", ["fake", "real"])
@pytest.mark.parametrize(("other", "probable"), [(0.5, True), (7.0, False)])
def test_scores_are_probabilities_if_all_of_the_file_are_in_0_to_1(
    other: float, probable: bool, higher: str
) -> None:
    """Also those of videos that are not tested: 7 says that 0.2 is no probability."""
    table = of_tests(scores(a=other, c=0.2, d=0.9), TESTED, higher)
    expected = table["score"].tolist() if probable else [np.nan, np.nan]
    np.testing.assert_array_equal(table["probability"], expected)
    assert table["score"].between(0, 1).all() == (probable or higher == "fake")


def test_missing_videos_are_counted_and_have_no_score(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", "video,score\na,0.1\nb,0.9\nd,0.7\n")
    videos = DatasetVideos(LABELS, TESTED)
    table, facts = bring_in(path, videos, [(path, videos)], None)
    assert table["video"].tolist() == ["c", "d"]
    assert np.isnan(table["score"][0])
    assert table["label"].tolist() == [0, 1]
    assert facts == {
        "file": "s.csv", "higher": "fake", "direction": FOUND, "auc_as_given": 1.0,
        "videos": 2, "missing": 1, "not_tested": 2, "frames": 1,
    }  # fmt: skip


def test_what_is_said_is_not_looked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", "video,score\na,0.1\nb,0.9\nc,0.4\nd,0.7\n")
    videos = DatasetVideos(LABELS, TESTED)
    table, facts = bring_in(path, videos, [(path, videos)], "real")
    assert facts["direction"] == "said"
    assert table["score"].tolist() == pytest.approx([0.6, 0.3])


def test_videos_of_a_dataset_are_those_of_its_kinds() -> None:
    splits = pd.DataFrame(
        {
            "kind": ["real", "faceswap", "celebdf", "real"],
            "video": ["r0", "f0", "c0", "r1"],
            "label": [0, 1, 1, 0],
            "role": ["test", "test", "test", "train"],
        }
    )
    videos = DatasetVideos.of(splits, ["real", "faceswap"])
    assert videos.labels == {"r0": 0, "f0": 1, "r1": 0}
    assert videos.tested == {"r0": 0, "f0": 1}
