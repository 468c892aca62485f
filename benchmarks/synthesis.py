"""Time synthesis without the network on 512 x 512 frames, on one core.

Run `python benchmarks/synthesis.py`. Ours is the pipeline's code from the stored clip to the
finished video: decode, align, match colours, mask, warp back, blend, encode. The conventional way
does the same steps frame by frame and over the whole frame, in floating point, and calls the
network for each frame. Decoder and encoder are the same.

Everything runs on one core, ffmpeg included. Times are processor time, which leaves out other
programs, and medians of alternating rounds. The network's time is measured around its forward pass,
printed and subtracted. The network is untrained: it takes its real time, but passes its input on,
so that colours and pictures are those of a face.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from swapset.config.methods import BUILT_IN, synthesis_of, training_of
from swapset.config.recipes import Recipe
from swapset.config.sections import TrackSettings
from swapset.dataset.videos import Encoding, encode
from swapset.demo.clips import render_frames
from swapset.demo.specs import DEMO_SPECS
from swapset.faces.align import crop_transform, invert
from swapset.faces.masks import polygon
from swapset.faces.track import Tracker
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.checkpoint import TrainedPair
from swapset.generation.synthesis import Synthesiser
from swapset.media.decode import frames
from swapset.media.encode import VideoWriter

ROUNDS = 5
SIDE = 512
TARGET = 60
"""Frames/s to reach without the network's time."""
ENCODING = Encoding(codec="mpeg4", quality=2, fps=30)
CPU = torch.device("cpu")


class TimedNetwork(nn.Module):
    """A narrow network that counts its processor time and returns its input."""

    def __init__(self, recipe: Recipe):
        super().__init__()
        self.network = SwapAutoencoder(training_of(recipe), ["target", "donor"]).placed(CPU).eval()
        self.seconds = 0.0

    def forward(self, faces: Tensor, subject: str) -> Tensor:
        """Run the network; return `faces`."""
        start = time.process_time()
        self.network(faces, subject)
        self.seconds += time.process_time() - start
        return faces


def demo_clip(path: Path) -> None:
    """Write the first demo clip, enlarged and played forth and back, in ingest's format."""
    still = list(render_frames(DEMO_SPECS[0]))
    with VideoWriter(path, SIDE, SIDE, codec="lossless") as writer:
        for frame in chain(still, reversed(still)):
            writer.write(cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))


def ours(clip: Path, landmarks: np.ndarray, network: TimedNetwork, recipe: Recipe) -> Iterator:
    """Yield swapped frames by the pipeline."""
    trained = TrainedPair(network, training_of(recipe), ("target", "donor"))  # type: ignore[arg-type]
    synthesiser = Synthesiser(trained, "donor", synthesis_of(recipe), CPU, precision="fp32")
    for frame, _ in synthesiser.swap(frames(clip), landmarks):
        yield frame


@torch.inference_mode()
def conventional(
    clip: Path, landmarks: np.ndarray, network: TimedNetwork, recipe: Recipe
) -> Iterator:
    """Yield swapped frames by the conventional way, each step over the whole frame."""
    side = recipe.resolution
    for frame, points in zip(frames(clip), landmarks, strict=True):
        matrix = crop_transform(points, side, recipe.context)
        crop = cv2.warpAffine(frame, matrix, (side, side), flags=cv2.INTER_LINEAR)
        batch = torch.from_numpy(crop).permute(2, 0, 1)[None].float() / 255
        synthesised = network(batch, "donor")[0].permute(1, 2, 0).numpy()
        face = cv2.warpAffine(synthesised, invert(matrix), (SIDE, SIDE), flags=cv2.INTER_CUBIC)
        outline = np.round(polygon(points, recipe.mask)).astype(np.int32)
        mask = cv2.fillPoly(np.zeros((SIDE, SIDE), np.float32), [outline], 1.0)
        picture = frame.astype(np.float32) / 255
        face = reinhard(face, picture, mask > 0)
        width = recipe.feather * side / recipe.context * np.sqrt(1 / np.linalg.det(matrix[:, :2]))
        alpha = cv2.GaussianBlur(mask, (0, 0), width / 2)[..., None]
        blended = alpha * face + (1 - alpha) * picture
        yield np.clip(np.round(255 * blended), 0, 255).astype(np.uint8)


def reinhard(source: np.ndarray, target: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Transfer mean and spread of CIELAB colours; (H, W, 3) float32 RGB in [0, 1], plain NumPy."""
    lab = cv2.cvtColor(np.clip(source, 0, 1).astype(np.float32), cv2.COLOR_RGB2LAB)
    goal = cv2.cvtColor(target, cv2.COLOR_RGB2LAB)
    scale = goal[inside].std(axis=0) / lab[inside].std(axis=0)
    lab = (lab - lab[inside].mean(axis=0)) * scale + goal[inside].mean(axis=0)
    return cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2RGB)


def processor_time() -> float:
    """Return the processor time in seconds of this process and its ended children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def timed(way: Callable[..., Iterator], output: Path, clip: Path, *arguments: object) -> tuple:
    """Return milliseconds per frame: of the whole, and of the network."""
    network = next(each for each in arguments if isinstance(each, TimedNetwork))
    network.seconds = 0.0
    start = processor_time()
    count = encode(way(clip, *arguments), output, ENCODING, {})
    spent = processor_time() - start
    return 1e3 * spent / count, 1e3 * network.seconds / count


def compare(folder: Path, clip: Path, landmarks: np.ndarray, resolution: int) -> None:
    """Print both ways at one resolution of the face."""
    changes = {"resolution": resolution, "input_resolution": None, "width": 8, "code": 64}
    recipe = BUILT_IN["celebdf"].model_copy(update=changes)
    network = TimedNetwork(recipe)
    ways = {"conventional": conventional, "ours": ours}
    runs: dict[str, list[tuple]] = {name: [] for name in ways}
    for _ in range(ROUNDS + 1):
        for name, way in ways.items():
            output = folder / f"{name}.mp4"
            runs[name].append(timed(way, output, clip, landmarks, network, recipe))
    print(f"{resolution} x {resolution} faces in {SIDE} x {SIDE} frames, ms of one core per frame")
    beyond = {}
    for name, rounds in runs.items():
        whole, net, rest = (
            statistics.median(part)
            for part in zip(*((a, b, a - b) for a, b in rounds[1:]), strict=True)
        )
        beyond[name] = rest
        print(
            f"  {name:13s} whole {whole:6.2f}   network {net:6.2f}   beyond the network {rest:6.2f}"
            f"   = {1e3 / rest:6.1f} frames/s"
        )
    print(f"  ratio {beyond['conventional'] / beyond['ours']:.1f}; target {TARGET} frames/s")


def main() -> None:
    """Compare both ways for the recipe's own resolution and for the demo's."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = folder / "clip.mkv"
        demo_clip(clip)
        tracks = Tracker(TrackSettings()).track(frames(clip))
        landmarks = tracks.landmarks_of([0]).astype(np.float64)
        if not np.isfinite(landmarks).all():
            raise SystemExit("the face of the demo clip was not followed through every frame")
        print(f"{tracks.frames} frames of the demo, enlarged; processor time, one core")
        for resolution in (256, 128):
            compare(folder, clip, landmarks, resolution)


if __name__ == "__main__":
    main()
