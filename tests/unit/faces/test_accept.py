"""Every clip gets one verdict; the subject is who its clips have in common."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from material.tracks import clip, person

from swapset.config.sections import AcceptSettings
from swapset.faces.accept import accept_clips, clips_table
from swapset.faces.accept_all import judge_clips
from swapset.faces.clip_tracks import ClipTracks
from swapset.media.ingest import IngestRecord

SETTINGS = AcceptSettings()


WHOLE = range(100)
ANN, BOB = person(1), person(2)


def test_good_clips_are_accepted_with_their_measures() -> None:
    verdicts = accept_clips(
        {"ann": {"a0": clip((ANN, WHOLE)), "a1": clip((ANN, range(40, 90)))}}, SETTINGS
    )
    assert [verdicts[name].accepted for name in ("a0", "a1")] == [True, True]
    verdict = verdicts["a1"]
    assert (verdict.frames, verdict.clip_frames, verdict.gaps, verdict.reason) == (50, 100, 0, "")
    assert verdict.face_height == pytest.approx(120)
    assert verdict.distance_own is not None
    assert verdict.distance_own < 0.3
    assert verdict.distance_other is None
    json.dumps(verdict.to_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (clip((ANN, range(20)), frames=20), "too_few_frames"),
        (clip((ANN, range(29))), "too_few_frames"),
        (clip((ANN, range(45))), "too_few_frames"),
        (clip(), "no_face"),
        (clip(upside_down=180.0), "upside_down"),
        (clip(tiny_face=22.0), "face_too_small"),
        (clip((ANN, WHOLE), side=40), "face_too_small"),
        (clip((ANN, WHOLE), (BOB, WHOLE)), "several_people"),
        (clip(frames=0), "too_few_frames"),
    ],
)
def test_each_fault_has_its_reason(found: ClipTracks, reason: str) -> None:
    verdict = accept_clips({"ann": {"a0": found}}, SETTINGS)["a0"]
    assert (verdict.accepted, verdict.reason) == (False, reason)
    assert verdict.detail


@pytest.mark.parametrize(
    ("given", "reason"),
    [("no_video", "no_video"), ("unreadable", "unreadable"), ("no_frames", "unreadable")],
)
def test_a_failed_ingest_keeps_its_reason_and_detail(given: str, reason: str) -> None:
    record = SimpleNamespace(reason=given, detail="why", width=0, height=0, fps=0.0)
    verdict = accept_clips({"ann": {"a0": record}}, SETTINGS)["a0"]
    assert (verdict.accepted, verdict.reason, verdict.detail) == (False, reason, "why")


def test_the_subject_is_chosen_by_identity_not_by_presence() -> None:
    clips = {
        "a0": clip((ANN, WHOLE)),
        "a1": clip((BOB, WHOLE), (ANN, range(20, 90))),
        "a2": clip((ANN, WHOLE)),
    }
    verdict = accept_clips({"ann": clips}, SETTINGS)["a1"]
    assert verdict.accepted
    assert verdict.tracks == [1]


def test_a_clip_of_someone_else_is_rejected_and_spoils_no_other() -> None:
    clips = {name: clip((ANN, WHOLE)) for name in ("a0", "a1", "a2")} | {"a3": clip((BOB, WHOLE))}
    verdicts = accept_clips({"ann": clips}, SETTINGS)
    assert [each.reason for each in verdicts.values()] == ["", "", "", "wrong_identity"]


def test_of_two_clips_that_disagree_the_one_known_as_another_subject_is_wrong() -> None:
    verdicts = accept_clips(
        {
            "ann": {"a0": clip((BOB, WHOLE)), "a1": clip((ANN, WHOLE))},
            "bob": {"b0": clip((BOB, WHOLE)), "b1": clip((BOB, WHOLE))},
        },
        SETTINGS,
    )
    assert {name: each.reason for name, each in verdicts.items()} == {
        "a0": "wrong_identity",
        "a1": "",
        "b0": "",
        "b1": "",
    }


def test_morphs_within_dlibs_threshold_stay_apart() -> None:
    morph = person(3, like=ANN, apart=0.35)
    subjects = {
        "ann": {"a0": clip((ANN, WHOLE)), "a1": clip((morph, WHOLE), (ANN, range(70)))},
        "morph": {"m0": clip((morph, WHOLE)), "m1": clip((ANN, WHOLE), (morph, range(70)))},
    }
    verdicts = accept_clips(subjects, SETTINGS)
    assert all(each.accepted for each in verdicts.values())
    assert verdicts["a1"].tracks == [1]
    assert verdicts["m1"].tracks == [1]
    assert verdicts["a0"].distance_own < verdicts["a0"].distance_other


def test_a_mislabelled_clip_of_a_morph_is_rejected() -> None:
    morph = person(3, like=ANN, apart=0.35)
    subjects = {
        "ann": {name: clip((ANN, WHOLE)) for name in ("a0", "a1")} | {"a2": clip((morph, WHOLE))},
        "morph": {name: clip((morph, WHOLE)) for name in ("m0", "m1")},
    }
    verdict = accept_clips(subjects, SETTINGS)["a2"]
    assert verdict.reason == "wrong_identity"
    assert "subject morph" in verdict.detail


def test_shots_of_one_person_are_joined_and_of_another_left_out() -> None:
    cut = clip((ANN, range(30)), (BOB, range(30, 60)), (ANN, range(65, 100)), cuts=(30, 60))
    verdict = accept_clips({"ann": {"a0": cut, "a1": clip((ANN, WHOLE))}}, SETTINGS)["a0"]
    assert verdict.accepted
    assert verdict.tracks == [0, 2]
    assert (verdict.frames, verdict.gaps, verdict.cuts) == (65, 35, 2)


def test_tracks_of_one_person_never_share_a_frame() -> None:
    double = clip((ANN, range(60)), (ANN, range(40, 100)))
    verdict = accept_clips({"ann": {"a0": double, "a1": clip((ANN, WHOLE))}}, SETTINGS)["a0"]
    assert len(verdict.tracks) == 1


def test_the_order_of_subjects_and_clips_does_not_matter() -> None:
    subjects = {
        "ann": {"a0": clip((ANN, WHOLE)), "a1": clip((BOB, WHOLE), (ANN, WHOLE))},
        "bob": {"b0": clip((BOB, WHOLE)), "b1": clip((ANN, WHOLE), (BOB, WHOLE))},
    }
    turned = {
        name: dict(reversed(list(own.items()))) for name, own in reversed(list(subjects.items()))
    }
    assert accept_clips(subjects, SETTINGS) == accept_clips(turned, SETTINGS)


def test_the_table_has_one_row_per_clip() -> None:
    subjects = {"ann": {"a0": clip((ANN, WHOLE)), "a1": clip()}}
    table = clips_table(accept_clips(subjects, SETTINGS).values())
    assert ",".join(table.columns) == (
        "clip,subject,accepted,reason,frames,width,height,fps,face_height,repeated"
    )
    assert table["reason"].tolist() == ["", "no_face"]
    assert clips_table([]).columns.tolist() == table.columns.tolist()


def test_frozen_pictures_are_counted_and_limited(tmp_path: Path) -> None:
    clips = {"a0": clip((ANN, WHOLE)), "a1": clip((ANN, WHOLE)), "a2": clip()}
    for name, tracks in clips.items():
        tracks.save(tmp_path / f"{name}.npz")
    count = clips["a0"].frames
    records = {
        "a0": IngestRecord(ok=True, frames=count, repeated=count // 2),
        "a1": IngestRecord(ok=True, frames=count, repeated=count * 8 // 10),
        "a2": IngestRecord(ok=True, frames=count, repeated=count * 9 // 10),
    }
    verdicts, _ = judge_clips({"ann": records}, {"ann": tmp_path}, AcceptSettings())
    assert [each.reason for each in verdicts.values()] == ["", "frozen", "no_face"]
    assert verdicts["a1"].detail == "80% of its frames repeat the one before; at most 75%"
    assert clips_table(verdicts.values())["repeated"].tolist() == [
        record.repeated for record in records.values()
    ]
    lenient = AcceptSettings(max_repeated=0.8)
    assert judge_clips({"ann": records}, {"ann": tmp_path}, lenient)[0]["a1"].accepted
