"""Make new identities by morphing the inner face of one portrait towards another's.

Only shape and texture between brows, cheeks and chin change. Hair, clothes and outline are kept
from the base portrait, so that no background or hair is blended.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
from skimage.transform import ThinPlateSplineTransform

from swapset.demo.expressions import Mouth
from swapset.demo.portraits import CANVAS, Portrait, load_portrait
from swapset.demo.sampling import blur, sample
from swapset.demo.specs import Subject
from swapset.types import Floats, Floats32, Mask

_SHAPE = 0.6
_TEXTURE = 0.9
_STRIDE = 4
_CONTROL = np.r_[0:65]  # without the inner lower lip, which coincides with the upper if closed


def _with_closed_lips(portrait: Portrait) -> Portrait:
    """Return the portrait with closed lips, so that no teeth are blended into lips."""
    mouth = Mouth(portrait)
    if mouth.gap_px == 0:
        return portrait
    image = portrait.image.copy()
    mouth.apply(image, 0.0)
    landmarks = portrait.landmarks.copy()
    upper, lower = landmarks[[61, 62, 63]], landmarks[[67, 66, 65]]
    landmarks[[67, 66, 65]] = upper
    landmarks[55:60, 1] -= float((lower - upper)[:, 1].mean())
    landmarks[5:12, 1] -= 0.8 * float((lower - upper)[:, 1].mean())
    return replace(portrait, image=image, landmarks=landmarks)


def _similarity(source: Floats, target: Floats) -> Floats:
    """Return the points `source` moved onto `target` by the best similarity (least squares)."""
    a = (source - source.mean(axis=0)) @ (1, 1j)
    b = (target - target.mean(axis=0)) @ (1, 1j)
    moved = a * (np.vdot(a, b) / np.vdot(a, a))
    return np.stack([moved.real, moved.imag], axis=1) + target.mean(axis=0)


def _warp(image: Floats32, to: Floats, origin: Floats) -> Floats32:
    """Return `image` warped by a thin-plate spline that moves the points `origin` onto `to`."""
    spline = ThinPlateSplineTransform.from_estimate(to, origin)
    axis = (np.arange(-1, CANVAS // _STRIDE + 1) + 0.5) * _STRIDE - 0.5
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    coarse = spline(grid.reshape(-1, 2)).reshape(grid.shape).astype(np.float32)
    dense = cv2.resize(coarse, None, fx=_STRIDE, fy=_STRIDE)[_STRIDE:-_STRIDE, _STRIDE:-_STRIDE]
    x, y = cv2.split(dense)
    return sample(image, x, y, cubic=True)


def _inner_mask(landmarks: Floats) -> Floats32:
    """Return a soft mask of the inner face: from above the brows to the chin, inside the jaw."""
    hull = np.vstack([landmarks[1:16], landmarks[17:27] - (0, 14)])
    mask = np.zeros((CANVAS, CANVAS), np.float32)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(hull).astype(np.int32)), 1.0)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (25, 25))
    return blur(np.asarray(cv2.erode(mask, disc), dtype=np.float32), 7.0)


def _match_colours(image: Floats32, reference: Floats32, inside: Mask) -> Floats32:
    """Return `image` with the reference's mean per channel and contrast, measured inside the mask.

    This works on logarithms with one contrast for all channels, so that dark pupils stay neutral.
    """
    ours, theirs = np.log(np.clip(image, 4, 255)), np.log(np.clip(reference, 4, 255))
    contrast = theirs[inside].std(axis=0).mean() / ours[inside].std(axis=0).mean()
    scaled = (ours - ours[inside].mean(axis=0)) * contrast + theirs[inside].mean(axis=0)
    return np.minimum(np.exp(scaled), 255).astype(np.float32)


def _morph(base: Portrait, inner: Portrait) -> Portrait:
    landmarks = base.landmarks.copy()
    aligned = _similarity(inner.landmarks[17:], landmarks[17:])
    landmarks[17:] += _SHAPE * (aligned - landmarks[17:])
    edge = np.linspace(0, CANVAS - 1, 4)
    fixed = [(x, y) for x in edge for y in (0.0, CANVAS - 1.0)]
    fixed += [(x, y) for x in (0.0, CANVAS - 1.0) for y in edge[1:3]]
    fixed += [(120, 170), (200, 110), (320, 110), (400, 170)]  # hair or hat, and beside it
    fixed += [(165, 195), (210, 175), (256, 165), (302, 175), (347, 195), (120, 300), (392, 300)]
    anchors = np.array(fixed, dtype=np.float64)
    picture = _warp(
        base.image,
        np.vstack([landmarks[_CONTROL], anchors]),
        np.vstack([base.landmarks[_CONTROL], anchors]),
    )
    donor = _warp(inner.image, landmarks[_CONTROL], inner.landmarks[_CONTROL])
    mask = _inner_mask(landmarks)
    donor = _match_colours(donor, picture, mask > 0.5)
    weight = (_TEXTURE * mask)[..., None]
    return replace(base, image=picture + weight * (donor - picture), landmarks=landmarks, lid=0.08)


@lru_cache(maxsize=4)
def load_subject(subject: Subject) -> Portrait:
    """Return the still face of a demo subject, which is a portrait or a morph of two."""
    if subject.inner == subject.base:
        return load_portrait(subject.base)
    portraits = {
        "astronaut": _with_closed_lips(load_portrait("astronaut")),
        "hopper": load_portrait("hopper"),
    }
    return _morph(portraits[subject.base], portraits[subject.inner])
