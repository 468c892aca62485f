"""Files of rule `accept`: decisions, which later jobs use, apart from what was measured."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from swapset.faces.accept_all import VerdictFiles, read_ingested, write_verdicts
from swapset.faces.same_people import SamePeople
from swapset.faces.verdict import Verdict
from swapset.io.files import sha256_of, write_json

GOOD = Verdict("id0_0000", "id0", True, tracks=[2], frames=90, distance_own=0.15)
BAD = Verdict("id0_0001", "id0").reject("no_face", "no face was found")
OTHER = Verdict("id1_0000", "id1", True, tracks=[0], frames=80)


@pytest.fixture
def files(tmp_path: Path) -> VerdictFiles:
    """Files of `ingest` and `track`, and places of the verdicts."""
    for subject, clips in {"id0": ["id0_0000", "id0_0001"], "id1": ["id1_0000"]}.items():
        folder = tmp_path / "clips" / subject
        folder.mkdir(parents=True)
        (tmp_path / "tracks" / subject).mkdir(parents=True)
        good = [clip for clip in clips if clip != BAD.clip]
        records = {clip: {"ok": clip in good, "source_sha256": f"of {clip}"} for clip in clips}
        write_json(folder / "ingest.json", records)
        write_json(folder / "sha256.json", {clip: f"video {clip}" for clip in good})
        for clip in good:
            (tmp_path / "tracks" / subject / f"{clip}.npz").write_text(clip)
    kinds = ("clips", "tracks", "accepted", "verdicts")
    paths = [
        {s: tmp_path / kind / f"{s}{'' if kind in kinds[:2] else '.json'}" for s in ("id0", "id1")}
        for kind in kinds
    ]
    return VerdictFiles(*paths, table=tmp_path / "clips.csv", same=tmp_path / "same_people.csv")


def write(files: VerdictFiles, *verdicts: Verdict) -> None:
    requests = {verdict.clip: f"request {verdict.clip}" for verdict in verdicts}
    ingested = read_ingested(files.clips)
    same = [SamePeople("id0", "id1", ([], []), 0.12, None)]
    write_verdicts({v.clip: v for v in verdicts}, ingested, requests, same, files)


def test_decisions_have_what_jobs_use_and_no_measure(files: VerdictFiles, tmp_path: Path) -> None:
    write(files, GOOD, BAD, OTHER)
    assert json.loads(files.decisions["id0"].read_text()) == {
        "id0_0000": {
            "subject": "id0",
            "accepted": True,
            "reason": "",
            "tracks": [2],
            "clip_sha256": "video id0_0000",
            "tracks_sha256": sha256_of(tmp_path / "tracks" / "id0" / "id0_0000.npz"),
            "source_sha256": "of id0_0000",
            "request": "request id0_0000",
        },
        "id0_0001": {
            "subject": "id0",
            "accepted": False,
            "reason": "no_face",
            "tracks": [],
            "clip_sha256": "",
            "tracks_sha256": "",
            "source_sha256": "of id0_0001",
            "request": "request id0_0001",
        },
    }
    measured = json.loads(files.verdicts["id0"].read_text())
    assert measured["id0_0000"]["distance_own"] == 0.15
    assert measured["id0_0001"]["detail"] == "no face was found"
    assert measured["id0_0001"]["source_sha256"] == "of id0_0001"
    assert files.table.read_text().count("\n") == 4
    assert files.same.read_text() == "subject,same_as\nid1,id0\n"


def test_the_fourth_digit_changes_no_decision(files: VerdictFiles) -> None:
    write(files, GOOD, BAD, OTHER)
    before = {path: path.read_bytes() for path in files.decisions.values()}
    measured = files.verdicts["id0"].read_bytes()
    write(files, replace(GOOD, distance_own=0.1501, distance_other=0.64), BAD, OTHER)
    assert {path: path.read_bytes() for path in files.decisions.values()} == before
    assert files.verdicts["id0"].read_bytes() != measured
