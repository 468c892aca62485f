"""A small extractor, faces from which it learns in a few steps, and folders of labelled faces."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from swapset.extractors.bank import FaceBank
from swapset.extractors.labels.csv_file import header
from swapset.extractors.pixel_maps import PixelMapExtractor
from swapset.extractors.schedules import Schedule, Variation
from swapset.faces.align import MEAN_FACE

STILL = Variation(law="uniform", turn=0, turned=0, scale=0, shift=0, colour=0, mirrored=0)
MOVING = Variation(law="uniform", turn=15, turned=1, scale=0.1, shift=0.1, colour=0.1, mirrored=0.5)


class Tiny(PixelMapExtractor):
    """Extractor with inputs of 32 pixels and maps of 16."""

    name = "tiny"
    side = 32
    map_side = 16
    sigma = 1.0
    published = Schedule(steps=40, batch=4, learning_rate=0.01, milestones=(0.5, 0.75), factor=0.1)
    variation = MOVING

    def build(self) -> nn.Module:
        layers: list[nn.Module] = []
        for inputs, outputs, stride in ((3, 16, 2), (16, 32, 1), (32, 32, 1)):
            conv = nn.Conv2d(inputs, outputs, 5, stride, 2)
            layers += [conv, nn.BatchNorm2d(outputs), nn.ReLU()]
        return nn.Sequential(*layers, nn.Conv2d(32, self.points, 1))

    def regions(self, boxes: Tensor) -> Tensor:
        centre, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
        return torch.cat((centre, 1.3 * size.mean(1, keepdim=True)), 1)

    def outputs(self, images: Tensor) -> list[Tensor]:
        return [self.network(images / 255)]

    def optimiser(self, learning_rate: float) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.network.parameters(), lr=learning_rate)

    @classmethod
    def published_facts(cls, state, path):
        return {"points": 68}


def bank(count: int, *, margin: int = 8, seed: int = 0) -> FaceBank:
    """Return faces for `Tiny`: eyes, nose and mouth drawn on noise, at varying places."""
    rng = np.random.default_rng(seed)
    side = Tiny.side + 2 * margin
    faces = rng.integers(80, 120, (count, side, side, 3), dtype=np.uint8)
    points = MEAN_FACE * rng.uniform(18, 24, (count, 1, 1)) + rng.uniform(3, 7, (count, 1, 2))
    for face, landmarks in zip(faces, points, strict=True):
        for group, colour in ((range(36, 48), 255), (range(27, 36), 0), (range(48, 60), 200)):
            for x, y in landmarks[list(group)] + margin:
                cv2.circle(face, (round(x), round(y)), 1, (colour, 255 - colour, colour), -1)
    pictures = torch.from_numpy(faces).permute(0, 3, 1, 2).contiguous()
    return FaceBank(pictures, torch.from_numpy(points.astype(np.float32)), Tiny.side, 0.0)


def face_points(seed: int, count: int = 68) -> np.ndarray:
    """Return landmarks (count, 2) of whole numbers in a picture of 96 x 96 pixels."""
    rng = np.random.default_rng(seed)
    face = MEAN_FACE * 40 + 25
    extra = rng.uniform(30, 60, (count - len(face), 2))
    points = np.concatenate([face, extra]) + rng.uniform(-1, 1, (count, 2))
    if count == 98:
        points[[60, 72]] = face[[36, 45]]
    return points.round()


def picture(path: Path, seed: int, size: tuple[int, int] = (96, 96)) -> Path:
    """Write a picture of smooth colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC))
    return path


def row(split: str, person: str, image: str, points: np.ndarray) -> str:
    values = [str(value) for value in points.ravel().tolist()]
    return ",".join([split, person, image, *values])


def csv_tree(folder: Path, people: dict[str, str], *, each: int = 2, count: int = 68) -> Path:
    """Write `each` faces of every person, who has a split; return the CSV file."""
    lines = [",".join(header(count))]
    for person, split in people.items():
        for number in range(each):
            seed = len(lines)
            picture(folder / f"{person}_{number}.png", seed)
            name = f"{person}_{number}.png"
            lines.append(row(split, person, name, face_points(seed, count)))
    path = folder / "faces.csv"
    path.write_text("\n".join(lines) + "\n")
    return path
