"""Tracks of made-up people, for tests of what is decided from embeddings."""

from __future__ import annotations

import numpy as np

from swapset.faces.clip_tracks import ClipTracks


def person(seed: int, *, like: np.ndarray | None = None, apart: float = 0.9) -> np.ndarray:
    """Return the embedding of a person, at a distance from another's."""
    direction = np.random.default_rng(seed).normal(size=128)
    direction /= np.linalg.norm(direction)
    return direction * 1.4 if like is None else like + direction * apart


def clip(
    *faces: tuple[np.ndarray, range],
    frames: int = 100,
    side: float = 120,
    cuts: tuple = (),
    **hints,
) -> ClipTracks:
    """Return a clip in which each face, given by its embedding, is seen in some frames."""
    rng = np.random.default_rng(len(faces) + frames)
    track = np.concatenate([[], *[np.full(len(seen), n) for n, (_, seen) in enumerate(faces)]])
    count = len(track)
    noisy = [vector + rng.normal(0, 0.01, (3, 128)) for vector, _ in faces]
    return ClipTracks(
        frames=frames,
        width=640,
        height=480,
        fps=30.0,
        cuts=np.array(cuts, np.int32),
        track=track.astype(np.int32),
        frame=np.concatenate([[], *[np.array(seen) for _, seen in faces]]).astype(np.int32),
        box=np.tile(np.array([10, 10, 10 + side, 10 + side], np.float32), (count, 1)),
        landmarks=np.zeros((count, 68, 2), np.float32),
        detected=np.ones(count, bool),
        embeddings=np.concatenate([np.empty((0, 128)), *noisy]).astype(np.float32),
        embedding_track=np.repeat(np.arange(len(faces)), 3).astype(np.int32),
        embedding_frame=np.zeros(3 * len(faces), np.int32),
        hints=hints,
    )
