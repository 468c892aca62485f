"""One contract for all attacks, on a small extractor."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from material.obstruction import Convolutions, OfSquares, noisier, pictures
from torch import Tensor

from swapset.config.landmark_breaker import LandmarkBreakerSettings
from swapset.obstruction.attacks.on_frames import Ensemble, OnFrames
from swapset.obstruction.attacks.registry import (
    ATTACKS,
    CLEAN,
    EVEN,
    SETTINGS,
    goes_on,
    make_attack,
)

MADE = [name for name in ATTACKS if name != EVEN]
NOISY = [name for name in MADE if name != CLEAN]


def steps(name: str, count: int) -> dict[str, int]:
    """Return the setting of a number of steps, of attacks that take several."""
    return {"iterations": count} if goes_on(name) else {}


@pytest.mark.parametrize("name", MADE)
def test_names_are_the_tables(name: str) -> None:
    attack = make_attack(name, epsilon=8)
    assert attack.name == name
    assert attack.epsilon == 8


@pytest.mark.parametrize("name", MADE)
def test_planning_knows_what_the_class_says(name: str) -> None:
    traits = ATTACKS.find(name).traits
    settings = LandmarkBreakerSettings().model_dump(include=set(SETTINGS))
    assert set(traits["settings"]) <= set(settings) == set(SETTINGS)
    taken: dict[str, Any] = {key: settings[key] for key in traits["settings"]}
    attack = make_attack(name, precision="fp32", seed=3, **taken)
    assert all(getattr(attack, key) == value for key, value in taken.items())
    assert attack.follows_several == traits["several"]


@pytest.mark.parametrize("name", NOISY)
def test_the_same_seed_gives_the_same_noise(name: str) -> None:
    extractor, images = Convolutions(), pictures(1)
    first, again, other = (make_attack(name, seed=k).run(extractor, images) for k in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("name", NOISY)
def test_the_loss_falls(name: str) -> None:
    extractor, images = Convolutions(), pictures(2)
    attack = make_attack(name)
    reference = attack.reference(extractor, images)
    losses = attack.losses(extractor, attack.run(extractor, images), reference, 0)
    assert (losses < attack.losses(extractor, noisier(images, 15), reference, 0)).all()


@pytest.mark.parametrize("name", NOISY)
def test_noise_is_in_whole_numbers_within_the_budget(name: str) -> None:
    images = pictures(2)
    images[0, :, :6], images[1, :, :, :5] = 0, 255
    found = make_attack(name, epsilon=4).run(Convolutions(), images)
    assert torch.equal(found, found.round())
    assert 0 <= found.min() <= found.max() <= 255
    assert 0 < (found - images).abs().max() <= 4


@pytest.mark.parametrize("name", NOISY)
def test_pictures_of_a_batch_are_independent(name: str) -> None:
    extractor, images = Convolutions(), pictures(3)
    attack = make_attack(name, epsilon=6)
    together = attack.run(extractor, images)
    for image, found in zip(images[:, None], together[:, None], strict=True):
        assert torch.equal(attack.run(extractor, image), found)


@pytest.mark.parametrize("name", NOISY)
def test_pictures_without_a_gradient_stay_as_they_are(name: str) -> None:
    class Half(Convolutions):
        def heatmaps(self, images: Tensor) -> Tensor:
            return super().heatmaps(images) * (torch.arange(len(images)) % 2).view(-1, 1, 1, 1)

        def features(self, images: Tensor) -> list[Tensor]:
            return [self.heatmaps(images)] * 2

    images = pictures(2)
    found = make_attack(name, epsilon=5).run(Half(), images)
    assert torch.equal(found[0], images[0])
    assert not torch.equal(found[1], images[1])


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_without_a_face_is_no_error(name: str, level: int) -> None:
    wall = torch.full((1, 3, 6, 6), float(level)).double()
    found = make_attack(name, epsilon=5).run(Convolutions(), wall)
    assert found.isfinite().all()
    assert (found - wall).abs().max() <= 5


@pytest.mark.parametrize("name", NOISY)
def test_of_frames_only_what_lies_about_the_face_changes(name: str) -> None:
    frames = pictures(2, height=60, width=80)
    attack = make_attack(name, epsilon=5)
    seen = OnFrames(OfSquares(), torch.tensor([[30.0, 20, 44, 34]] * 2))
    found = attack.run(Ensemble([seen]) if attack.follows_several else seen, frames)
    changed = (found != frames).any(dim=0).any(dim=0)
    window = seen.window(60, 80)
    assert changed[window].any()
    changed[window] = False
    assert not changed.any()


@pytest.mark.parametrize("name", [name for name in NOISY if goes_on(name)])
def test_noise_goes_on_from_that_of_the_frame_before(name: str) -> None:
    images = pictures(1).clamp(60, 190)
    attack = make_attack(name, epsilon=8, iterations=1, budget="project")
    start = images + 6
    found = attack.run(Convolutions(), images, start=start, turn=20)
    assert (found - start).abs().max() <= attack.step + 1
    assert (found - images).abs().max() <= 8


@pytest.mark.parametrize("budget", ["stop", "project"])
@pytest.mark.parametrize("name", NOISY)
def test_one_run_passes_through_what_shorter_ones_give(name: str, budget: str) -> None:
    extractor, images = Convolutions(), pictures(2)
    settings = {"epsilon": 6, "budget": budget}
    counts = [7, 2, 6, 9] if goes_on(name) else [1]
    attack = make_attack(name, **settings, **steps(name, 9))
    for count, passed in zip(counts, attack.snapshots(extractor, images, counts), strict=True):
        alone = make_attack(name, **settings, **steps(name, count)).run(extractor, images)
        assert torch.equal(passed, alone)
    for wrong in (0, max(counts) + 1):
        with pytest.raises(ValueError, match="cannot be returned"):
            attack.snapshots(extractor, images, [wrong])
