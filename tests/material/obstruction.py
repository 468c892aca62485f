"""Small extractors to attack, and a plain implementation of the attacks' update rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from swapset.extractors.crops import cut_squares, squares_about
from swapset.obstruction.attacks.objective import Maps


class Convolutions:
    """Extractor of two random convolutions and 5 landmarks.

    In double precision, so that no sign of a gradient depends on rounding.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int = 0):
        torch.manual_seed(seed)
        layers = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()
        self.network = nn.Sequential(*layers, nn.Conv2d(8, 5, 3, stride=2, padding=1)).double()
        self.network.eval()
        self.calls = 0

    def heatmaps(self, images: Tensor) -> Tensor:
        self.calls += 1
        return self.network(images / 255)

    def features(self, images: Tensor) -> list[Tensor]:
        inside = self.network[:3](images / 255)
        return [inside, self.network[3](inside)]


class OfSquares(Convolutions):
    """The same extractor on frames: it crops squares to 16 x 16 pixels."""

    def regions(self, boxes: Tensor) -> Tensor:
        return squares_about(boxes, size=1.2, lowered=0.1)

    def crop(self, frames: Tensor, boxes: Tensor) -> Tensor:
        return cut_squares(frames, self.regions(boxes), 16)


class Plane:
    """Extractor with one map of two pixels: red and green of a picture of one pixel."""

    def heatmaps(self, images: Tensor) -> Tensor:
        return images[:, :2].flatten(1)[:, None, None]


def pictures(count: int = 3, height: int = 12, width: int = 14, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, height, width), generator=generator).double()


def noisier(images: Tensor, most: int = 2) -> Tensor:
    """Change each pixel of pictures by at most `most`."""
    generator = torch.Generator().manual_seed(4)
    drawn = torch.randint(-most, most + 1, images.shape, generator=generator)
    return (images + drawn).clamp(0, 255)


def plainly(
    extractor: Maps, images: Tensor, start: Tensor, *, decay: float, epsilon: float, steps: int
) -> Tensor:
    """Attack pictures one by one by MI-FGSM with steps of 1; decay 0 is I-FGSM."""
    attacked = []
    for image, noisy in zip(images[:, None], start[:, None], strict=True):
        clean = extractor.heatmaps(image).detach().flatten(2)
        momentum = torch.zeros_like(image)
        for _ in range(steps):
            noisy = noisy.detach().requires_grad_()
            maps = extractor.heatmaps(noisy).flatten(2)
            torch.nn.functional.cosine_similarity(maps, clean, dim=2).sum().backward()
            momentum = decay * momentum + noisy.grad / noisy.grad.abs().sum()
            noisy = noisy.detach() - momentum.sign()
            noisy = (image + (noisy - image).clamp(-epsilon, epsilon)).clamp(0, 255)
        attacked.append(noisy)
    return torch.cat(attacked)


@contextmanager
def counted(extractor: Convolutions) -> Iterator[list[int]]:
    """Yield a list that holds the number of forward passes afterwards."""
    before, passes = extractor.calls, [0]
    yield passes
    passes[0] = extractor.calls - before


def face(x: float = 60, y: float = 60, size: float = 40) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    return (np.stack((np.cos(angles), np.sin(angles)), 1) * size / 2 + (x, y)).astype(np.float32)
