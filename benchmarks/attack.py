"""Time Landmark Breaker on whole frames beside the bare network's passes.

Run `python benchmarks/attack.py [--extractor fan hrnet avs-san] [--width 1] [--device cuda]`.
The attack turns frames into noisy frames of whole numbers, with crops, loss, momentum, steps and
clipping. The bare way runs the network forward and backward to its input T times, on a batch of
ready crops, in the same arithmetic, with frozen weights as well. Both take T steps
(`budget="project"`). They alternate, and the first round is dropped; printed are medians of wall
time, and of the ratios within a round.

With narrow networks on a CPU, the crop takes a noticeable share, and so does memory that glibc
returns after each pass and requests again; MALLOC_TRIM_THRESHOLD_=4000000000
MALLOC_MMAP_THRESHOLD_=1000000000 make it keep the memory.

`--smoke` takes a small convolutional network, to check this file in seconds.
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
"""Smallest share of the bare passes' speed to reach."""

# The astronaut's face, as dlib's detector draws it.
BOX = (175.0, 70.0, 275.0, 170.0)


def smoke_extractor(device: torch.device) -> Any:
    """Return a stand-in extractor for attacks, with a network that takes hardly any time."""
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
    """Return frames (count, 3, side, side) float32 with a face, and their boxes (count, 4)."""
    picture = torch.from_numpy(np.ascontiguousarray(data.astronaut())).permute(2, 0, 1)[None]
    frame = nn.functional.interpolate(picture.float(), (side, side), mode="area").round()
    boxes = torch.tensor([BOX] * count) * (side / 512)
    return frame.expand(count, -1, -1, -1).contiguous().to(device), boxes


def bare_passes(
    extractor: Any, crops: Tensor, steps: int, arithmetic: Callable[[Tensor], torch.autocast]
) -> None:
    """Run only the network, forward and backward."""
    for weight in extractor.network.parameters():
        weight.requires_grad_(False)
    for _ in range(steps):
        crops = crops.detach().requires_grad_()
        with arithmetic(crops):
            total = extractor.heatmaps(crops).sum()
        torch.autograd.grad(total, crops)


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Return the seconds of a call, including the work it started on the device."""
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    wait()
    start = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - start


def measure(extractor: Any, options: argparse.Namespace) -> tuple[float, float, float]:
    """Return the seconds of the bare passes and of the attack, and the median ratio."""
    device = torch.device(options.device)
    frames, boxes = frames_of(options.batch, options.side, device)
    attack = LandmarkBreaker(
        iterations=options.iterations, budget="project", precision=options.precision
    )
    seen = OnFrames(extractor, boxes)
    crops = seen.inputs(frames)
    times = []
    for _ in range(options.rounds + 1):
        bare = seconds(
            lambda: bare_passes(extractor, crops, options.iterations, attack.arithmetic), device
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
    options = parser.parse_args()
    torch.set_num_threads(1)
    where = torch.cuda.get_device_name() if options.device.startswith("cuda") else "CPU, one thread"
    size = f"{options.batch} frames of {options.side} x {options.side}"
    print(f"{where}; {size}, T = {options.iterations}")
    print(f"{'extractor':10} {'bare':>10} {'attack':>10}   share of speed (at least {TARGET})")
    for name in ["smoke"] if options.smoke else options.extractor:
        device = torch.device(options.device)
        extractor = (
            smoke_extractor(device)
            if options.smoke
            else extractor_class(name)(width=options.width, device=device)
        )
        bare, whole, share = measure(extractor, options)
        print(f"{name:10} {bare:8.3f} s {whole:8.3f} s   {share:.2f}", flush=True)


if __name__ == "__main__":
    main()
