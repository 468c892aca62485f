"""Colour transfer, blending and the composition of a fake's frames."""

import cv2
import numpy as np
import pytest
import torch
from skimage.data import astronaut

from swapset.errors import ConfigError, DataError
from swapset.faces.align import MEAN_FACE, crop_transform, warp_crop
from swapset.faces.masks import polygon, render_mask
from swapset.generation.blend import paste
from swapset.generation.checkpoint import TrainedPair
from swapset.generation.colour import lab_distance, to_lab, transfer_colour
from swapset.generation.methods import (
    BUILT_IN,
    RecipeOverride,
    model_owner,
    resolve,
    synthesis_of,
    training_of,
)
from swapset.generation.synthesis import Synthesiser

FRAME = np.ascontiguousarray(astronaut()[:256, 96:352])
LANDMARKS = MEAN_FACE * 90 + [85.0, 75.0]
CPU = torch.device("cpu")


@pytest.fixture
def disc():
    mask = np.zeros((96, 96), np.uint8)
    cv2.circle(mask, (48, 48), 30, 1, -1)
    return mask > 0


def patch(x, y):
    return np.ascontiguousarray(FRAME[y : y + 96, x : x + 96])


def test_transfer_gives_the_targets_mean_and_spread(disc):
    source, target = patch(60, 60), (patch(100, 20) * 0.6 + 60).astype(np.uint8)
    made = transfer_colour(source, target, disc)
    for of in (np.mean, np.std):
        found, wanted = of(to_lab(made)[disc], axis=0), of(to_lab(target)[disc], axis=0)
        np.testing.assert_allclose(found, wanted, atol=1.5)
    assert lab_distance(made, target, disc) < lab_distance(source, target, disc) / 5


def test_transfer_ignores_what_lies_outside(disc):
    source, target = patch(60, 60), patch(100, 20)
    blackened = source * disc[..., None]
    inside = transfer_colour(source, target, disc)[disc]
    np.testing.assert_array_equal(transfer_colour(blackened, target, disc)[disc], inside)


def test_transfer_of_equal_colours_changes_nothing(disc):
    source = patch(60, 60)
    difference = transfer_colour(source, source, disc).astype(int) - source
    assert np.abs(difference)[disc].max() <= 1


def test_transfer_widens_a_narrow_source(disc):
    target = patch(60, 60)
    flat = (target * 0.3 + 90).astype(np.uint8)
    spreads = [
        to_lab(image)[disc].std(axis=0) for image in (flat, transfer_colour(flat, target, disc))
    ]
    assert (spreads[1] > 2 * spreads[0]).all()


@pytest.mark.parametrize("size", [64, 128, 256])
@pytest.mark.parametrize("turn", [0.0, 0.4])
def test_a_face_pasted_back_is_the_frame_again(size, turn):
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = (LANDMARKS - 130) @ rotation.T + 130
    smooth = cv2.GaussianBlur(FRAME, (0, 0), 3)
    matrix = crop_transform(points, size, 1.3)
    face = warp_crop(smooth, matrix, size)
    outline = polygon(points, "smooth")
    result = paste(smooth, face, matrix, outline, 8.0)
    assert np.abs(result.astype(int) - smooth).mean() < 1.0
    assert np.abs(result.astype(int) - smooth).max() <= 12


@pytest.mark.parametrize("feather", [0.0, 12.0])
def test_every_pixel_outside_the_mask_stays(feather):
    matrix = crop_transform(LANDMARKS, 64, 1.3)
    outline = polygon(LANDMARKS, "hull")
    result = paste(FRAME, np.full((64, 64, 3), 255, np.uint8), matrix, outline, feather)
    outside = render_mask(outline, FRAME.shape[:2], feather) == 0
    np.testing.assert_array_equal(result[outside], FRAME[outside])
    assert (result != FRAME).any()


def test_a_mask_beyond_the_frame_changes_nothing():
    away = LANDMARKS + 1000
    matrix = crop_transform(away, 64, 1.3)
    face = np.full((64, 64, 3), 255, np.uint8)
    np.testing.assert_array_equal(paste(FRAME, face, matrix, polygon(away, "hull"), 4.0), FRAME)


class Same(torch.nn.Module):
    """Stands in for a model whose donor looks like the target."""

    def forward(self, faces, subject):
        return faces


def synthesiser(**changes):
    recipe = BUILT_IN["celebdf"].model_copy(update={"resolution": 256} | changes)
    pair = TrainedPair(Same(), training_of(recipe), ("id0", "id1"))
    return Synthesiser(pair, "id1", synthesis_of(recipe), CPU, precision="fp32", batch=2)


def clip():
    points = np.stack([LANDMARKS, np.full((68, 2), np.nan), LANDMARKS + 2.5])
    return [FRAME, FRAME, np.roll(FRAME, (2, 2), (0, 1))], points


def test_frames_without_a_face_stay_the_very_same():
    frames, points = clip()
    made = list(synthesiser().swap(frames, points))
    assert [label.swapped for _, label in made] == [True, False, True]
    assert made[1][0] is frames[1]
    assert made[1][1].outline is None


def test_a_donor_like_the_target_leaves_the_frame():
    frames, points = clip()
    for (made, _), frame in zip(synthesiser().swap(frames, points), frames, strict=True):
        assert np.abs(made.astype(int) - frame).mean() < 1.0


def test_labels_tell_which_pixels_changed():
    frames, points = clip()
    made, label = next(iter(synthesiser(mask="hull", feather=0.1).swap(frames, points)))
    alpha = render_mask(label.outline, FRAME.shape[:2], label.feather)
    np.testing.assert_array_equal(made[alpha == 0], FRAME[alpha == 0])
    np.testing.assert_allclose(label.transform, crop_transform(LANDMARKS, 256, 1.3))


def test_clips_and_landmarks_of_different_lengths_are_refused():
    frames, points = clip()
    for one, other in [(frames[:2], points), (frames, points[:2])]:
        with pytest.raises(DataError, match="do not fit"):
            list(synthesiser().swap(one, other))


def test_an_unknown_donor_is_refused():
    recipe = BUILT_IN["celebdf"]
    pair = TrainedPair(Same(), training_of(recipe), ("id0", "id1"))
    with pytest.raises(DataError, match="id7"):
        Synthesiser(pair, "id7", synthesis_of(recipe), CPU)


def test_recipes_that_differ_in_synthesis_share_a_model():
    own = {
        "hull": RecipeOverride(base="celebdf", mask="hull"),
        "hard": RecipeOverride(base="hull", feather=0.0),
        "small": RecipeOverride(base="hull", resolution=64),
    }
    owners = {name: model_owner(name, own) for name in own}
    assert owners == {"hull": "celebdf", "hard": "celebdf", "small": "small"}
    assert resolve(own)["small"].mask == "hull"


def test_bases_in_a_circle_are_refused():
    own = {"a": RecipeOverride(base="b"), "b": RecipeOverride(base="a")}
    with pytest.raises(ConfigError, match="circle"):
        resolve(own)
