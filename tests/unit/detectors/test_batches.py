"""Batches of training faces."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from material.engine import MIXED, Tiny, faces

from swapset.detectors.batches import Batches, Example, check_classes
from swapset.detectors.face import Face
from swapset.errors import DataError, TrainingError


def example(face: Face, label: int, generator: np.random.Generator) -> Example:
    return Example(np.full((2, 2, 3), generator.integers(256), np.uint8), label)


def batches(labels, batch: int, *, seed: int = 0, keep: bool = False, make=example) -> Batches:
    return Batches(faces(labels), make, batch=batch, seed=seed, keep=keep)


@pytest.mark.parametrize(("batch", "real", "fake"), [(8, 4, 4), (2, 1, 1), (5, 2, 3)])
def test_a_batch_is_half_real_and_half_fake(batch, real, fake):
    with batches(MIXED, batch) as drawn:
        for step in range(5):
            labels = np.array(MIXED)[drawn.indices(step)]
            assert (np.count_nonzero(labels == 0), np.count_nonzero(labels)) == (real, fake)


def test_every_face_comes_before_any_comes_again():
    with batches(MIXED, 4) as drawn:
        seen = np.concatenate([drawn.indices(step) for step in range(12)])
    for label, members in ((0, 6), (1, 4)):
        own = [int(k) for k in seen if MIXED[k] == label]
        for start in range(0, len(own), members):
            counts = Counter(own[start : start + members])
            assert max(counts.values()) == 1
        assert len(set(own)) == members


def test_the_order_follows_the_seed_alone():
    with batches(MIXED, 4, seed=1) as one, batches(MIXED, 4, seed=2) as other:
        ones = [one.indices(step).tolist() for step in range(6)]
        assert [other.indices(step).tolist() for step in range(6)] != ones
    with batches(MIXED, 4, seed=1) as same:
        assert [same.indices(step).tolist() for step in reversed(range(6))] == ones[::-1]


def test_random_examples_follow_step_and_seed():
    cpu = torch.device("cpu")
    with batches(MIXED, 4, seed=1) as one, batches(MIXED, 4, seed=1) as same:
        first = [one.get(step, cpu) for step in range(3)]
        again = [same.get(step, cpu) for step in range(3)]
    for a, b in zip(first, again, strict=True):
        assert torch.equal(a.images, b.images)
        assert torch.equal(a.labels, b.labels)
    assert not torch.equal(first[0].images, first[1].images)
    assert first[0].images.shape == (4, 3, 2, 2)
    assert first[0].labels.tolist() == [0, 0, 1, 1]


def test_real_faces_alone_fill_a_batch():
    with batches([0, 0, 0], 4) as drawn:
        assert len(drawn.indices(0)) == 4
        assert drawn.get(0, torch.device("cpu")).labels.tolist() == [0] * 4


def test_kept_examples_are_made_once():
    made: list[int] = []

    def make(face: Face, label: int, generator: np.random.Generator) -> Example:
        made.append(label)
        return Example(np.zeros((2, 2, 3), np.uint8), label)

    with Batches(faces([0, 1]), make, batch=2, seed=0, keep=True, threads=1) as drawn:
        for step in range(20):
            drawn.get(step, torch.device("cpu"))
    assert len(made) == 2


def test_an_error_in_reading_reaches_the_training():
    def make(face: Face, label: int, generator: np.random.Generator) -> Example:
        raise DataError("this face is damaged")

    with batches(MIXED, 4, make=make) as drawn, pytest.raises(DataError, match="damaged"):
        drawn.get(0, torch.device("cpu"))


def test_unknown_pixels_of_masks_are_nan():
    mask = np.array([[0, 1], [255, 1]], np.uint8)

    def make(face: Face, label: int, generator: np.random.Generator) -> Example:
        return Example(np.zeros((2, 2, 3), np.uint8), label, mask)

    with batches(MIXED, 2, make=make) as drawn:
        found = drawn.get(0, torch.device("cpu")).swapped
    np.testing.assert_array_equal(found[0], [[0, 1], [np.nan, 1]])


@pytest.mark.parametrize(
    ("labels", "needs_fakes", "said"),
    [([1, 1], True, "no real"), ([0, 0], True, "no fake"), ([], False, "no real")],
)
def test_one_class_alone_is_refused(labels, needs_fakes, said):
    with pytest.raises(TrainingError, match=said):
        check_classes(faces(labels), needs_fakes=needs_fakes)


def test_real_faces_alone_do_where_no_fakes_are_needed():
    check_classes(faces([0, 0]), needs_fakes=False)
    with pytest.raises(TrainingError, match="no fake"):
        Tiny().fit(faces([0, 0]))
