"""One person under two names is told, rejected or merged; two people never are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from material.tracks import clip, person

from swapset.config.sections import AcceptSettings
from swapset.dataset.same_people import are_one, one_name, read_same_people, write_same_people
from swapset.faces.accept import accept_clips
from swapset.faces.accept_all import judge_clips
from swapset.faces.clip_tracks import ClipTracks
from swapset.faces.same_people import NEAR, SamePeople, find_same_people
from swapset.media.ingest import IngestRecord

SETTINGS = AcceptSettings()
WHOLE = range(100)
ANN, BOB, EVE = person(1), person(2), person(3)


def beside(vector: np.ndarray, distance: float, seed: int) -> np.ndarray:
    """Return an embedding at a distance from another one."""
    step = np.random.default_rng(seed).normal(size=128)
    return vector + distance * step / np.linalg.norm(step)


def clips_of(prefix: str, *vectors: np.ndarray) -> dict[str, ClipTracks]:
    return {f"{prefix}_{k:04d}": clip((vector, WHOLE)) for k, vector in enumerate(vectors)}


def found(subjects: dict[str, dict[str, ClipTracks]]) -> list[SamePeople]:
    return find_same_people(subjects, accept_clips(subjects, SETTINGS))


def test_a_person_with_two_names_is_found_with_both_and_the_clips() -> None:
    subjects = {
        "id0": clips_of("id0", ANN, beside(ANN, 0.17, 5)),
        "id1": clips_of("id1", BOB, BOB),
        "id2": clips_of("id2", beside(ANN, 0.12, 6)),
    }
    (pair,) = found(subjects)
    assert (pair.first, pair.second) == ("id0", "id2")
    assert pair.clips == (["id0_0000", "id0_0001"], ["id2_0000"])
    assert pair.distance == pytest.approx(0.147, abs=0.02)
    assert pair.within == pytest.approx(0.17, abs=0.02)
    told = pair.notice("notice")
    assert told.startswith("id0 and id2 seem to be one person, at a distance of 0.1")
    assert "id0_0000, id0_0001 and id2_0000" in told
    assert "accept.same_person" in told
    assert "the clips of id2 are rejected" in pair.notice("reject")
    assert "not swapped with each other" in pair.notice("merge")


@pytest.mark.parametrize(
    ("apart", "within", "same"),
    [
        (NEAR - 0.02, 0.0, True),
        (NEAR + 0.03, 0.0, False),  # identity morphs and their parents: 0.31 and more
        (0.35, 0.17, False),
        (0.35, 0.42, True),  # no farther than the person's own clips
        (0.48, 0.55, False),
    ],
)
def test_the_limit_is_fixed_or_the_distance_within(apart: float, within: float, same: bool) -> None:
    ann = [ANN, beside(ANN, within, 7)]
    middle = np.mean(ann, axis=0)
    subjects = {"id0": clips_of("id0", *ann), "id1": clips_of("id1", beside(middle, apart, 8))}
    assert bool(found(subjects)) is same


def test_rejected_clips_tell_nothing() -> None:
    subjects = {
        "id0": clips_of("id0", ANN, ANN),
        "id1": {"id1_0000": clip((ANN, range(10))), "id1_0001": clip((BOB, WHOLE))},
    }
    assert found(subjects) == []
    assert found({"id0": clips_of("id0", ANN)}) == []


def test_a_name_of_the_same_person_is_nobody_else() -> None:
    """A copy of a recording under another name is nearer than the person's own other clip."""
    subjects = {"id0": clips_of("id0", ANN, beside(ANN, 0.2, 9)), "id1": clips_of("id1", ANN, ANN)}
    alone = accept_clips(subjects, SETTINGS)
    assert alone["id0_0000"].reason == "wrong_identity"
    assert all(each.accepted for each in accept_clips(subjects, SETTINGS, {"id1": "id0"}).values())


def ingested(tmp_path: Path, subjects: dict[str, dict[str, ClipTracks]]):
    """Return the arguments of `judge_clips`."""
    record = IngestRecord(ok=True)
    for subject, clips in subjects.items():
        (tmp_path / subject).mkdir(exist_ok=True)
        for name, tracks in clips.items():
            tracks.save(tmp_path / subject / f"{name}.npz")
    records = {subject: dict.fromkeys(clips, record) for subject, clips in subjects.items()}
    return records, {subject: tmp_path / subject for subject in subjects}


THREE = {
    "id0": clips_of("id0", ANN, beside(ANN, 0.2, 9)),
    "id1": clips_of("id1", BOB, BOB),
    "id2": clips_of("id2", ANN, ANN),
    "id3": clips_of("id3", beside(ANN, 0.05, 4)),
}


@pytest.mark.parametrize("policy", ["notice", "reject", "merge"])
def test_policies(tmp_path: Path, caplog: pytest.LogCaptureFixture, policy: str) -> None:
    settings = AcceptSettings(same_person=policy)
    verdicts, same = judge_clips(*ingested(tmp_path, THREE), settings)
    rejected = {name: each.reason for name, each in verdicts.items() if not each.accepted}
    second = ["id2_0000", "id2_0001", "id3_0000"]
    assert rejected == (dict.fromkeys(second, "same_person") if policy == "reject" else {})
    assert {(each.first, each.second) for each in same} == {
        ("id0", "id2"), ("id0", "id3"), ("id2", "id3")
    }  # fmt: skip
    notices = [record.getMessage() for record in caplog.records if "seem to be" in record.message]
    assert len(notices) == 3
    if policy == "reject":
        assert verdicts["id3_0000"].detail.startswith("the same person as id0, distance 0.")


def test_names_are_one_also_over_a_third_name() -> None:
    assert one_name([("id4", "id7"), ("id0", "id4"), ("id2", "id1")]) == {
        "id7": "id0",
        "id4": "id0",
        "id1": "id2",
    }
    pairs = [("id0", "id4"), ("id4", "id7")]
    assert are_one(pairs, "id7", "id0")
    assert are_one(pairs, "id3", "id3")
    assert not are_one(pairs, "id7", "id1")


def test_the_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    for pairs in ([], [("id0", "id4"), ("id1", "10")]):
        write_same_people(tmp_path / "same.csv", pairs)
        assert read_same_people([tmp_path / "same.csv"]) == pairs
    assert read_same_people([]) == []
