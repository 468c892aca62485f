"""Settings of detection in the config. Light to import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from swapset.config.sections import ByName, Section


class DetectorSettings(Section):
    """How one detector is fitted; what is null is as its authors published it."""

    steps: int | None = Field(None, ge=1, description="Most training steps.")
    batch: int | None = Field(None, ge=2, le=4096, description="Faces in a step.")
    learning_rate: float | None = Field(None, gt=0, le=1)
    patience: int | None = Field(None, ge=1, description="As for all detectors, for this one.")
    weights: Path | None = Field(
        None, description="Published weights (docs/weights.md); it is not fitted then."
    )
    backbone_weights: Path | None = Field(
        None, description="Weights of its backbone on ImageNet, to start from."
    )


class DatasetSource(Section):
    """A public dataset on disk (docs/datasets.md)."""

    root: Path = Field(description="Its folder.")
    layout: str | None = Field(None, description="Which dataset it is; null: as it is called here.")
    options: dict[str, Any] = Field({}, description="What the layout takes further.")


class DetectionSettings(Section):
    """Detectors are fitted on people that they are not tested on."""

    train_on: str | None = Field(
        None,
        description=(
            "Dataset to learn from: a method of this build or a public dataset with a split. "
            "null: 'faceswap' if it is among the methods, else the last method."
        ),
    )
    frames: int = Field(16, ge=1, le=10_000, description="Frames of a video, evenly spread.")
    folds: int = Field(
        1,
        ge=1,
        le=50,
        description="1: one split of the people. More: everybody is tested in one of the folds.",
    )
    test: float = Field(0.2, gt=0, lt=1, description="Share of the people that are tested.")
    validation: float = Field(
        0.2, ge=0, lt=1, description="Share of the people that decide when training stops."
    )
    patience: int = Field(
        10, ge=1, description="Looks at the validation faces without gain before training stops."
    )
    look_every: int = Field(100, ge=1, description="Training steps between two looks.")
    block: int = Field(64, ge=1, description="Videos whose faces one job finds.")
    bootstrap: int = Field(1000, ge=10, description="Resamples behind an interval of an AUC.")
    level: float = Field(0.95, gt=0, lt=1, description="Probability of the intervals.")
    settings: ByName[DetectorSettings] = Field(
        {},
        description=(
            "By detector: steps, batch, learning_rate, patience, weights, backbone_weights."
        ),
    )
