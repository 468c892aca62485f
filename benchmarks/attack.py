"""Time Landmark Breaker on whole frames beside the bare network's passes.

Run `python benchmarks/attack.py [--extractor fan hrnet avs-san] [--width 1] [--device cuda]`.
The attack starts with frames and ends with noisy frames in whole numbers: crops, loss, momentum,
steps and clipping included. The bare way is T times the network's forward and backward pass to its
input, of a batch of crops that are ready, in the same arithmetic, its weights frozen as well. Both
take T steps (`budget="project"`). They alternate; a first round is dropped; medians of wall time,
and of the ratios within a round.

Beside narrow networks on a CPU, the crop is felt, and so is memory that glibc gives back after each
pass and takes again: MALLOC_TRIM_THRESHOLD_=4000000000 MALLOC_MMAP_THRESHOLD_=1000000000 keep it.

`--smoke` takes a small convolutional network: a check of this file, in seconds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from skimage import data
from torch import Tensor, nn

from swapset.extractors.crops import cut_squares, squares_about
from swapset.extractors.registry import EXTRACTORS, extractor_class
from swapset.obstruction.attacks.landmark_breaker import LandmarkBreaker
from swapset.obstruction.attacks.on_frames import OnFrames

TARGET = 0.9
"""Share of the bare passes' speed."""

# The astronaut's face, as dlib's detector draws it.
BOX = (175.0, 70.0, 275.0, 170.0)


def smoke_extractor(device: torch.device) -> Any:
    """Return what an attack needs of an extractor, with a network that takes no time."""
    network = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 68, 3, 2, 1))
    network.to(device).eval()

    def regions(boxes: Tensor) -> Tensor:
        return squares_about(boxes, size=1.5, lowered=0)

    def crop(frames: Tensor, boxes: Tensor) -> Tensor:
        return cut_squares(frames, regions(boxes), 64)

    def heatmaps(images: Tensor) -> Tensor:
        return network(images / 255)

    return SimpleNamespace(network=network, regions=regions, crop=crop, heatmaps=heatmaps)


def frames_of(count: int, side: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return frames (count, 3, side, side) with a face, and their boxes."""
    picture = torch.from_numpy(np.ascontiguousarray(data.astronaut())).permute(2, 0, 1)[None]
    frame = nn.functional.interpolate(picture.float(), (side, side), mode="area").round()
    boxes = torch.tensor([BOX] * count) * (side / 512)
    return frame.expand(count, -1, -1, -1).contiguous().to(device), boxes


def bare_passes(
    extractor: Any, crops: Tensor, steps: int, arithmetic: Callable[[Tensor], torch.autocast]
) -> None:
    """Run the network forward and backward, and nothing else."""
    for weight in extractor.network.parameters():
        weight.requires_grad_(False)
    for _ in range(steps):
        crops = crops.detach().requires_grad_()
        with arithmetic(crops):
            total = extractor.heatmaps(crops).sum()
        torch.autograd.grad(total, crops)


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Return how long a call takes, with all that it started on the device."""
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    wait()
    start = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - start


def measure(extractor: Any, given: argparse.Namespace) -> tuple[float, float, float]:
    """Return seconds of the bare passes and of the attack, and the median ratio."""
    device = torch.device(given.device)
    frames, boxes = frames_of(given.batch, given.side, device)
    attack = LandmarkBreaker(
        iterations=given.iterations, budget="project", precision=given.precision
    )
    seen = OnFrames(extractor, boxes)
    crops = seen.inputs(frames)
    times = []
    for _ in range(given.rounds + 1):
        bare = seconds(
            lambda: bare_passes(extractor, crops, given.iterations, attack.arithmetic), device
        )
        times.append((bare, seconds(lambda: attack.run(seen, frames), device)))
    bare, whole = (statistics.median(part) for part in zip(*times[1:], strict=True))
    return bare, whole, statistics.median(one / other for one, other in times[1:])


def main() -> None:
    """Print a row for each extractor."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--extractor", nargs="+", choices=EXTRACTORS, default=list(EXTRACTORS))
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--side", type=int, default=512, help="of the frames, in pixels")
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--smoke", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    where = torch.cuda.get_device_name() if given.device.startswith("cuda") else "CPU, one thread"
    print(f"{where}; {given.batch} frames of {given.side} x {given.side}, T = {given.iterations}")
    print(f"{'extractor':10} {'bare':>10} {'attack':>10}   share of speed (at least {TARGET})")
    for name in ["smoke"] if given.smoke else given.extractor:
        device = torch.device(given.device)
        extractor = (
            smoke_extractor(device)
            if given.smoke
            else extractor_class(name)(width=given.width, device=device)
        )
        bare, whole, share = measure(extractor, given)
        print(f"{name:10} {bare:8.3f} s {whole:8.3f} s   {share:.2f}", flush=True)


if __name__ == "__main__":
    main()
