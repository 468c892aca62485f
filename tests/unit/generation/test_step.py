"""Recorded steps: which calls run plainly, which are recorded, and which replay."""

from __future__ import annotations

import pytest
import torch

from swapset.generation.step import Outcome, RecordedStep


class Sided:
    """A step that only knows its side."""

    coarse = False


@pytest.mark.parametrize("fails", [False, True])
def test_a_step_is_recorded_again_for_whole_faces_unless_it_cannot_be(
    monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    done: list[str] = []
    sided = Sided()
    recorded = RecordedStep(sided)  # type: ignore[arg-type]

    class Replay:
        graph = type("Graph", (), {"replay": lambda self: done.append("replayed")})()
        outcome, shares = Outcome(torch.zeros(()), {}, {}), {}

    def record(*_: object) -> Replay | None:
        done.append("recorded")
        if fails:
            recorded._replacement = torch.Generator()
        return None if fails else Replay()

    monkeypatch.setattr(recorded, "_record", record)
    monkeypatch.setattr(recorded, "_run_on_side_stream", lambda *_: done.append("plain"))
    for index in range(12):
        sided.coarse = index < 6
        recorded(["id0"], torch.Generator(), {})
    if fails:
        assert done == ["plain"] * 3 + ["recorded"] + ["plain"] * 9
    else:
        assert done == (["plain"] * 3 + ["recorded"] + ["replayed"] * 3) * 2
