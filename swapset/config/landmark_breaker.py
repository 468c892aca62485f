"""Settings of Landmark Breaker in the config. Light to import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field

from swapset.config.sections import ByName, Section

RUN_FRAMES = 15
"""Key frames that follow each other: half a second."""

Compression = Literal["none", "jpeg75", "jpeg50", "mpeg4", "mpeg4+h264"]
COMPRESSIONS: tuple[Compression, ...] = get_args(Compression)
"""What noisy frames go through, in the order of tables 4.6 and 4.8 of the chapter."""


class ExtractorSettings(Section):
    """How one extractor is trained; what is null is as its authors published it."""

    width: float = Field(1.0, gt=0, le=4, description="Share of the published channels.")
    steps: int | None = Field(None, ge=1, description="Training steps.")
    batch: int | None = Field(None, ge=1, le=4096, description="Faces in a step.")
    learning_rate: float | None = Field(None, gt=0, le=1)
    weights: Path | None = Field(
        None, description="Published weights (docs/weights.md); it is not trained then."
    )
    backbone_weights: Path | None = Field(
        None, description="Weights of its backbone on ImageNet, to start from."
    )


class LabelSource(Section):
    """Faces with landmarks on disk, to train extractors on."""

    layout: Literal["wflw", "300w", "csv"] = Field(description="'wflw', '300w' or 'csv'.")
    root: Path = Field(description="Folder of the pictures, or the CSV file.")
    lists: Path | None = Field(None, description="Folder of WFLW's lists; null: inside root.")
    clips: bool = Field(
        False,
        description=(
            "Learn from accepted clips of people who are not protected as well (68 landmarks)."
        ),
    )


class LandmarkBreakerSettings(Section):
    """Noise on originals that makes landmark extraction fail, and what it does to swaps."""

    subjects: int | list[str] = Field(
        6, description="People who are protected: a number, drawn by seed, or a list."
    )
    frames: int = Field(
        600, ge=15, description="Key frames in all, in evenly spaced runs of 15 frames."
    )
    reference: str | None = Field(
        None,
        description=(
            "Extractor whose landmarks on clean frames count as the truth; null: hrnet, else the "
            "last."
        ),
    )
    compressions: list[Compression] = Field(
        list(COMPRESSIONS), min_length=1, description="What noisy frames go through."
    )
    method: str | None = Field(
        None, description="Method whose models make the swaps that are compared; null: the first."
    )
    swap_every: int = Field(1, ge=1, le=15, description="Swap every n-th key frame.")
    epsilon: float = Field(15.0, gt=0, le=255, description="Largest change of a pixel, of 255.")
    iterations: int = Field(20, ge=1, le=10_000, description="Steps of an attack.")
    step: float = Field(1.0, gt=0, le=255, description="Size of a step, of 255.")
    decay: float = Field(0.5, ge=0, le=1, description="Decay of the momentum.")
    budget: Literal["stop", "project"] = Field(
        "stop", description="At epsilon an attack ends ('stop') or goes on within ('project')."
    )
    sweep_steps: list[Annotated[float, Field(gt=0, le=255)]] = Field(
        [0.5, 0.75, 1.0, 1.25, 1.5],
        description="Sizes of Landmark Breaker's steps that are compared (figure 4.13), or [].",
    )
    sweep_iterations: list[Annotated[int, Field(ge=1, le=10_000)]] = Field(
        [14, 16, 18, 20, 22, 24, 26, 28],
        description="Numbers of its steps that are compared (figure 4.13), or [].",
    )
    sweep_every: int = Field(
        5, ge=1, le=15, description="Every n-th key frame takes part in these comparisons."
    )
    label_frames: int = Field(
        30, ge=1, description="Frames of an accepted clip that extractors are trained on."
    )
    labels: LabelSource | None = Field(
        None,
        description=(
            "Labelled faces to train on (docs/landmark_breaker.md); null: accepted clips of people "
            "who are not protected, with dlib's landmarks."
        ),
    )
    protected_pairs: int = Field(
        1,
        ge=0,
        description="Pairs whose models are trained again, with noise on one's clips; 0: none.",
    )
    protected_attacks: list[str] = Field(
        ["lb"], description="Attacks whose noise is on these clips; clean ones are added."
    )
    protected_extractor: str | None = Field(
        None,
        description=(
            "Extractor that this noise is made against and that finds the landmarks in these "
            "clips; null: the reference."
        ),
    )
    protected_compression: Literal["none", "mpeg4", "mpeg4+h264"] = Field(
        "none", description="What these clips go through before they are learnt from."
    )
    level: float = Field(0.95, gt=0, lt=1, description="Probability of the intervals.")
    settings: ByName[ExtractorSettings] = Field(
        {},
        description="By extractor: width, steps, batch, learning_rate, weights, backbone_weights.",
    )
