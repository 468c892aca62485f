"""Time DSSIM as a loss, forward and backward, beside convolutions, on one core.

Run `python benchmarks/dssim.py [--rounds 15]`. The conventional way blurs each pixel's
neighbourhood by two depthwise convolutions with reflected borders. Printed are processor times,
medians of alternating rounds, and how near values and gradients are.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time

import torch
from torch import Tensor
from torch.nn import functional

from swapset.generation.losses import Reconstruction, dssim

C1, C2 = 0.01**2, 0.03**2


def by_convolutions(batch: Reconstruction) -> Tensor:
    """Return (1 - SSIM) / 2 over a window per pixel."""
    one, other = batch.rgb, batch.target
    sigma = 1.5 * one.shape[-1] / 128
    radius = math.ceil(3 * sigma)
    line = torch.exp(-torch.arange(-radius, radius + 1).square() / (2 * sigma**2))
    kernel = (line / line.sum()).expand(3, 1, 1, -1)

    def blur(images: Tensor) -> Tensor:
        padded = functional.pad(images, (radius,) * 4, mode="reflect")
        across = functional.conv2d(padded, kernel, groups=3)
        return functional.conv2d(across, kernel.mT, groups=3)

    mean_one, mean_other = blur(one), blur(other)
    product, squares = mean_one * mean_other, mean_one.square() + mean_other.square()
    spread = blur(one.square() + other.square()) - squares
    shared = blur(one * other) - product
    ssim = (2 * product + C1) * (2 * shared + C2) / ((squares + C1) * (spread + C2))
    return ((1 - ssim) / 2).mean()


def pair(side: int, layout: torch.memory_format) -> Reconstruction:
    """Return a batch of 8 smooth pictures with errors."""
    torch.manual_seed(0)

    def smooth(noise: Tensor) -> Tensor:
        return functional.interpolate(noise, size=(side, side), mode="bicubic")

    target = smooth(torch.rand(8, 3, side // 8, side // 8)).clamp(0, 1)
    rgb = (target + 0.1 * smooth(torch.randn(8, 3, side // 4, side // 4))).clamp(0, 1)
    rgb = rgb.contiguous(memory_format=layout).requires_grad_()
    return Reconstruction(rgb=rgb, target=target, warped=target)


def main() -> None:
    """Print times, their ratio, and the agreement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(1)
    ways = {"convolutions": by_convolutions, "ours": dssim}
    for side in (128, 256):
        for layout in (torch.channels_last, torch.contiguous_format):
            batch = pair(side, layout)
            seconds: dict[str, list[float]] = {name: [] for name in ways}
            values, gradients = {}, {}
            for _ in range(options.rounds + 1):
                for name, way in ways.items():
                    batch.rgb.grad = None
                    begin = time.process_time()
                    loss = way(batch)
                    loss.backward()
                    seconds[name].append(time.process_time() - begin)
                    values[name], gradients[name] = loss.item(), batch.rgb.grad
            former, ours = (1e3 * statistics.median(each[1:]) for each in seconds.values())
            cosine = functional.cosine_similarity(*(g.flatten() for g in gradients.values()), dim=0)
            print(f"(8, 3, {side}, {side}), {layout}: convolutions {former:.1f} ms, ", end="")
            print(f"ours {ours:.1f} ms, ratio {former / ours:.1f}; values ", end="")
            print(", ".join(f"{value:.4f}" for value in values.values()), end="")
            print(f"; cosine of the gradients {cosine:.4f}")


if __name__ == "__main__":
    main()
