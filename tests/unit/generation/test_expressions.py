"""Groups of like expressions: known answers, equal groups for all people, rare ones drawn more."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from material.expressive import expression, person, placed, talking
from torch import Tensor

from swapset.faces.align import MEAN_FACE
from swapset.generation import expressions
from swapset.generation.augment import plain_batch
from swapset.generation.bank import FaceBank
from swapset.generation.expressions import (
    FARTHEST,
    SPREADS,
    balanced,
    describe,
    group_centres,
    mean_faces,
)
from swapset.generation.size import EXPRESSION_VALUES

LIPS = ((61, 67), (62, 66), (63, 65))
WIDTH = MEAN_FACE[45, 0] - MEAN_FACE[36, 0]
CALM: dict[str, float] = {}
OPEN, CLOSED = {"mouth": 0.12}, {"eyes": 0.0}
LIGHT, DARK = (220, 180, 150), (140, 100, 80)


def described(**changed: float) -> np.ndarray:
    """Return what changes in the values (7,) of one face, among calm ones."""
    points = placed(np.stack([expression(**changed), *[expression()] * 4]))
    values = describe(points)
    assert values.dtype == np.float32
    assert values.shape == (5, EXPRESSION_VALUES) == (5, len(SPREADS))
    return values[0] - values[1]


def lids_apart() -> float:
    """Return the mean opening of the mean face's eyes."""
    pairs = [(37, 41, 36, 39), (38, 40, 36, 39), (43, 47, 42, 45), (44, 46, 42, 45)]
    distance = np.linalg.norm
    shares = [
        distance(MEAN_FACE[a] - MEAN_FACE[b]) / distance(MEAN_FACE[c] - MEAN_FACE[d])
        for a, b, c, d in pairs
    ]
    return float(np.mean(shares))


@pytest.mark.parametrize(
    ("place", "changed", "value"),
    [
        (0, {"eyes": 0.0}, -lids_apart()),
        (0, {"eyes": 1.5}, 0.5 * lids_apart()),
        (1, {"mouth": 0.12}, 0.12 / WIDTH),
        (2, {"wide": 0.05}, 0.05 / WIDTH),
        (3, {"brows": 0.03}, 0.03 / WIDTH),
        (4, {"aside": -0.06}, -0.06 / WIDTH),
        (5, {"down": 0.04}, 0.04 / WIDTH),
        (6, {"corners": -0.04}, -0.04 / WIDTH),
    ],
)
def test_each_value_is_what_it_says_and_no_other_changes(
    place: int, changed: dict[str, float], value: float
) -> None:
    values = described(**changed)
    assert values[place] * SPREADS[place] == pytest.approx(value, rel=2e-3)
    rest = np.delete(values, place)
    assert np.abs(rest).max() < 1e-3


def test_a_calm_face_has_the_mean_faces_lips_and_nothing_else() -> None:
    lips = np.mean([np.linalg.norm(MEAN_FACE[i] - MEAN_FACE[j]) for i, j in LIPS])
    calm = describe(placed(np.stack([expression()] * 3)))
    expected = np.zeros((3, 7))
    expected[:, 1] = lips / WIDTH / SPREADS[1]
    np.testing.assert_allclose(calm, expected, atol=1e-4)


def test_mouth_and_turn_are_absolute_and_the_rest_is_the_persons() -> None:
    usual = {"brows": 0.03, "wide": 0.04, "eyes": 0.7, "corners": 0.02, "down": 0.03}
    calm, always = (
        describe(placed(np.stack([expression(**usual, **more)] * 4)))[0]
        for more in ({}, {"mouth": 0.1, "aside": 0.05})
    )
    np.testing.assert_allclose(
        always - calm, [0, 0.1 / WIDTH / 0.03, 0, 0, 0.05 / WIDTH / 0.03, 0, 0], atol=0.02
    )
    assert np.abs(np.delete(calm, [1, 4])).max() < 1e-3


def test_eyes_are_compared_with_open_ones_of_somebody_who_often_closes_them() -> None:
    points = placed(np.stack([expression(eyes=size) for size in (0, 0, 0, 1, 1)]))
    np.testing.assert_allclose(describe(points)[3:, 0], 0, atol=1e-4)


def test_lids_behind_glasses_are_taken_to_close_as_far_as_others() -> None:
    def eyes(closed: float) -> np.ndarray:
        points = placed(np.stack([expression(eyes=size) for size in [1.0] * 18 + [closed] * 2]))
        return describe(points)[:, 0]

    seen, hidden, awake = eyes(0.1), eyes(0.75), eyes(0.99)
    np.testing.assert_allclose(seen[:18], 0, atol=1e-4)
    assert hidden[-1] == pytest.approx(-7.0, abs=0.1)
    assert seen[-1] == pytest.approx(-0.9 * lids_apart() / SPREADS[0], rel=2e-3)
    assert awake[-1] == pytest.approx(4 * -0.01 * lids_apart() / SPREADS[0], rel=2e-2)


def test_values_are_those_of_the_face_at_any_size_and_place() -> None:
    points = placed(np.stack([expression(**each) for each in talking(9)]))
    np.testing.assert_allclose(describe(points * 3 + 40), describe(points), atol=1e-3)


@pytest.mark.parametrize("wrong", ["one place", "one eye", "far apart"])
def test_wrong_landmarks_are_numbers_of_a_limited_size(wrong: str) -> None:
    points = placed(np.stack([expression(**each) for each in talking(9)]))
    right = describe(points)
    if wrong == "one place":
        points[3] = 50
    elif wrong == "one eye":
        points[3, 36:42] = points[3, 36]
    else:
        points[3, 8:60] *= 40
    values = describe(points)
    assert np.isfinite(values).all()
    assert np.abs(values).max() <= FARTHEST
    np.testing.assert_allclose(np.delete(values, 3, 0), np.delete(right, 3, 0), atol=0.5)


def known(values: Tensor) -> FaceBank:
    """Return black faces with known expressions (N, 7)."""
    faces = torch.zeros(len(values), 3, 8, 8, dtype=torch.uint8)
    return FaceBank(faces, 0.75, expressions=values)


def clusters(*parts: tuple[int, int, float]) -> FaceBank:
    """Return faces around points of the space: number, axis and distance from the middle."""
    generator, rows = torch.Generator().manual_seed(0), []
    for count, axis, distance in parts:
        noise = 0.05 * torch.randn(count, 7, generator=generator)
        noise[:, axis] += distance
        rows.append(noise)
    return known(torch.cat(rows))


def test_groups_are_found_and_the_same_in_every_run() -> None:
    banks = {"id0": clusters((30, 0, 0), (8, 0, -4)), "id1": clusters((20, 0, 0), (9, 1, 4))}
    centres = group_centres(banks, 3, seed=5)
    assert centres.dtype == torch.float32
    assert torch.equal(centres, group_centres(banks, 3, seed=5))
    wanted = torch.zeros(3, 7)
    wanted[0, 0], wanted[1, 1] = -4, 4
    assert float(torch.cdist(wanted, centres).min(dim=1).values.max()) < 0.15


def test_everybody_has_the_same_weight() -> None:
    # Two centres for three groups: the rarest two join. The few faces of id1 close their eyes more
    # often than the many of id0 open their mouth.
    banks = {"id0": clusters((300, 0, 0), (100, 1, 2)), "id1": clusters((4, 0, 0), (4, 0, -3))}
    centres = group_centres(banks, 2, seed=0)
    assert float(centres[:, 0].min()) == pytest.approx(-3, abs=0.1)
    assert float(centres[:, 1].max()) < 1


def test_many_faces_are_thinned_out_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "_LARGEST", 40)
    banks = {"id0": clusters((200, 0, 0), (200, 0, -3)), "id1": clusters((10, 0, 0))}
    centres = group_centres(banks, 2, seed=0)
    assert float(centres[:, 0].min()) == pytest.approx(-3, abs=0.1)


@pytest.mark.parametrize("faces", [1, 2, 3])
def test_fewer_faces_than_groups_fill_them_all(faces: int) -> None:
    banks = {
        "id0": known(torch.arange(faces)[:, None] * torch.ones(7)),
        "id1": known(torch.zeros(1, 7)),
    }
    centres = group_centres(banks, 8, seed=0)
    assert centres.shape == (8, 7)
    assert set(centres[:, 0].tolist()) == {float(value) for value in range(faces)}
    drawn = balanced(banks["id0"], centres).draw(50, torch.Generator().manual_seed(0))
    assert set(drawn.tolist()) == set(range(faces))


def share_of_rare(bank: FaceBank, rare: int, draws: int = 40_000) -> float:
    """Return the share of draws among the bank's last faces."""
    drawn = bank.draw(draws, torch.Generator().manual_seed(3))
    return float((drawn >= len(bank) - rare).float().mean())


def test_a_group_is_drawn_by_the_square_root_of_its_size() -> None:
    bank = clusters((90, 0, 0), (10, 0, -4))
    centres = torch.zeros(2, 7)
    centres[1, 0] = -4
    # 90 ** 0.5 : 10 ** 0.5 = 3 : 1; the standard deviation of the share is 0.002.
    assert share_of_rare(balanced(bank, centres), 10) == pytest.approx(0.25, abs=0.01)
    assert share_of_rare(bank, 10) == pytest.approx(0.1, abs=0.008)


@pytest.mark.parametrize("weighted", [False, True])
def test_draws_are_decided_by_the_seed_and_even_within_a_group(weighted: bool) -> None:
    bank = clusters((30, 0, 0), (6, 0, -4))
    centres = torch.zeros(2, 7)
    centres[1, 0] = -4
    bank = balanced(bank, centres) if weighted else bank
    one, same, other = (
        bank.draw(18_000, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    counts = torch.bincount(one, minlength=36).float()
    for group in (counts[:30], counts[30:]):
        assert float((group / group.mean() - 1).abs().max()) < 0.25


def test_all_chances_are_used() -> None:
    bank = balanced(clusters((5, 0, 0)), torch.zeros(1, 7))
    assert bank.chances is not None
    assert float(bank.chances[-1]) == 1
    assert torch.allclose(bank.chances, torch.arange(1, 6) / 5)


def test_textures_of_a_number_start_from_the_same_expression_in_all_people() -> None:
    many = {
        "id0": ([CALM] * 30 + [OPEN] * 6 + [CLOSED] * 4, LIGHT),
        "id1": ([OPEN] * 3 + [CALM] * 12 + [CLOSED] * 4, DARK),
    }
    banks = {name: person(*each) for name, each in many.items()}
    centres = group_centres(banks, 3, seed=0)
    numbers = [int(centres[:, 1].argmax()), int(centres[:, 0].argmin())]
    numbers = [*numbers, 3 - sum(numbers)]
    assert sorted(numbers) == [0, 1, 2]
    for name, (_, skin) in many.items():
        pictures = mean_faces(banks[name], centres, 72, 27 / 32)
        assert pictures.shape == (3, 3, 72, 72)
        for number, shown in zip(numbers, (OPEN, CLOSED, CALM), strict=True):
            (alone,) = mean_faces(person([shown], skin), torch.zeros(1, 7), 72, 27 / 32)
            assert float((pictures[number] - alone).abs().max()) < 1e-5


def test_a_group_that_somebody_lacks_starts_from_the_nearest_face() -> None:
    bank = person([CALM] * 6 + [CLOSED] * 2)
    centres = torch.zeros(3, 7)
    centres[1, 0], centres[2, 1] = -8, 30  # nobody opens the mouth that far
    pictures = mean_faces(bank, centres, 72, 27 / 32)
    torch.testing.assert_close(pictures[2], pictures[0])
    assert float((pictures[1] - pictures[0]).abs().max()) > 0.1


def test_a_mean_of_equal_faces_is_the_face_that_the_network_sees() -> None:
    bank = person([CALM] * 5)
    seen = plain_batch(bank, torch.tensor([0]), 64).target[0]
    (mean,) = mean_faces(bank, torch.zeros(1, 7), 72, 27 / 32)
    assert float((mean[:, 4:-4, 4:-4] - seen).abs().max()) < 1e-4


@pytest.mark.parametrize("count", [1, 3, 12])
def test_few_faces_give_textures_that_differ(count: int) -> None:
    bank = person(([CALM, OPEN, CLOSED] * 4)[:count])
    centres = group_centres({"id0": bank}, 3, seed=0)
    pictures = mean_faces(bank, centres, 72, 27 / 32)
    assert pictures.isfinite().all()
    differing = len({round(float(each.mean()), 5) for each in pictures})
    assert differing == min(count, 3)


def test_faces_without_expressions_are_refused() -> None:
    bank = FaceBank(torch.zeros(2, 3, 8, 8, dtype=torch.uint8), 0.75)
    with pytest.raises(ValueError, match="without their expressions"):
        group_centres({"id0": bank}, 2, seed=0)
