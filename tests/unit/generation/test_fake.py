"""Fakes that cannot be made: empty files, and the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from material.generation import synthesis_recipe

from swapset.dataset.labels import read_label_facts
from swapset.generation.fake import Encoding, FakeJob, write_fake

CARD = {"trained": True, "left_out": []}
VERDICT = {"accepted": True, "reason": ""}


@pytest.mark.parametrize(
    ("verdict", "card", "reason"),
    [
        ({}, {"one_person": True}, "id0 and id1 are one person"),
        ({"accepted": False, "reason": "no face"}, {}, "clip rejected: no face"),
        ({}, {"trained": False, "reason": "no accepted clip of id1"}, "no model: no accepted"),
        ({}, {"left_out": ["id2", "id1"]}, "no model: no accepted clip of id1"),
    ],
)
def test_fakes_without_clip_model_or_donor_are_empty_and_say_why(
    tmp_path: Path, verdict: dict[str, Any], card: dict[str, Any], reason: str
) -> None:
    one_person = "one_person" in card
    for name, value in (("card", CARD | card), ("verdicts", {"id0_0000": VERDICT | verdict})):
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    nowhere, video, labels = tmp_path / "none", tmp_path / "a.mp4", tmp_path / "a.parquet"
    files = {"verdicts": tmp_path / "verdicts.json", "card": tmp_path / "card.json"}
    job = FakeJob(
        *("celebdf", "id0", "id1", "0000"), nowhere, nowhere, model=nowhere, **files,
        one_person=one_person,
    )  # fmt: skip
    encoding = Encoding(codec="mpeg4", quality=2, fps=30)
    write_fake(
        job,
        synthesis_recipe(),
        encoding,
        video=video,
        labels=labels,
        device=torch.device("cpu"),
        precision="fp32",
    )
    assert video.stat().st_size == 0
    assert read_label_facts(labels)["reason"].startswith(reason)
