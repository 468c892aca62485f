"""Models trained on protected clips: who, from which files, and what their table says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from material.builds import write_empty_clips
from torch import Tensor

from swapset.build.protected import ProtectedPlan
from swapset.build.workflow import Workflow
from swapset.errors import ConfigError, DataError
from swapset.faces.align import MEAN_FACE
from swapset.faces.boxes import box_from_landmarks
from swapset.faces.clip_tracks import ClipTracks
from swapset.faces.prepare import ClipLandmarks
from swapset.io.files import read_json, write_json
from swapset.media.decode import frames
from swapset.media.encode import VideoWriter
from swapset.obstruction.retrain_clips import (
    BATCH,
    PersonFiles,
    find_in_clip,
    write_found_tracks,
    write_protected_clips,
)
from swapset.obstruction.retrain_table import landmark_facts, protected_table, read_scores

COUNT, HEIGHT, WIDTH = 2 * BATCH + 3, 48, 64
FACELESS = (0, 7)
VERDICTS = {
    "id0_0000": {"accepted": True, "tracks": [4]},
    "id0_0001": {"accepted": False, "tracks": []},
}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write_empty_clips(tmp_path, people=4, each=2)


def plan_of(manifest: Path, **values: Any) -> ProtectedPlan:
    own = {"subjects": ["id0", "id1", "id2"], "protected_pairs": 2, **values}
    pairs = [["id1", "id0"], ["id3", "id2"]]
    build = {"name": "b", "clips": str(manifest), "pairs": pairs, "swaps_per_clip": "all"}
    section = {"landmark_breaker": own}
    return Workflow({**build, **section}).protected


def test_only_lb_robust_follows_more_than_the_extractor_that_finds(manifest: Path) -> None:
    plan = plan_of(manifest)
    assert plan.extractor_files("none", "hrnet") == []
    assert [Path(file).stem for file in plan.extractor_files("lb", "hrnet")] == ["hrnet"]
    followed = [Path(file).stem for file in plan.extractor_files("lb-robust", "hrnet")]
    assert followed == ["hrnet", "fan", "avs-san"]


# -- the plan ----------------------------------------------------------------------------------


def test_a_pair_is_trained_again_once_with_one_of_it_protected(manifest: Path) -> None:
    assert plan_of(manifest).pairs == {"id0-id1": "id0", "id2-id3": "id2"}
    assert plan_of(manifest, protected_pairs=1).pairs == {"id0-id1": "id0"}
    nothing = plan_of(manifest, protected_pairs=0)
    assert nothing.results() == nothing.scores() == nothing.parts() == []


def test_only_the_protected_person_comes_from_another_folder(manifest: Path) -> None:
    plan = plan_of(manifest, protected_extractor="fan")
    folder = "results/b/obstruction/protected/lb/fan"
    assert plan.faces("lb", "fan", "id0-id1") == [f"{folder}/faces/id0", "results/b/faces/id1"]
    assert plan.folder_of("lb", "fan", "clips", "id3", "id2") == "results/b/clips/id3"
    assert plan.model("lb", "fan", "id1", "id0")["card"] == f"{folder}/models/celebdf/id0-id1.json"
    assert plan.fake_files("lb", "fan", "id1", "id0", "mp4") == [
        f"{folder}/dataset/celebdf/original/id1_id0_000{number}.mp4" for number in range(2)
    ]


def test_every_attack_and_none_is_measured_in_both_roles(manifest: Path) -> None:
    plan = plan_of(manifest, protected_pairs=1, protected_attacks=["base2", "none", "lb"])
    parts = [(p["attack"], p["target"], p["donor"], p["role"]) for p in plan.parts()]
    assert parts == [
        (attack, *roles)
        for roles in (("id1", "id0", "donor"), ("id0", "id1", "target"))
        for attack in ("none", "base2", "lb")
    ]
    assert len(set(plan.scores())) == len(parts)
    assert {part["source"] for part in plan.parts()} == {"hrnet"}


def test_an_extractor_that_the_build_lacks_is_named(manifest: Path) -> None:
    with pytest.raises(ConfigError, match=r"landmark_breaker\.protected_extractor: 'dlib'"):
        plan_of(manifest, protected_extractor="dlib")


# -- clips and landmarks -----------------------------------------------------------------------


def landmarks() -> np.ndarray:
    """Return a face that moves, unseen in two frames."""
    points = np.stack([MEAN_FACE * 20 + [10 + k / 2, 12] for k in range(COUNT)])
    points[list(FACELESS)] = np.nan
    return points.astype(np.float32)


@pytest.fixture
def person(tmp_path: Path) -> PersonFiles:
    found = PersonFiles(tmp_path / "clips", tmp_path / "landmarks", VERDICTS)
    for folder in (found.clips, found.landmarks, tmp_path / "out"):
        folder.mkdir()
    with VideoWriter(found.clips / "id0_0000.mkv", WIDTH, HEIGHT, codec="lossless") as video:
        for k in range(COUNT):
            video.write(np.full((HEIGHT, WIDTH, 3), 40 + 3 * k, np.uint8))
    record = {"width": WIDTH, "height": HEIGHT, "fps": 30.0, "frames": COUNT}
    write_json(found.clips / "ingest.json", dict.fromkeys(VERDICTS, record))
    ClipLandmarks(landmarks(), landmarks()).save(found.landmarks / "id0_0000.npz")
    return found


class Brighter:
    """Adds 20 to all pixels of frames with a face."""

    def protect(
        self, frames: Iterable[np.ndarray], landmarks: Iterable[np.ndarray]
    ) -> Iterator[np.ndarray]:
        for frame, points in zip(frames, landmarks, strict=True):
            assert points.shape == (1, 68, 2)
            yield frame + np.uint8(20) if np.isfinite(points).all() else frame


def shown(clip: Path) -> np.ndarray:
    return np.stack(list(frames(clip))).astype(int)


def test_clips_are_stored_as_ingested_ones_are(person: PersonFiles, tmp_path: Path) -> None:
    clean = shown(person.clips / "id0_0000.mkv")
    for protector in (None, Brighter()):
        write_protected_clips(tmp_path / "out", person, protector, compression="none")
        change = (shown(tmp_path / "out" / "id0_0000.mkv") - clean).mean((1, 2, 3))
        expected = np.full(COUNT, 20.0 if protector else 0.0)
        expected[list(FACELESS)] = 0
        assert change == pytest.approx(expected, abs=1)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"id0_0000.mkv", "ingest.json"}
    assert list(read_json(tmp_path / "out" / "ingest.json")) == ["id0_0000"]


@pytest.mark.parametrize("compression", ["mpeg4", "mpeg4+h264"])
def test_clips_may_be_compressed(person: PersonFiles, tmp_path: Path, compression: str) -> None:
    write_protected_clips(tmp_path / "out", person, Brighter(), compression=compression)
    stored = shown(tmp_path / "out" / "id0_0000.mkv")
    write_protected_clips(tmp_path / "out", person, Brighter(), compression="none")
    exact = shown(tmp_path / "out" / "id0_0000.mkv")
    assert len(stored) == len(exact)
    assert 0 < np.abs(stored - exact).mean() < 5


@pytest.mark.parametrize("protector", [None, Brighter()])
@pytest.mark.parametrize("change", [-1, 1])
def test_a_clip_that_does_not_fit_its_landmarks_is_named(
    person: PersonFiles, tmp_path: Path, protector: Brighter | None, change: int
) -> None:
    other = np.resize(landmarks(), (COUNT + change, 68, 2))
    ClipLandmarks(other, other).save(person.landmarks / "id0_0000.npz")
    with pytest.raises(DataError, match=r"id0_0000\.mkv.*frames"):
        write_protected_clips(tmp_path / "out", person, protector, compression="none")
    assert not list((tmp_path / "out").iterdir())


@dataclass
class CornerOfBox:
    """Finds the mean face, of 10 pixels, at the box's corner; `flat` finds all points there."""

    flat: bool = False
    device: str = "cpu"
    seen: list[int] = field(default_factory=list)

    def landmarks(self, images: Tensor, boxes: Tensor) -> Tensor:
        self.seen += images[:, 0, 0, 0].int().tolist()
        face = torch.tensor(MEAN_FACE).float() * (0 if self.flat else 10)
        return boxes[:, None, :2] + face


def test_landmarks_are_looked_for_where_the_face_is(person: PersonFiles) -> None:
    extractor: Any = CornerOfBox()
    found = find_in_clip(extractor, frames(person.clips / "id0_0000.mkv"), landmarks())
    kept = [k for k in range(COUNT) if k not in FACELESS]
    assert extractor.seen == pytest.approx([40 + 3 * k for k in kept], abs=2)
    assert np.isnan(found[list(FACELESS)]).all()
    corners = np.stack([box_from_landmarks(landmarks()[k])[:2] for k in kept])
    assert found[kept] == pytest.approx(corners[:, None] + 10 * MEAN_FACE, abs=1e-4)


def test_points_that_fall_together_are_no_face(person: PersonFiles) -> None:
    flat: Any = CornerOfBox(flat=True)
    assert np.isnan(find_in_clip(flat, frames(person.clips / "id0_0000.mkv"), landmarks())).all()


def test_tracks_keep_all_but_the_persons_landmarks(person: PersonFiles, tmp_path: Path) -> None:
    seen = [k for k in range(COUNT) if k not in FACELESS]
    other = np.zeros((3, 68, 2), np.float32)
    count = len(other) + len(seen)
    tracks = ClipTracks(
        frames=COUNT,
        width=WIDTH,
        height=HEIGHT,
        fps=30.0,
        cuts=np.array([9], np.int32),
        track=np.array([1] * 3 + [4] * len(seen), np.int32),
        frame=np.array([0, 1, 2, *seen], np.int32),
        box=np.zeros((count, 4), np.float32),
        landmarks=np.concatenate([other, landmarks()[seen]]),
        detected=np.ones(count, bool),
        embeddings=np.zeros((0, 128), np.float32),
        embedding_track=np.zeros(0, np.int32),
        embedding_frame=np.zeros(0, np.int32),
    )
    tracks.save(tmp_path / "id0_0000.npz")
    extractor: Any = CornerOfBox()
    write_found_tracks(tmp_path / "out", person, tmp_path, extractor, log=None)
    found = ClipTracks.load(tmp_path / "out" / "id0_0000.npz")
    assert (found.landmarks[:3] == 0).all()
    assert np.ptp(found.landmarks_of([4])[seen], axis=1).max() == pytest.approx(10, abs=0.01)
    assert found.cuts.tolist() == [9]
    assert (found.frame == tracks.frame).all()


# -- the table ---------------------------------------------------------------------------------


def test_landmarks_are_judged_by_error_and_shape(tmp_path: Path) -> None:
    known = np.stack([MEAN_FACE * 50 + k for k in range(4)]).astype(np.float32)
    eyes = float(np.linalg.norm(known[0, 36] - known[0, 45]))
    moved = known + [eyes, 0]
    moved[0] = np.nan
    moved[3] = np.random.default_rng(0).uniform(0, 50, (68, 2))
    for place, points in (("known", known), ("lb/fan/landmarks/id0", moved)):
        (tmp_path / place).mkdir(parents=True)
        both = points.astype(np.float32)
        ClipLandmarks(both, both).save(tmp_path / place / "id0_0000.npz")
    (tmp_path / "none/fan/landmarks/id0").mkdir(parents=True)
    folders = [tmp_path / f"{attack}/fan/landmarks/id0" for attack in ("none", "lb")]
    facts = landmark_facts(folders, {"id0": tmp_path / "known"})
    assert facts["lb", "id0"]["face_shaped"] == pytest.approx(2 / 3)
    error = np.linalg.norm(moved[3] - known[3], axis=1).mean() / eyes
    assert facts["lb", "id0"]["nme"] == pytest.approx((1 + 1 + error) / 3, rel=1e-4)
    assert np.isnan(list(facts["none", "id0"].values())).all()


def scores(folder: Path, values: list[float]) -> Path:
    rows = {
        "method": "celebdf",
        "fake": [f"id1_id0_{k}" for k in range(len(values))],
        "frames": 10,
        "mask_ssim": values,
        "masked_frame_ssim": values,
        "identity_donor": values,
        "donor_distance": values,
    }
    path = folder / f"{len(values)}.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_table_has_a_row_for_each_attack_and_role(tmp_path: Path) -> None:
    common = {"source": "fan", "method": "celebdf", "target": "id1", "donor": "id0"}
    parts = [{"attack": name, **common, "role": "donor"} for name in ("none", "lb")]
    files = [scores(tmp_path, [0.9, 0.7, float("nan")]), scores(tmp_path, [0.5, 0.3])]
    quality = {("none", "id0"): {"nme": 0.1, "face_shaped": 1.0}}
    quality["lb", "id0"] = {"nme": 0.8, "face_shaped": 0.0}
    table = protected_table(
        read_scores(parts, files), ["none", "lb"], quality, seed=1, level=0.95, resamples=100
    )
    assert table["attack"].tolist() == ["none", "lb"]
    assert table["mask_ssim"].tolist() == pytest.approx([0.8, 0.4])
    assert (table["mask_ssim_low"] <= table["mask_ssim"]).all()
    assert table["donor_distance"].tolist() == pytest.approx([0.8, 0.4])
    assert table["nme"].tolist() == [0.1, 0.8]
    assert table["videos"].tolist() == [2, 2]
    assert table["role"].tolist() == ["donor"] * 2
    assert protected_table(read_scores([], []), [], {}, seed=1, level=0.95, resamples=9).empty
