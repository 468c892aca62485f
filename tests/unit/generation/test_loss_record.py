"""Record of losses: a row for each step, or means of several steps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from material.generation import CPU

from swapset.generation import loss_record
from swapset.generation.loss_record import LossRecord


def filled(steps: int, done: int) -> LossRecord:
    record = LossRecord(steps, ["id0", "id1"], CPU)
    for step in range(done):
        record.add(step, 0, torch.tensor(float(step)))
        if step % 2:
            record.add(step, 1, torch.tensor(1.0))
    return record


def test_short_trainings_have_a_row_for_each_step() -> None:
    table = filled(10, 6).table(6)
    assert table["step"].tolist() == [1, 2, 3, 4, 5, 6]
    assert table["id0"].tolist() == [0, 1, 2, 3, 4, 5]
    assert np.isnan(table["id1"][0])
    assert table["id1"][1] == 1


def test_long_trainings_have_rows_of_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_record, "MOST_ROWS", 4)
    record = filled(11, 11)
    assert record.sums.shape == (4, 2)
    table = record.table(11)
    assert table["step"].tolist() == [3, 6, 9, 11]
    assert table["id0"].tolist() == [1, 4, 7, 9.5]
    assert table["id1"].tolist() == [1, 1, 1, 1]


def test_a_record_is_restored_from_its_tensors() -> None:
    one, other = filled(10, 6), LossRecord(10, ["id0", "id1"], CPU)
    other.restore(one.sums, one.counts)
    assert other.table(6).equals(one.table(6))
