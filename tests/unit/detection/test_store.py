"""Stores of faces on disk, faces cut from videos, and the table of splits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from material.detectors import face, picture

from swapset.config.sections import TrackSettings
from swapset.dataset.splits import Fold
from swapset.detection.find import video_faces
from swapset.detection.protocol import (
    SPLIT_COLUMNS,
    check_splits,
    labels_of,
    open_stores,
    own_kinds,
    read_scores,
    score_stores,
    split_table,
    training_faces,
    with_new_roles,
    write_scores,
)
from swapset.detection.store import FaceStore, StoredSamples, VideoFaces, write_store
from swapset.detectors.face import Face, cut_face
from swapset.detectors.margins import MARGIN, WIDE
from swapset.errors import DataError
from swapset.faces.track import Tracker
from swapset.media.encode import VideoWriter
from swapset.media.timeline import sampled


def same(one: Face, other: Face) -> None:
    np.testing.assert_array_equal(one.pixels, other.pixels)
    np.testing.assert_array_equal(one.landmarks, other.landmarks)
    assert (one.origin, one.frame_size) == (other.origin, other.frame_size)
    assert (one.swapped is None) == (other.swapped is None)
    if one.swapped is not None and other.swapped is not None:
        np.testing.assert_array_equal(one.swapped, other.swapped)


@pytest.fixture
def store(tmp_path: Path) -> FaceStore:
    folder = tmp_path / "celebdf" / "c23" / "0000"
    folder.mkdir(parents=True)
    bare = face(5)
    plain = Face(bare.pixels, bare.origin, bare.landmarks, bare.frame_size)
    videos = [
        VideoFaces("id0_0000", [3, 9], [face(0), face(1, fake=True)]),
        VideoFaces("id1_0000", reason="unreadable"),
        VideoFaces("id2_0000", [0, 4, 8], [None, plain, None]),
    ]
    write_store(folder, videos)
    return FaceStore(folder)


def test_what_is_read_is_what_was_written(store: FaceStore) -> None:
    assert store.videos == ["id0_0000", "id1_0000", "id2_0000"]
    assert store.reasons == ["", "unreadable", ""]
    assert store.frame.tolist() == [3, 9, 0, 4, 8]
    assert store.present.tolist() == [True, True, False, True, False]
    for index, expected in ((0, face(0)), (1, face(1, fake=True))):
        found = store.face(index)
        assert found is not None
        same(found, expected)
    unknown = store.face(3)
    assert unknown is not None
    assert unknown.swapped is None
    assert store.face(2) is None


def test_samples_are_the_faces_of_the_chosen_videos(store: FaceStore) -> None:
    samples = StoredSamples([store, store], [{"id0_0000": 0}, {"id2_0000": 1}])
    assert samples.labels.tolist() == [0, 0, 1]
    assert len(set(samples.videos.tolist())) == 2
    same(samples[0], face(0))


@pytest.mark.parametrize("name", ["index.npz", "pixels.bin"])
def test_damage_is_named(store: FaceStore, name: str) -> None:
    (store.folder / name).unlink()
    with pytest.raises(DataError, match="0000: holds no faces"):
        FaceStore(store.folder)


def test_samples_are_spread_evenly() -> None:
    assert sampled(100, 4) == [12, 37, 62, 87]
    assert sampled(3, 16) == [0, 1, 2]
    assert len(set(sampled(17, 16))) == 16


def test_faces_of_a_video_are_the_persons_own(tmp_path: Path) -> None:
    """With two people in view, the expected one is taken."""
    frames = [np.hstack([picture(0, side=90)[0], picture(2, side=130)[0]]) for _ in range(12)]
    frames = [np.ascontiguousarray(frame[:300, :680]) for frame in frames]
    path = tmp_path / "two.mkv"
    with VideoWriter(path, 680, 300, codec="lossless") as video:
        for frame in frames:
            video.write(frame)
    tracker = Tracker(TrackSettings())
    largest = video_faces("two", path, tracker, wanted=3)
    expected = np.stack([picture(0, side=90)[1]] * 12)
    chosen = video_faces("two", path, tracker, wanted=3, expected=expected, outlines=())
    assert [found is not None for found in largest.faces + chosen.faces] == [True] * 6
    for found in largest.faces:
        assert found is not None
        assert found.landmarks[:, 0].mean() > 340
        assert found.swapped is None
    for found in chosen.faces:
        assert found is not None
        assert found.landmarks[:, 0].mean() < 340
        assert found.swapped is not None
        assert not found.swapped.any()


def splits() -> pd.DataFrame:
    rows = [
        ["celebdf", "id0_0000", 0, "id0", "", 0, "train"],
        ["celebdf", "id2_0000", 1, "id2", "id3", 0, "test"],
        ["celebdf", "id1_0000", 0, "id1", "", 0, ""],
    ]
    return pd.DataFrame(rows, columns=SPLIT_COLUMNS)


def test_parts_are_read_from_the_table(store: FaceStore) -> None:
    stores = open_stores([store.folder])
    assert list(stores) == ["celebdf"]
    assert labels_of(splits(), "celebdf", 0, "test") == {"id2_0000": 1}
    assert len(training_faces(stores, splits(), 0, "train")) == 2
    check_splits(splits(), {})
    leaked = splits()
    leaked.loc[1, "donor"] = "id0"
    with pytest.raises(DataError, match="id0 is in id0_0000"):
        check_splits(leaked, {})


def test_names_of_one_person_have_one_part_in_a_table() -> None:
    """Videos of a public dataset keep their part, whatever their people are called."""
    rows = [
        ["real", "id0_0000", 0, "id0", "", 0, "test"],
        ["real", "id4_0000", 0, "id4", "", 0, "train"],
        ["celebdf", "id1_id4_0000", 1, "id1", "id4", 0, "train"],
        ["public", "id4_0001", 0, "id4", "", 0, "test"],
    ]
    table = pd.DataFrame(rows, columns=SPLIT_COLUMNS)
    own = table[table["kind"] != "public"]
    with pytest.raises(DataError, match=r"id0 is in id0_0000 \(test\) and in id4_0000 \(train\)"):
        check_splits(own, {"id4": "id0"})
    fold = Fold(frozenset({"id1"}), frozenset(), frozenset({"id0", "id4"}))
    new = with_new_roles(table, [fold], ["real", "celebdf"])
    assert new["role"].tolist() == ["test", "test", "", "test"]
    check_splits(new, {"id4": "id0"})


def test_namesakes_of_two_datasets_are_no_leakage() -> None:
    """Own clips and Celeb-DF's, with the same names of people and of videos, in different parts."""
    rows = [
        ["real", "id2_0000", 0, "id2", "", 0, "val"],
        ["faceswap", "id2_id3_0000", 1, "id2", "id3", 0, "val"],
        ["Celeb-DF", "id2_0000", 0, "id2", "", 0, "test"],
        ["Celeb-DF", "id2_id3_0000", 1, "id2", "id3", 0, "test"],
        ["DFD", "id2_0000", 0, "id2", "", 0, "train"],
        ["DFD", "id2_id3_0000", 1, "id2", "id3", 0, "train"],
    ]
    table = pd.DataFrame(rows, columns=SPLIT_COLUMNS)
    assert own_kinds(table) == {"real", "faceswap"}
    check_splits(table, {})
    told = r"id3 is in id2_id3_0000 \(val\) and in id2_id3_0000 of Celeb-DF \(test\)"
    with pytest.raises(DataError, match=told):
        check_splits(table, {"Celeb-DF/id3": "id3"})
    table.loc[5, "role"] = "test"
    with pytest.raises(DataError, match=r"DFD/id2 is in id2_id3_0000 of DFD \(test\)"):
        check_splits(table, {})


def test_videos_of_one_name_do_not_hide_each_other() -> None:
    rows = [
        ["Celeb-DF", "0000", 0, "a", "", 0, "train"],
        ["Celeb-DF", "0001", 1, "b", "", 0, "test"],
        ["DFD", "0000", 0, "c", "", 0, "train"],
        ["DFD", "0001", 1, "a", "", 0, "test"],
    ]
    table = pd.DataFrame(rows, columns=SPLIT_COLUMNS)
    with pytest.raises(DataError, match=r"Celeb-DF/a is in 0000 of Celeb-DF .* 0001 of DFD"):
        check_splits(table, {"DFD/a": "Celeb-DF/a"})


def test_faces_that_are_one_person_and_the_config_are_heard_together() -> None:
    """`accept` found that id1 is id0; the config says that Celeb-DF's id9 is id1."""
    subjects = [f"id{k}" for k in range(6)]
    people = {"subjects": subjects, "pairs": [], "folds": 3, "test": 0.2, "validation": 0.2}
    people |= {"seed": 1, "same": [("id4", "id5")]}
    own = [
        ["real", f"{name}_0", 0, name, "", fold, "train"] for fold in range(3) for name in subjects
    ]
    public = [
        ["Celeb-DF", "id9_0", k, "id9", "", fold, "test"] for fold in range(3) for k in (0, 1)
    ]
    table, names = split_table(
        own + public,
        people,
        own=["real", "faceswap"],
        learnt=["real", "faceswap"],
        same=[["id1", "Celeb-DF/id9"]],
        found=[("id0", "id1")],
    )
    check_splits(table, names)
    parts = table.set_index(["video", "fold"])["role"]
    for fold in range(3):
        assert parts["id0_0", fold] == parts["id1_0", fold]
        assert parts["id4_0", fold] == parts["id5_0", fold]
        tested = parts["id0_0", fold] == "test"
        assert set(parts["id9_0", fold]) == ({"test"} if tested else {""})
    assert sum(parts["id0_0", fold] == "test" for fold in range(3)) == 1


class Brightness:
    """Detector that scores a face by its mean."""

    margin = MARGIN

    def __init__(self, scale: float = 1):
        self.scale = scale

    def score_faces(self, faces: list[Face | None], batch: int = 32) -> np.ndarray:
        return np.array([np.nan if f is None else self.scale * f.pixels.mean() for f in faces])

    def probability(self, scores: np.ndarray) -> np.ndarray:
        return scores / 255


def test_scores_keep_frames_without_a_face(store: FaceStore, tmp_path: Path) -> None:
    scores = score_stores({0: Brightness()}, open_stores([store.folder]), splits())  # type: ignore[dict-item]
    assert scores["video"].tolist() == ["id2_0000"] * 3
    assert scores["frame"].tolist() == [0, 4, 8]
    assert np.isnan(scores["score"]).tolist() == [True, False, True]
    assert scores["fold"].tolist() == [0, 0, 0]
    write_scores(tmp_path / "scores.parquet", scores)
    pd.testing.assert_frame_equal(
        read_scores(tmp_path / "scores.parquet"), scores, check_dtype=False
    )
    pq.write_table(pa.Table.from_pandas(scores.drop(columns=["fold"])), tmp_path / "old.parquet")
    with pytest.raises(DataError, match=r"old\.parquet: holds no folds"):
        read_scores(tmp_path / "old.parquet")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"bad\.parquet"):
        read_scores(tmp_path / "bad.parquet")


def test_each_fold_of_a_dataset_is_scored_by_its_own_detector(store: FaceStore) -> None:
    """Own videos are tested in one fold, public ones in all; none is a mean of several scores."""
    rows = [
        ["celebdf", "id0_0000", 0, "id0", "", 0, "train"],
        ["celebdf", "id0_0000", 0, "id0", "", 1, "test"],
        ["celebdf", "id2_0000", 1, "id2", "id3", 0, "test"],
        ["celebdf", "id2_0000", 1, "id2", "id3", 1, "test"],
    ]
    table = pd.DataFrame(rows, columns=SPLIT_COLUMNS)
    detectors = {0: Brightness(), 1: Brightness(scale=-2)}
    scores = score_stores(detectors, open_stores([store.folder]), table)  # type: ignore[arg-type]
    known = scores.dropna(subset="score")
    assert known[["video", "frame", "fold"]].to_numpy().tolist() == [
        ["id0_0000", 3, 1],
        ["id0_0000", 9, 1],
        ["id2_0000", 4, 0],
        ["id2_0000", 4, 1],
    ]
    mean = face(5).pixels.mean()
    np.testing.assert_allclose(known["score"].iloc[2:], [mean, -2 * mean])
    np.testing.assert_allclose(known["probability"].iloc[2:], [mean / 255, -2 * mean / 255])


def test_wide_faces_are_read_as_wide_as_a_detector_sees(tmp_path: Path) -> None:
    folder = tmp_path / "celebdf" / "c23" / "0000"
    folder.mkdir(parents=True)
    frame, points = picture(3)
    wide = cut_face(frame, points, margin=WIDE)
    usual = cut_face(frame, points)
    assert wide is not None
    assert usual is not None
    write_store(folder, [VideoFaces("id0_0000", [0], [wide])])
    stores = open_stores([folder])
    (store,) = stores["celebdf"]
    found, all_of_it = store.face(0), store.face(0, WIDE)
    assert found is not None
    assert all_of_it is not None
    same(found, usual)
    same(all_of_it, wide)
    labels = [{"id0_0000": 0}]
    same(StoredSamples([store], labels)[0], usual)
    same(StoredSamples([store], labels, margin=WIDE)[0], wide)

    class Wide(Brightness):
        margin = WIDE

        def score_faces(self, faces: list[Face | None]) -> np.ndarray:
            for one in faces:
                assert one is not None
                same(one, wide)
            return super().score_faces(faces)

    table = splits().assign(video="id0_0000", kind="celebdf", role="test").head(1)
    scores = score_stores({0: Wide()}, stores, table)  # type: ignore[dict-item]
    assert len(scores) == 1
