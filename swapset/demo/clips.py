"""Render and encode the clips of the embedded demo: animated still portraits."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from swapset.demo.expressions import Eye, Mouth
from swapset.demo.morph import load_subject
from swapset.demo.motion import draw_motion
from swapset.demo.sampling import sample
from swapset.demo.scene import Background, Light, Noise
from swapset.demo.specs import DEMO_SPECS, FPS, FRAMES, SIZE, ClipSpec
from swapset.demo.warp import HeadWarp
from swapset.media.encode import VideoWriter
from swapset.seeds import derive_seed
from swapset.types import Bytes, Floats32, Image

__all__ = ["DEMO_SPECS", "make_all", "make_clip", "render_frames"]


class _Actor:
    """One subject's face, drawn with any expression and pose."""

    def __init__(self, spec: ClipSpec) -> None:
        self._portrait = load_subject(spec.subject)
        self._mouth = Mouth(self._portrait)
        self._eyes = Eye(self._portrait, 36), Eye(self._portrait, 42)
        self._alpha = np.rint(255 * self._portrait.alpha).astype(np.uint8)
        self.warp = HeadWarp(self._portrait, SIZE)

    def express(self, lips: float, closure: float, gaze: float) -> Bytes:
        """Return the portrait with another expression, (512, 512, 4) uint8 RGBA."""
        image = self._portrait.image.copy()
        self._mouth.apply(image, lips)
        for eye in self._eyes:
            eye.apply(image, closure, gaze)
        colours = np.clip(image, 0, 255).astype(np.uint8)
        return np.dstack([colours, self._alpha])


def _compose(person: Bytes, background: Image, gain: Floats32) -> Floats32:
    """Return the person over the background, multiplied by the light's `gain` (size, size)."""
    alpha = person[..., 3:].astype(np.float32) / 255
    back = background.astype(np.float32)
    mixed = back + alpha * (person[..., :3].astype(np.float32) - back)
    return mixed * gain[..., None]


class _Shot:
    """Motion, background, light and noise of one clip, drawn from its seed."""

    def __init__(self, spec: ClipSpec, frames: int) -> None:
        self._actor = _Actor(spec)
        rng = np.random.default_rng(derive_seed(spec.seed, "demo", spec.clip))
        self._motion = draw_motion(rng, frames)
        self._background = Background(rng, spec.seed, frames, SIZE)
        person = spec.subject
        self._light = Light(rng, frames, exposure=person.exposure, warmth=person.warmth)
        self._noise = Noise(rng, frames, SIZE)

    def render(self, frame: int) -> Image:
        """Return one frame, RGB, shape (448, 448, 3)."""
        motion, warp, light = self._motion, self._actor.warp, self._light
        still = self._actor.express(
            float(motion.lips[frame]), float(motion.closure[frame]), float(motion.gaze[frame])
        )
        at = warp.inverse(motion.poses[frame])
        person = sample(still, *map(warp.enlarge, at), cubic=True)
        gain = np.exp(light.exponent(frame, *warp.unit_grid, warp.normals_at(*at)))
        mixed = _compose(person, self._background.draw(frame), warp.enlarge(gain))
        lit = light.apply(frame, np.clip(mixed, 0, 255).astype(np.uint8))
        return self._noise.add(frame, lit)


def render_frames(spec: ClipSpec, *, frames: int = FRAMES, every: int = 1) -> Iterator[Image]:
    """Render the frames of one clip.

    Parameters
    ----------
    spec : ClipSpec
        The clip; its seed decides everything that is random.
    frames : int
        Length of the clip at 30 fps.
    every : int
        Render only every n-th frame of it.

    Yields
    ------
    ndarray of uint8, shape (448, 448, 3)
        RGB in [0, 255].
    """
    shot = _Shot(spec, frames)
    yield from map(shot.render, range(0, frames, every))


def make_clip(spec: ClipSpec, path: str | os.PathLike[str], *, frames: int = FRAMES) -> None:
    """Render one demo clip to an H.264 file (30 fps, 448 × 448), whole or not at all.

    Parameters
    ----------
    spec : ClipSpec
        The clip.
    path : path-like
        The file (.mp4).
    frames : int
        Length of the clip.

    Raises
    ------
    MediaError
        If the file cannot be written.
    """
    cv2.setNumThreads(1)
    metadata = {"title": f"demo clip {spec.clip}", "comment": f"{spec.source}. {spec.licence}."}
    with VideoWriter(Path(path), SIZE, SIZE, fps=FPS, codec="h264", metadata=metadata) as writer:
        for frame in render_frames(spec, frames=frames):
            writer.write(frame)


def make_all(
    paths: Mapping[str, str | os.PathLike[str]], *, processes: int = 1, frames: int = FRAMES
) -> None:
    """Render demo clips to files; their bytes do not depend on `processes`.

    Parameters
    ----------
    paths : mapping of str to path-like
        File of each clip to render, by the clip's name (`id0_0000`, …).
    processes : int
        Number of clips to render at a time.
    frames : int
        Frames per clip.

    Raises
    ------
    KeyError
        If a clip is not one of the demo's.
    MediaError
        If a file cannot be written.
    """
    specs = {spec.clip: spec for spec in DEMO_SPECS}
    jobs = [(specs[clip], Path(path)) for clip, path in paths.items()]
    if processes <= 1:
        for spec, path in jobs:
            make_clip(spec, path, frames=frames)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for future in [pool.submit(make_clip, spec, path, frames=frames) for spec, path in jobs]:
            future.result()
