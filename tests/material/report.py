"""A tiny finished build for the tests of swapset.report: two people, two methods, one rejection."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from material.faces import portrait
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from swapset.config.methods import BUILT_IN, synthesis_of, training_of
from swapset.config.recipes import Recipe
from swapset.dataset.labels import write_labels
from swapset.faces.align import standard_points
from swapset.faces.prepare import ClipLandmarks
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.checkpoint import TrainedPair, load_model, save_model
from swapset.generation.synthesis import Synthesiser
from swapset.io.files import write_csv, write_json
from swapset.media.encode import VideoWriter
from swapset.quality.expression_tables import MEASURES

FRAMES, SIZE = 20, 128
SMALL = {"resolution": 64, "width": 8, "code": 16}
FIRST = BUILT_IN["celebdf"].model_copy(update=SMALL)
RECIPES: dict[str, Recipe] = {"first": FIRST, "hull": FIRST.model_copy(update={"mask": "hull"})}
OWNERS = {"first": "first", "hull": "first"}


def clip_landmarks() -> ClipLandmarks:
    """Return landmarks of a drifting mean face, with noise in the raw ones and none in frame 0."""
    points = np.stack([standard_points(80, 1.5) + [24 + 0.3 * k, 20] for k in range(FRAMES)])
    raw = points + np.random.default_rng(1).normal(0, 1, points.shape)
    raw[0] = points[0] = np.nan
    return ClipLandmarks(raw.astype(np.float32), points.astype(np.float32))


def pictures() -> list[np.ndarray]:
    """Return the frames of a clip with a drifting portrait, (128, 128, 3) uint8 RGB each."""
    small = cv2.resize(portrait("astronaut")[:280, 80:360], (SIZE + 8, SIZE + 8))
    return [
        np.ascontiguousarray(small[4 : 4 + SIZE, k // 3 : k // 3 + SIZE]) for k in range(FRAMES)
    ]


def write_video(path: Path, frames: list[np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    codec = "lossless" if path.suffix == ".mkv" else "mpeg4"
    with VideoWriter(path, SIZE, SIZE, codec=codec) as video:
        for frame in frames:
            video.write(frame)


def tiny_pair(path: Path) -> TrainedPair:
    """Write an untrained model and load it again."""
    torch.manual_seed(3)
    recipe = training_of(FIRST)
    save_model(path, SwapAutoencoder(recipe, ["id0", "id1"]), recipe, {})
    return load_model(path, torch.device("cpu"))


def make_build(root: Path) -> Path:
    """Write a finished build: id0_0000 with id1's face by both methods, and a rejected clip."""
    landmarks = clip_landmarks()
    (root / "models" / "first").mkdir(parents=True)
    pair = tiny_pair(root / "models" / "first" / "id0-id1.safetensors")
    (root / "landmarks" / "id0").mkdir(parents=True)
    landmarks.save(root / "landmarks" / "id0" / "id0_0000.npz")
    write_video(root / "clips" / "id0" / "id0_0000.mkv", pictures())
    write_video(root / "dataset" / "real" / "original" / "id0_0000.mp4", pictures())
    for method, recipe in RECIPES.items():
        synthesiser = Synthesiser(
            pair, "id1", synthesis_of(recipe), torch.device("cpu"), precision="fp32"
        )
        swapped = list(synthesiser.swap(pictures(), landmarks.smooth))
        frames, labels = [frame for frame, _ in swapped], [label for _, label in swapped]
        write_video(root / "dataset" / method / "original" / "id0_id1_0000.mp4", frames)
        write_labels(root / "labels" / method / "id0_id1_0000.parquet", labels, {})
    _write_tables(root / "tables")
    _write_records(root)
    return root


def _write_tables(folder: Path) -> None:
    fakes = [
        (method, name, name[:3], name[4:7], f"{name[:3]}_{name[8:]}", made, reason)
        for method in RECIPES
        for name, made, reason in (
            ("id0_id1_0000", True, ""),
            ("id1_id0_0000", False, "clip rejected: no_face"),
        )
    ]
    columns = ["method", "fake", "target", "donor", "clip", "made", "reason"]
    write_csv(folder / "fakes.csv", pd.DataFrame(fakes, columns=columns))
    write_csv(
        folder / "clips.csv",
        pd.DataFrame(
            [("id0_0000", "id0", True, ""), ("id1_0000", "id1", False, "no_face")],
            columns=["clip", "subject", "accepted", "reason"],
        ),
    )
    write_csv(folder / "mask_ssim.csv", scores())
    write_csv(folder / "mask_ssim_differences.csv", differences())
    per_fake = pd.DataFrame(
        [("first", "id0_id1_0000", 0.9, 1.0), ("hull", "id0_id1_0000", 0.8, 7.0)],
        columns=["method", "fake", "mask_ssim", "lab_distance"],
    )
    write_csv(folder / "mask_ssim_per_fake.csv", per_fake)
    write_csv(folder / "expression.csv", expression_means())
    write_csv(folder / "expression_differences.csv", expression_differences())
    write_csv(folder / "datasets.csv", pd.DataFrame({"dataset": ["first"], "real_videos": [1]}))


def scores() -> pd.DataFrame:
    """Return a Mask-SSIM table in which the second method hardly swaps."""
    columns = ["method", "videos", "frames", "mask_ssim", "mask_ssim_low", "mask_ssim_high"]
    rows = [("first", 1, 20, 0.9, 0.85, 0.95, 0.97, 1.0), ("hull", 1, 20, 0.8, 0.7, 0.9, 0.9, 0.25)]
    return pd.DataFrame(rows, columns=[*columns, "masked_frame_ssim", "identity_donor"])


def differences() -> pd.DataFrame:
    columns = ["method", "against", "fakes", "difference", "low", "high", "share_higher"]
    return pd.DataFrame([("first", "hull", 1, 0.1, 0.05, 0.15, 1.0)], columns=columns)


def expression_means() -> pd.DataFrame:
    """Return a table in which no target blinks, and the second method's mouth moves less."""
    rows = [
        (measure, method, *((0, *[np.nan] * 3) if "eyes" in measure else (1, value, 0.1, 0.9)))
        for measure in MEASURES
        for method, value in (("first", 0.8), ("hull", 0.25))
    ]
    return pd.DataFrame(rows, columns=["measure", "method", "videos", "mean", "low", "high"])


def expression_differences() -> pd.DataFrame:
    parts = [differences().assign(measure=name) for name in MEASURES if "eyes" not in name]
    return pd.concat(parts, ignore_index=True)


def panels(figure: Figure) -> list[np.ndarray]:
    """Draw a chart and return the inside of each panel's frame, (H, W, 3) uint8, RGB."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[::-1, :, :3]  # as axes count: from the bottom
    insides = []
    for axes in figure.axes:
        left, bottom, right, top = axes.get_window_extent().extents.round().astype(int)
        insides.append(pixels[bottom + 4 : top - 4, left + 4 : right - 4][::-1])
    return insides


def cut_off(figure: Figure) -> list[str]:
    """Return the titles, labels and names of a chart that reach beyond its border."""
    figure.draw_without_rendering()
    texts = [figure._suptitle, figure._supxlabel, figure._supylabel]  # type: ignore[attr-defined]
    for axes in figure.axes:
        texts += [axes.title, axes.xaxis.label, axes.yaxis.label]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = axis.get_major_ticks()
            texts += [tick.label1 for tick in ticks if low <= tick.get_loc() <= high]
    edges = figure.bbox.padded(1)
    shown = {text.get_text(): text.get_window_extent() for text in texts if text is not None}
    return [
        name
        for name, box in shown.items()
        if name and not (edges.contains(*box.min) and edges.contains(*box.max))
    ]


def verdict(clip: str, reason: str = "", detail: str = "") -> dict[str, object]:
    numbers = dict.fromkeys(["frames", "clip_frames", "width", "height", "cuts", "gaps"], 0)
    about = {"clip": clip, "subject": clip.partition("_")[0], "accepted": not reason}
    return {
        **about,
        "reason": reason,
        "detail": detail,
        "fps": 30.0,
        "face_height": 90.5,
        **numbers,
    }


def _write_records(root: Path) -> None:
    write_json(root / "accepted" / "id0.json", {"id0_0000": verdict("id0_0000")})
    rejected = verdict("id1_0000", "no_face", "<b>none</b> in 20 frames")
    write_json(root / "accepted" / "id1.json", {"id1_0000": rejected})
    source = {"clip": "id0_0000", "sha256": "0" * 64, "licence": "<i>CC0</i> & more"}
    record = {
        "video": "dataset/first/original/id0_id1_0000.mp4",
        "label": 1,
        "compression": "original",
        "method": "first",
        "model_sha256": "1" * 64,
        "sources": [{**source, "redistribute": False}],
        "config_hash": "abcd",
        "software": "swapset 0",
    }
    (root / "dataset" / "provenance.jsonl").write_text(json.dumps(record) + "\n")
