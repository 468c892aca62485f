"""The update equations, the loop and its budget; test_contract has what all attacks keep to."""

from __future__ import annotations

import pytest
import torch
from material.obstruction import Convolutions, Plane, counted, noisier, pictures, plainly
from torch import Tensor, nn

from swapset.errors import ConfigError, DataError
from swapset.obstruction.attacks.base import Attack
from swapset.obstruction.attacks.fgsm import Base1, Base2
from swapset.obstruction.attacks.images import random_offsets
from swapset.obstruction.attacks.landmark_breaker import (
    LandmarkBreaker,
    LBMix,
    LBTrans,
    l1_normalised,
    placed,
)
from swapset.obstruction.attacks.objective import Reference
from swapset.obstruction.attacks.registry import make_attack


def pixel(*colours: float) -> Tensor:
    return torch.tensor(colours, dtype=torch.float64).view(1, 3, 1, 1)


class Scripted(LandmarkBreaker):
    """Follows gradients that are given."""

    def __init__(self, gradients: list[Tensor], **settings):
        super().__init__(iterations=len(gradients), **settings)
        self.given = gradients

    def gradient(self, extractor, noisy: Tensor, reference: Reference, turn: int) -> Tensor:
        return self.given[turn].expand(len(noisy), -1, -1, -1)


class Bright(Attack):
    """Makes everything brighter, as fast as it may."""

    name = "bright"

    def gradient(self, extractor, noisy: Tensor, reference: Reference, turn: int) -> Tensor:
        return -torch.ones_like(extractor.heatmaps(noisy)[:, :1, :1, :1] * noisy)


# -- the update equations ----------------------------------------------------------------------


def test_steps_turn_the_map_away_from_the_clean_one() -> None:
    # From (31, 40) on, the vector turns further away from (30, 40): red up, green down. Blue has
    # no gradient. Equation 4.1's gradient at (31, 40) is (-0.62475, 0.48419) / (50 √2561).
    clean, start = pixel(30, 40, 100), pixel(31, 40, 100)
    for steps, wanted in ((1, (32, 39, 100)), (2, (33, 38, 100)), (3, (34, 37, 100))):
        for kind in (Base2, LandmarkBreaker):
            found = kind(iterations=steps, budget="project").run(Plane(), clean, start=start)
            assert found.flatten().tolist() == list(wanted)


def test_the_gradient_is_that_of_the_cosine() -> None:
    clean, noisy = pixel(30, 40, 100), pixel(31, 40, 100)
    attack = Base2()
    reference = attack.reference(Plane(), clean)
    found = attack.gradient(Plane(), noisy, reference, 0).flatten()
    length = 50 * 2561**0.5
    wanted = torch.tensor([30 - 2530 / 2561 * 31, 40 - 2530 / 2561 * 40, 0]) / length
    torch.testing.assert_close(found, wanted.double(), rtol=1e-5, atol=1e-12)
    assert attack.losses(Plane(), noisy, reference, 0).item() == pytest.approx(2530 / length)


def test_momentum_is_of_normalised_gradients_not_of_their_signs() -> None:
    gradients = [pixel(30, 10, 0), pixel(-1, 3, 0), pixel(-4, -4, 0)]
    # m1 = (.75, .25), m2 = (.375 - .25, .125 + .75) = (.125, .875), m3 = (.0625 - .5, .4375 - .5).
    expected = [(99, 99), (98, 98), (99, 99)]
    for steps, wanted in enumerate(expected, 1):
        found = Scripted(gradients[:steps]).run(Plane(), pixel(100, 100, 100))
        assert found.flatten().tolist() == [*wanted, 100]
    # Momentum of signs: (1, 1), then (-.5, 1.5): the second step would give (100, 98).
    without = Scripted(gradients[:2], decay=0).run(Plane(), pixel(100, 100, 100))
    assert without.flatten().tolist() == [100, 98, 100]


def test_the_l1_norm_is_each_pictures_own() -> None:
    gradient = torch.cat((pixel(1, -2, 1), pixel(0, 0, 0), pixel(0, 1e-30, 0)))
    wanted = torch.cat((pixel(0.25, -0.5, 0.25), pixel(0, 0, 0), pixel(0, 1, 0)))
    torch.testing.assert_close(l1_normalised(gradient), wanted)
    torch.testing.assert_close(l1_normalised(gradient.float()), wanted.float())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("decay", [0, 0.5, 1])
def test_equal_to_mi_fgsm_written_plainly(seed: int, decay: float) -> None:
    extractor, images = Convolutions(seed), pictures(2, seed=seed)
    start = noisier(images)
    wanted = plainly(extractor, images, start, decay=decay, epsilon=4, steps=9)
    kinds = [LandmarkBreaker(decay=decay, epsilon=4, iterations=9, budget="project")]
    if decay == 0:
        kinds.append(Base2(epsilon=4, iterations=9, budget="project"))
    for attack in kinds:
        assert torch.equal(attack.run(extractor, images, start=start), wanted)


def test_mix_takes_the_steps_by_turns() -> None:
    gradients = [pixel(4, 4, 0), pixel(3, 1, 0), pixel(-1, 1, 0), pixel(-1, 3, 0)]
    attack, momentum, ways = LBMix(), None, []
    for turn, gradient in enumerate(gradients):
        way, momentum = attack.direction(gradient, momentum, turn)
        ways.append(way.flatten().tolist()[:2])
    # Second: m = (.75, .25). Third: the bare sign. Fourth: m = (.375 - .25, .125 + .75).
    assert ways == [[-1, -1], [-1, -1], [1, -1], [-1, -1]]


def test_base1_is_one_step_of_epsilon() -> None:
    extractor, images = Convolutions(), pictures().clamp(20, 235)
    with counted(extractor) as calls:
        found = Base1(epsilon=9).run(extractor, images)
    assert calls == [2]
    assert set((found - images).unique().tolist()) == {-9, 9}
    assert torch.equal(found, Base1(epsilon=9, budget="project").run(extractor, images))


# -- the first step ----------------------------------------------------------------------------


def test_there_is_no_gradient_at_the_clean_picture_but_beside_it() -> None:
    extractor, images = Convolutions(), pictures()
    attack = LandmarkBreaker()
    reference = attack.reference(extractor, images)
    at = attack.gradient(extractor, images, reference, 0).abs().max()
    offsets = random_offsets(images, attack.beside, seed=1)
    beside = attack.gradient(extractor, images + offsets, reference, 0)
    assert beside.abs().median() > 1e6 * at
    assert 0.4 < offsets.abs().max() <= attack.beside == 0.5


# -- what every attack keeps to ----------------------------------------------------------------


@pytest.mark.parametrize("budget", ["stop", "project"])
@pytest.mark.parametrize(
    ("epsilon", "step"), [(15, 1), (2.5, 2.5), (4.6, 0.7), (0.4, 0.3), (3, 1.5)]
)
def test_whole_numbers_within_the_budget(budget: str, epsilon: float, step: float) -> None:
    images = pictures(2)
    images[0, :, :6], images[1, :, :, :5] = 0, 255
    attack = LandmarkBreaker(epsilon=epsilon, step=step, budget=budget)
    for dtype in (torch.float64, torch.float32, torch.uint8):
        extractor = Convolutions()
        if dtype != torch.float64:
            extractor.network.float()
        found = attack.run(extractor, images.to(dtype))
        assert found.dtype == dtype
        assert torch.equal(found, found.round())
        assert found.min() >= 0
        assert found.max() <= 255
        assert (found.double() - images).abs().max() == int(epsilon)


def test_none_leaves_pictures_as_they_are() -> None:
    images = pictures()
    assert torch.equal(make_attack("none", epsilon=15).run(Convolutions(), images), images)


def test_the_loop_ends_at_epsilon_or_goes_on_within() -> None:
    extractor, images = Convolutions(), torch.full((1, 3, 6, 6), 100.0).double()
    for epsilon, step, steps, reached in ((10, 5, 2, 110), (10, 4, 3, 108), (15, 1, 15, 115)):
        with counted(extractor) as calls:
            found = Bright(epsilon=epsilon, step=step).run(extractor, images)
        assert calls == [1 + steps]
        assert (found == reached).all()
        with counted(extractor) as calls:
            found = Bright(epsilon=epsilon, step=step, budget="project").run(extractor, images)
        assert calls == [1 + 20]
        assert (found == 100 + epsilon).all()


def test_each_picture_ends_by_itself() -> None:
    images = torch.stack([torch.full((3, 6, 6), value) for value in (100.0, 249.0)]).double()
    with counted(extractor := Convolutions()) as calls:
        found = Bright(epsilon=10, step=4, iterations=8).run(extractor, images)
    assert found[0].unique().tolist() == [108]  # a third step would give 112
    assert found[1].unique().tolist() == [255]  # never further than 6: all steps are taken
    assert calls == [1 + 8]


def test_a_start_is_gone_on_from_and_cut_to_the_budget() -> None:
    extractor, images = Convolutions(), pictures(1).clamp(60, 190)
    attack = LandmarkBreaker(epsilon=5, iterations=1, budget="project")
    found = attack.run(extractor, images, start=images + 40)
    assert set((found - images).unique().tolist()) <= {4, 5}


# -- the extractor -----------------------------------------------------------------------------


@pytest.mark.parametrize("where", [torch.no_grad, torch.inference_mode])
def test_the_network_is_left_as_it_was(where) -> None:
    extractor = Convolutions()
    extractor.network.train()
    extractor.network[0].bias.requires_grad_(False)
    before = {name: part.clone() for name, part in extractor.network.state_dict().items()}
    with where():
        found = LandmarkBreaker(iterations=3).run(extractor, pictures(1))
    assert not torch.equal(found, pictures(1))
    for name, part in extractor.network.state_dict().items():
        assert torch.equal(part, before[name]), name
    assert all(weight.grad is None for weight in extractor.network.parameters())
    assert all(module.training for module in extractor.network.modules())
    learning = {name for name, w in extractor.network.named_parameters() if w.requires_grad}
    assert learning == {"0.weight", "1.weight", "1.bias", "3.weight", "3.bias"}


def test_weights_have_no_part_in_the_gradients() -> None:
    class Watched(Convolutions):
        def heatmaps(self, images: Tensor) -> Tensor:
            assert not any(weight.requires_grad for weight in self.network.parameters())
            assert not self.network.training
            return super().heatmaps(images)

    LandmarkBreaker(iterations=2).run(Watched(), pictures(1))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_extractor_without_finite_gradients_is_an_error(value: float) -> None:
    extractor = Convolutions()
    nn.init.constant_(extractor.network[0].weight, value)
    with pytest.raises(DataError, match="lb: the extractor's maps or gradients"):
        LandmarkBreaker(budget="project").run(extractor, pictures(1))


def test_bf16_is_used_where_it_is_asked_for() -> None:
    seen = []

    class Watched(Convolutions):
        def heatmaps(self, images: Tensor) -> Tensor:
            seen.append(self.network(images / 255).dtype)
            return super().heatmaps(images)

    extractor = Watched()
    extractor.network.float()
    found = LandmarkBreaker(iterations=2, precision="bf16").run(extractor, pictures(1).float())
    assert found.dtype == torch.float32
    assert set(seen) == {torch.bfloat16}
    LandmarkBreaker(iterations=1, precision="fp32").run(extractor, pictures(1).float())
    assert seen[-1] == torch.float32


# -- random sizes and places -------------------------------------------------------------------


def test_a_placed_picture_is_smaller_and_has_black_around() -> None:
    image = torch.full((1, 2, 40, 60), 7.0)
    found = placed(image, 0.9, 0.0, 1.0)
    assert found.shape == image.shape
    torch.testing.assert_close(found[:, :, 4:, :54], image[:, :, 4:, :54])
    assert (found[:, :, :4] == 0).all()
    assert (found[:, :, :, 54:] == 0).all()
    assert placed(image, 1.0, 0.3, 0.7) is image


def test_sizes_and_places_follow_the_seed_and_differ_between_steps() -> None:
    attack = LBTrans(seed=5)
    drawn = [attack.drawn(turn) for turn in range(200)]
    assert drawn == [LBTrans(seed=5).drawn(turn) for turn in range(200)]
    assert len(set(drawn)) == 200
    assert drawn[0] != LBTrans(seed=6).drawn(0)
    shares = [share for share, _, _ in drawn]
    assert 299 / 330 <= min(shares) < 0.92
    assert 0.98 < max(shares) <= 1
    whole = sum(LBTrans(probability=0.5).drawn(turn)[0] == 1 for turn in range(200))
    assert 70 < whole < 130


def test_maps_follow_the_picture_if_told_to() -> None:
    images, attack = pictures(1, 32, 32), LBTrans(smallest=0.8, follow=True)

    class Averages:
        def heatmaps(self, images: Tensor) -> Tensor:
            return nn.functional.avg_pool2d(images, 4)

    reference = attack.reference(Averages(), images)
    followed = attack.losses(Averages(), images, reference, 0)
    assert followed > LBTrans(smallest=0.8).losses(Averages(), images, reference, 0)


# -- names and settings ------------------------------------------------------------------------


def test_the_defaults_are_the_chapters() -> None:
    attack = make_attack("lb")
    assert (attack.epsilon, attack.iterations, attack.step) == (15, 20, 1)
    assert (attack.decay, attack.budget) == (0.5, "stop")


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("lbx", {}, "'lbx' is not allowed: it is unknown; choose from none, base1"),
        ("lb", {"steps": 3}, "'lb': .*steps"),
        ("base2", {"decay": 0.5}, "'base2': .*decay"),
        ("lb", {"epsilon": 0}, "epsilon 0"),
        ("lb", {"step": 16}, "step 16"),
        ("lb", {"decay": 2}, "decay"),
        ("lb", {"iterations": 0}, "0 iterations"),
        ("lb", {"budget": "clip"}, "'clip'"),
        ("lb-trans", {"smallest": 0}, "smallest 0"),
    ],
)
def test_wrong_settings_are_refused(name: str, settings: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make_attack(name, **settings)


@pytest.mark.parametrize(
    "bad",
    [pictures()[0], pictures()[:, :1], pictures() - 1, pictures() * 1.1, pictures() * float("nan")],
)
def test_what_are_no_pictures_is_refused(bad: Tensor) -> None:
    with pytest.raises(ValueError, match="images"):
        LandmarkBreaker().run(Convolutions(), bad)
