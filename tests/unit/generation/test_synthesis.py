"""Composition of a fake's frames, with stand-in networks that make known faces."""

import cv2
import numpy as np
import pytest
import torch
from skimage.data import astronaut

from swapset.config.methods import BUILT_IN, synthesis_of, training_of
from swapset.errors import DataError
from swapset.faces.align import MEAN_FACE, crop_transform
from swapset.faces.masks import polygon, render_mask
from swapset.generation.checkpoint import TrainedPair
from swapset.generation.synthesis import Synthesiser

FRAME = np.ascontiguousarray(astronaut()[:256, 96:352])
LANDMARKS = MEAN_FACE * 90 + [85.0, 75.0]
CPU = torch.device("cpu")


class Same(torch.nn.Module):
    """Model whose donor looks exactly like the target."""

    def forward(self, faces, subject):
        return faces


def synthesiser(batch=2, model=None, **changes):
    sides = {"resolution": 256, "input_resolution": None}
    recipe = BUILT_IN["celebdf"].model_copy(update=sides | changes)
    pair = TrainedPair(model or Same(), training_of(recipe), ("id0", "id1"))
    return Synthesiser(pair, "id1", synthesis_of(recipe), CPU, precision="fp32", batch=batch)


def clip():
    points = np.stack([LANDMARKS, np.full((68, 2), np.nan), LANDMARKS + 2.5])
    return [FRAME, FRAME, np.roll(FRAME, (2, 2), (0, 1))], points


def test_frames_without_a_face_stay_unchanged():
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


class Bright(Same):
    """Model that makes every face brighter and records the donors that it was asked for."""

    asked: tuple[str, ...] = ()

    def forward(self, faces, subject):
        self.asked = (*self.asked, subject)
        return (faces + 0.3).clamp(0, 1)


def test_the_donors_decoder_is_asked_once_per_batch():
    frames, points = clip()
    model = Bright()
    list(synthesiser(model=model).swap(frames, points))
    assert model.asked == ("id1", "id1")


def test_results_do_not_depend_on_the_batch_size():
    frames, points = clip()
    runs = [list(synthesiser(size, Bright()).swap(frames, points)) for size in (1, 2, 16)]
    for run in runs[1:]:
        for (one, _), (other, _) in zip(runs[0], run, strict=True):
            np.testing.assert_array_equal(one, other)


def test_colour_transfer_takes_the_brightness_back():
    frames, points = clip()
    changes = []
    for transfer in ("none", "reinhard"):
        made, _ = next(
            iter(synthesiser(model=Bright(), colour_transfer=transfer).swap(frames, points))
        )
        changes.append(np.abs(made.astype(int) - FRAME).sum())
    assert changes[1] < 0.2 * changes[0]


def test_a_clip_without_any_face_needs_no_network():
    frames, _ = clip()
    model = Bright()
    made = list(synthesiser(model=model).swap(frames, np.full((3, 68, 2), np.nan)))
    assert [one is frame for (one, _), frame in zip(made, frames, strict=True)] == [True] * 3
    assert [label.frame for _, label in made] == [0, 1, 2]
    assert not model.asked


def test_frames_are_not_written():
    before = FRAME.copy()
    list(synthesiser(model=Bright()).swap(*clip()))
    np.testing.assert_array_equal(FRAME, before)


def test_feather_is_a_share_of_the_faces_width():
    widths = []
    for size in (1.0, 0.5):
        small = MEAN_FACE * 90 * size + [85.0, 75.0]
        _, label = next(iter(synthesiser(feather=0.1).swap([FRAME], small[None])))
        widths.append(label.feather)
    assert widths == pytest.approx([9.0, 4.5], rel=0.1)


class Masking(Same):
    """Model that makes every face white, with a constant mask."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, faces, subject):
        mask = torch.full_like(faces[:, :1], self.value)
        return torch.cat([torch.ones_like(faces), mask], dim=1)


def masking(kind, value):
    changes = {"learned_mask": "attention", "mask": kind, "colour_transfer": "none"}
    changes["losses"] = {"l1": 1.0, "adversarial": 0.1}
    return synthesiser(model=Masking(value), **changes)


def test_a_learned_mask_may_be_cut_to_the_face():
    changed = {}
    for kind in ("learned", "learned-hull"):
        made, label = next(iter(masking(kind, 1.0).swap([FRAME], LANDMARKS[None])))
        alpha = render_mask(label.outline, FRAME.shape[:2], 0)
        np.testing.assert_array_equal(made[alpha == 0], FRAME[alpha == 0])
        changed[kind] = (made != FRAME).any(axis=-1)
    face = render_mask(polygon(LANDMARKS, "face-hull"), FRAME.shape[:2], 0) > 0
    assert changed["learned"][~face].any()
    around = cv2.dilate(face.astype(np.uint8), np.ones((5, 5))) > 0
    assert not changed["learned-hull"][~around].any()
    assert changed["learned-hull"].sum() > 0.7 * face.sum()


def test_an_empty_mask_leaves_the_frame_unchanged_and_labelled_so():
    made, label = next(iter(masking("learned", 0.02).swap([FRAME], LANDMARKS[None])))
    assert made is FRAME
    assert not label.swapped


@pytest.mark.parametrize("blending", ["alpha", "poisson"])
def test_a_face_outside_the_frame_leaves_it_unchanged_and_labelled_so(blending):
    swaps = synthesiser(model=Bright(), blending=blending).swap([FRAME], LANDMARKS[None] + 5000)
    made, label = next(iter(swaps))
    assert made is FRAME
    assert not label.swapped


def test_poisson_labels_the_rectangle_that_it_changes():
    frames, points = clip()
    made, label = next(iter(synthesiser(model=Bright(), blending="poisson").swap(frames, points)))
    inside = render_mask(label.outline, FRAME.shape[:2], 0) > 0
    np.testing.assert_array_equal(made[~inside], FRAME[~inside])
    assert (made != FRAME).any()
    assert label.feather == 0


def test_small_inputs_are_scaled_for_the_network():
    seen = []

    class Sees(Same):
        def forward(self, faces, subject):
            seen.append(faces.shape[-1])
            return torch.nn.functional.interpolate(faces, scale_factor=2)

    small = synthesiser(model=Sees(), resolution=256, input_resolution=128)
    list(small.swap([FRAME], LANDMARKS[None]))
    assert seen == [128]
