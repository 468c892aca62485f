"""Decisions of rule `accept`, as far as later jobs compare them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from swapset.build.decisions import Decisions

SOURCES = {"id0_0000": "a", "id0_0001": "b", "id1_0000": "c"}


def decisions(root: Path, sources: dict[str, str] = SOURCES, here: bool = True) -> Decisions:
    def clips_of(subject: str) -> list[str]:
        return [clip for clip in sources if clip.startswith(f"{subject}_")]

    return Decisions(str(root), lambda clip: [clip], sources.__getitem__, clips_of, here=here)


def accept(root: Path, asked: Decisions, subject: str, **changed: Any) -> None:
    """Write decisions on all clips of a subject as they are asked for."""
    values = {
        clip: {
            **{"accepted": True, "reason": "", "tracks": [0]},
            **{"clip_sha256": clip, "tracks_sha256": clip, "request": request},
            "source_sha256": asked._content(clip),
            **changed.get(clip, {}),
        }
        for clip, request in asked.requests(subject).items()
    }
    path = root / "accepted" / f"{subject}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(values))


def test_nothing_is_decided_at_first(tmp_path: Path) -> None:
    first = decisions(tmp_path)
    assert first.open("id0")
    assert first.open("id0_0000")
    assert first.on_clip("id0_0000") is None
    assert first.accepted("id0", "id1") == {}


def test_decided_until_a_clip_changes(tmp_path: Path) -> None:
    first = decisions(tmp_path)
    for subject in ("id0", "id1"):
        accept(tmp_path, first, subject)
    assert not first.open("id0"), "it reads the file again after the job"
    changed = decisions(tmp_path, {**SOURCES, "id0_0001": "other"})
    assert [changed.open(name) for name in ("id0", "id1", "id0_0000", "id0_0001")] == [
        *(True, False),
        *(False, True),
    ]


def test_one_clip_more_or_less_leaves_the_others_decided(tmp_path: Path) -> None:
    accept(tmp_path, decisions(tmp_path), "id0")
    more = decisions(tmp_path, {**SOURCES, "id0_0002": "d"})
    assert [more.open(name) for name in ("id0", "id0_0000", "id0_0002")] == [True, False, True]
    fewer = decisions(tmp_path, {"id0_0000": "a"})
    assert [fewer.open(name) for name in ("id0", "id0_0000")] == [True, False]


def test_a_rejected_clip_is_nothing_to_jobs_on_its_subject(tmp_path: Path) -> None:
    asked = decisions(tmp_path)
    rejected = {"accepted": False, "reason": "no_face", "tracks": []}
    accept(tmp_path, asked, "id0", id0_0001=rejected)
    assert asked.accepted("id0") == {"id0_0000": [[0], "id0_0000", "id0_0000"]}
    assert asked.on_clip("id0_0001") == [False, "no_face", "id0_0001"]
    alone = decisions(tmp_path, {"id0_0000": "a"})
    accept(tmp_path, alone, "id0")
    assert alone.accepted("id0") == asked.accepted("id0")


def test_other_tracks_concern_jobs_on_the_subject_alone(tmp_path: Path) -> None:
    asked = decisions(tmp_path)
    accept(tmp_path, asked, "id0")
    before, clip = asked.accepted("id0"), asked.on_clip("id0_0000")
    accept(tmp_path, asked, "id0", id0_0000={"tracks": [0, 17]})
    assert asked.accepted("id0") != before
    assert asked.on_clip("id0_0000") == clip


def test_damaged_decisions_are_none(tmp_path: Path) -> None:
    asked = decisions(tmp_path)
    accept(tmp_path, asked, "id0")
    (tmp_path / "accepted" / "id0.json").write_text('{"id0_0000"')
    assert asked.open("id0")
    assert asked.accepted("id0") == {}


def test_results_elsewhere_are_not_looked_for(tmp_path: Path) -> None:
    accept(tmp_path, decisions(tmp_path), "id0")
    stored = decisions(tmp_path, here=False)
    assert stored.open("id0")
    assert stored.on_clip("id0_0000") is None
    assert stored.accepted("id0") == {}


def test_one_person_by_the_table(tmp_path: Path) -> None:
    table = tmp_path / "same_people.csv"
    merged = Decisions(str(tmp_path), lambda clip: None, str, list, same_people=[str(table)])
    assert not merged.one_person("id0", "id4"), "there is no table yet"
    table.write_text("subject,same_as\nid4,id0\nid7,id4\n")
    assert merged.one_person("id0", "id7")
    assert not merged.one_person("id0", "id1")
    table.write_text("damaged")
    assert not merged.one_person("id0", "id7")
    assert not decisions(tmp_path).one_person("id0", "id7"), "the config merges nobody"
