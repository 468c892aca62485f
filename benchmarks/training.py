"""Time training beside the conventional way: a loader whose workers warp faces with OpenCV.

Run `python benchmarks/training.py [--resolution 64] [--width 64] [--rounds 5]`; on a GPU
`make gpu`, or with `--device cuda`. The same network trains on the same faces in three ways:

- ours: the pipeline's trainer, in bf16 and channels_last; faces stay on the device; on a GPU with
  the compiler and a recorded graph;
- loader: a `DataLoader` with `--workers` processes that rotate, flip, colour and warp faces by
  `cv2.remap`; the network also in bf16 and channels_last, the optimiser also fused;
- plain fp32: the pipeline's batches, the network in PyTorch's defaults.

The ways alternate, and the first round is dropped; printed are medians of faces/s and of the ratios
within a round. Below them follows the L1 of held-out faces after the same number of steps by the
fast path, by a plain one in fp32, and by the fast path from another seed, which shows the noise
between two trainings; on a GPU also the network's operations as a share of the dense bf16 peak, and
the share of time in which the GPU is busy.

bf16 pays where the processor computes in it (avx512_bf16 or amx_bf16), so its flags are printed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from skimage import data
from torch.utils.data import DataLoader, IterableDataset

from swapset.config.methods import BUILT_IN, training_of
from swapset.config.recipes import TrainingRecipe
from swapset.generation.augment import ROTATION, WARP_GRID, ZOOM, draw_batch
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.bank import FaceBank
from swapset.generation.flops import operations
from swapset.generation.size import EXPRESSION_VALUES
from swapset.generation.training import Run, Trainer

PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L4": 121e12}
"""Dense bf16 operations per second according to the manufacturer."""
_WARM_UP, _PROFILED = 8, 20


def faces(side: int) -> np.ndarray:
    """Return 64 crops around the astronaut's face, (64, side, side, 3) uint8."""
    picture, rng = data.astronaut(), np.random.default_rng(0)
    corners = rng.integers((40, 130), (80, 170), (64, 2))
    crops = [picture[y : y + 144, x : x + 144] for y, x in corners]
    return np.stack([cv2.resize(crop, (side, side)) for crop in crops])


class Warped(IterableDataset):
    """Yields training pairs as the conventional tools do, one face at a time."""

    def __init__(self, stored: np.ndarray, recipe: TrainingRecipe):
        self.stored, self.recipe = stored, recipe

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        rng, side = np.random.default_rng(), self.recipe.resolution
        cv2.setNumThreads(1)
        while True:
            face = self.stored[rng.integers(len(self.stored))]
            angle, zoom = rng.uniform(-1, 1, 2) * self.recipe.jitter * (ROTATION, ZOOM)
            centre = (face.shape[1] / 2, face.shape[0] / 2)
            matrix = cv2.getRotationMatrix2D(centre, angle, 1 + zoom)
            moved = cv2.warpAffine(face, matrix, face.shape[1::-1], borderMode=cv2.BORDER_REFLECT)
            if self.recipe.flips and rng.random() < 0.5:
                moved = moved[:, ::-1]
            if self.recipe.colour_augmentation:
                moved = _coloured(rng, moved)
            low = round((face.shape[0] - face.shape[0] * 2 / 3) / 2)
            crop = moved[low : face.shape[0] - low, low : face.shape[1] - low]
            target = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
            maps = _warp_maps(rng, side, self.recipe.warp)
            warped = cv2.remap(target, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            smaller = (self.recipe.input_side, self.recipe.input_side)
            yield cv2.resize(warped, smaller, interpolation=cv2.INTER_AREA), target


def _coloured(rng: np.random.Generator, face: np.ndarray) -> np.ndarray:
    """Change the white balance, contrast and brightness of a face (H, W, 3) uint8."""
    balance, contrast = 1 + 0.1 * rng.uniform(-1, 1, 3), 1 + 0.2 * rng.uniform(-1, 1)
    tables = np.arange(256)[:, None] / 255
    tables = ((tables - 0.5) * contrast + 0.5 + 0.12 * rng.uniform(-1, 1)) * balance
    return cv2.LUT(face, (tables.clip(0, 1) * 255).round().astype(np.uint8)[:, None])


def _warp_maps(rng: np.random.Generator, side: int, warp: float) -> list[np.ndarray]:
    """Return the source x and y of each pixel of a warped face, (side, side) float32 each."""
    place = np.linspace(0, side - 1, WARP_GRID)
    grid = np.stack(np.meshgrid(place, place))
    moved = (grid + rng.normal(0, warp * side / 2, grid.shape)).astype(np.float32)
    return [cv2.resize(axis, (side, side), interpolation=cv2.INTER_CUBIC) for axis in moved]


def pipeline(
    precision: str,
    recipe: TrainingRecipe,
    bank: FaceBank,
    device: torch.device,
    *,
    fast: bool,
    seed: int = 0,
) -> Trainer:
    """Return the pipeline's trainer; `fast`: with the compiler on a GPU."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(
            seed,
            device,
            precision,
            Path(folder, "checkpoint"),
            10**9,
            preview_every=10**9,
            compiled=fast and device.type == "cuda",
        )
        return Trainer(recipe, {"one": bank, "other": bank}, run, "benchmark")


def advance(trainer: Trainer, steps: int, device: torch.device) -> float:
    """Take some steps and return the seconds."""
    begin = time.perf_counter()
    for _ in range(steps):
        trainer.step(trainer.loop.done)
        trainer.loop.done += 1
    synchronised(device)
    return time.perf_counter() - begin


def synchronised(device: torch.device) -> None:
    """Wait for the device."""
    if device.type == "cuda":
        torch.cuda.synchronize()


Batches = dict[str, tuple[torch.Tensor, ...]]


def learns(model: SwapAutoencoder, optimiser: torch.optim.Optimizer, batches: Batches) -> None:
    """Take one plain step on (warped, target) of each subject."""
    reconstructed = model.reconstruct({name: warped for name, (warped, _) in batches.items()})
    losses = [(reconstructed[name] - target).abs().mean() for name, (_, target) in batches.items()]
    optimiser.zero_grad(set_to_none=True)
    torch.stack(losses).sum().backward()
    optimiser.step()


def by_loader(
    recipe: TrainingRecipe, stored: np.ndarray, device: torch.device, workers: int
) -> float:
    """Return the seconds of a loop that waits for a loader, without the start of its workers."""
    torch.manual_seed(0)
    model = SwapAutoencoder(recipe, ["one", "other"]).placed(device)
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate, fused=True)
    pinned = device.type == "cuda"
    loaders = [
        iter(
            DataLoader(
                Warped(stored, recipe),
                batch_size=recipe.batch,
                num_workers=max(1, workers // 2),
                pin_memory=pinned,
            )
        )
        for _ in range(2)
    ]

    def batch() -> Batches:
        drawn: Batches = {}
        for name, loader in zip(("one", "other"), loaders, strict=True):
            pair = [part.to(device, non_blocking=True).permute(0, 3, 1, 2) for part in next(loader)]
            drawn[name] = tuple(part.float().div_(255) for part in pair)
        return drawn

    next_batch = batch()
    synchronised(device)
    begin = time.perf_counter()
    for _ in range(recipe.steps):
        with torch.autocast(device.type, torch.bfloat16):
            learns(model, optimiser, next_batch)
        next_batch = batch()
    synchronised(device)
    return time.perf_counter() - begin


def plainly(recipe: TrainingRecipe, bank: FaceBank, device: torch.device) -> float:
    """Return the seconds of a plain fp32 loop in the default layout."""
    torch.manual_seed(0)
    model = SwapAutoencoder(recipe, ["one", "other"]).to(device)
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate)
    generator = torch.Generator(device).manual_seed(0)
    begin = time.perf_counter()
    for _ in range(recipe.steps):
        batches = {}
        for name in ("one", "other"):
            drawn = draw_batch(
                bank,
                recipe.batch,
                recipe.resolution,
                colour=recipe.colour_augmentation,
                generator=generator,
                input_side=recipe.input_side,
                flips=recipe.flips,
                jitter=recipe.jitter,
                warp=recipe.warp,
            )
            batches[name] = (drawn.warped, drawn.target)
        learns(model, optimiser, batches)
    synchronised(device)
    return time.perf_counter() - begin


def busy_share(trainer: Trainer, device: torch.device) -> float:
    """Return the share of time in which the GPU runs a kernel.

    The kernels' time comes from profiled steps, the total from as many steps without the profiler.
    """
    from torch.profiler import ProfilerActivity, profile

    seconds = advance(trainer, _PROFILED, device)
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        advance(trainer, _PROFILED, device)
    kernels = sum(event.device_time_total for event in seen.key_averages())
    return kernels / 1e6 / seconds


def main() -> None:
    """Print faces/s of the ways, their ratios, and the held-out L1 of fast and plain paths."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", default="faceswap", choices=sorted(BUILT_IN))
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--width", type=int, default=64, help="channels of the first layer")
    parser.add_argument("--code", type=int, default=512)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--learn", type=int, default=200, help="steps of the comparison of L1")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, nargs="+", default=[2])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", nargs="*", metavar="WAY", help="beside ours: loader, plain")
    parser.add_argument(
        "--time-kernels", action="store_true", help="let cuDNN time its kernels before it chooses"
    )
    options = parser.parse_args()
    if options.device != "cpu" and not torch.cuda.is_available():
        parser.error(f"--device {options.device}: torch {torch.__version__} finds no GPU")
    torch.backends.cudnn.benchmark = options.time_kernels
    torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    names = ("resolution", "width", "code", "batch", "steps")
    # Whole faces: small ones at the start would be faster than the rest of the training.
    recipe = training_of(BUILT_IN[options.method]).model_copy(
        update={name: getattr(options, name) for name in names} | {"coarse_first": False}
    )
    stored = faces(round(recipe.resolution * 3 / 2))
    bank = FaceBank.from_faces(
        stored,
        resolution=recipe.resolution,
        share=2 / 3,
        device=device,
        expressions=np.zeros((len(stored), EXPRESSION_VALUES), np.float32),
    )
    long = recipe.model_copy(update={"steps": 100_000})
    trainers = {
        "ours": pipeline("bf16", long, bank, device, fast=True),
        "ours in fp32": pipeline("fp32", long, bank, device, fast=False),
    }
    ways: dict[str, Callable[[], float]] = {
        name: partial(advance, trainer, options.steps, device) for name, trainer in trainers.items()
    }
    for workers in options.workers:
        ways[f"loader, {workers} workers"] = partial(by_loader, recipe, stored, device, workers)
    ways["plain fp32"] = lambda: plainly(recipe, bank, device)
    if options.only is not None:
        kept = tuple(options.only)
        ways = {name: ways[name] for name in ways if name == "ours" or name.startswith(kept)}
    for name in ways.keys() & trainers.keys():
        advance(trainers[name], _WARM_UP, device)
    rounds = [{name: way() for name, way in ways.items()} for _ in range(options.rounds + 1)][1:]
    report(options, recipe, rounds)
    if device.type == "cuda":
        on_gpu(recipe, trainers["ours"], device, statistics.median(each["ours"] for each in rounds))
    if options.learn:
        learnt(recipe.model_copy(update={"steps": options.learn}), bank, device)


def learnt(recipe: TrainingRecipe, bank: FaceBank, device: torch.device) -> None:
    """Print the held-out L1 that fast and plain paths reach."""
    ends = []
    for precision, fast, seed in (("bf16", True, 0), ("fp32", False, 0), ("bf16", True, 1)):
        trainer = pipeline(precision, recipe, bank, device, fast=fast, seed=seed)
        advance(trainer, recipe.steps, device)
        held_out = trainer.validate()
        ends.append(sum(held_out.values()) / len(held_out))
    print(f"  L1 of held-out faces after {recipe.steps} steps: {ends[0]:.4f}, ", end="")
    print(f"plainly in fp32 {ends[1]:.4f}; from another seed {ends[2]:.4f}")


def report(
    options: argparse.Namespace, recipe: TrainingRecipe, rounds: list[dict[str, float]]
) -> None:
    """Print the speeds and their ratios."""
    flags = [name for name, here in torch.cpu.get_capabilities().items() if here is True]
    model = SwapAutoencoder(recipe, ["one", "other"])
    weights = sum(weight.numel() for weight in model.parameters())
    print("CPU flags:", " ".join(flags))
    print(f"{options.method}, {recipe.resolution} x {recipe.resolution}, ", end="")
    print(f"{weights / 1e6:.1f} M weights, batch {recipe.batch} of each subject, ", end="")
    print(f"{options.threads} threads, {options.device}")
    for name in rounds[0]:
        speed = statistics.median(2 * recipe.batch * recipe.steps / each[name] for each in rounds)
        ratio = statistics.median(each[name] / each["ours"] for each in rounds)
        print(f"  {name:18s} {speed:8.1f} faces/s   ours is {ratio:5.2f} x")


def on_gpu(recipe: TrainingRecipe, trainer: Trainer, device: torch.device, seconds: float) -> None:
    """Print the shares of the GPU's peak performance and of its time."""
    name = torch.cuda.get_device_name(device)
    done = 2 * recipe.batch * operations(recipe) * recipe.steps / seconds
    peak = next((value for key, value in PEAKS.items() if key in name), None)
    share = "" if peak is None else f", {done / peak:.1%} of {peak / 1e12:.0f}"
    print(f"  {name}: {done / 1e12:.1f} Tflop/s{share}")
    print(f"  the GPU is busy in {busy_share(trainer, device):.1%} of the time")


if __name__ == "__main__":
    main()
