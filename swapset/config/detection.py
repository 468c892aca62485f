"""The section `detection` of the config, and the datasets. Imports nothing heavy."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from swapset.config.sections import ByName, InputPath, Section
from swapset.media.compressions import Compression
from swapset.media.perturbations.names import expand


class DetectorSettings(Section):
    """Settings of one detector's fit; null means the authors' published value."""

    steps: int | None = Field(None, ge=1, description="Largest number of training steps.")
    batch: int | None = Field(None, ge=2, le=4096, description="Faces in a step.")
    learning_rate: float | None = Field(None, gt=0, le=1)
    patience: int | None = Field(
        None, ge=1, description="As `detection.patience`, for this detector."
    )
    weights: InputPath | None = Field(
        None,
        description=(
            "Published weights (docs/weights.md), used instead of fitting: a file, or for "
            "Multi-task and Capsule a folder."
        ),
    )
    backbone_weights: InputPath | None = Field(
        None, description="ImageNet weights of its backbone, to start from."
    )
    protocol: Literal["deepfakebench"] | None = Field(
        None,
        description=(
            "Whose `weights` they are, if not the authors'; with that crop, network and scale."
        ),
    )

    @model_validator(mode="after")
    def _protocol_of_weights(self) -> Self:
        if self.protocol and self.weights is None:
            raise ValueError("a protocol says how weights are used; set `weights`, or leave it out")
        return self


class DatasetSource(Section):
    """A public dataset on disk (docs/datasets.md)."""

    root: InputPath = Field(description="Its folder.")
    layout: str | None = Field(
        None, description="How its files are laid out; null: as the dataset of this name."
    )
    options: dict[str, Any] = Field({}, description="Options of the layout.")


class ScoreFile(Section):
    """Scores of a dataset's videos by a detector that was run elsewhere (docs/robustness.md)."""

    file: InputPath = Field(description="CSV file: video, optionally frame, score.")
    higher: Literal["fake", "real"] | None = Field(
        None, description="What a higher score means; null: found from the labels, and reported."
    )
    compression: Compression | None = Field(
        None, description="Compression of the videos that were scored; null: the best one."
    )

    @model_validator(mode="before")
    @classmethod
    def _file_alone(cls, value: Any) -> Any:
        """Read a path alone as the section with this file."""
        return {"file": value} if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


ScoreFiles = Annotated[list[ScoreFile], BeforeValidator(_listed), Field(min_length=1)]
"""One file, or a list with one for each compression."""


TrainOn = Annotated[
    list[str | Annotated[list[str], Field(min_length=1)]],
    Field(min_length=1),
]
"""Training sets: a dataset each, or several together."""


class DetectionSettings(Section):
    """Detectors are fitted and tested on different people."""

    train_on: str | TrainOn | None = Field(
        None,
        description=(
            "Training dataset: a method of this build, or a public dataset with a split. A list: "
            "detectors learn from each of them, [celebdf, dfaker] in the list: from these together "
            "(docs/detection.md). null: 'faceswap' if it is among the methods, else the last "
            "method."
        ),
    )
    leave_one_out: bool = Field(
        False,
        description=(
            "Detectors learn from all datasets of `train_on` but one, too, for each of them."
        ),
    )
    frames: int = Field(16, ge=1, le=10_000, description="Frames of each video, evenly spaced.")
    folds: int = Field(
        1,
        ge=1,
        le=50,
        description="1: one split of the people. More: cross-validation, each person tested once.",
    )
    seeds: int = Field(
        1,
        ge=1,
        le=20,
        description="Trainings of each detector and fold, which differ in their seed alone.",
    )
    test: float = Field(0.2, gt=0, lt=1, description="Share of the people in the test split.")
    validation: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Share of the people in the validation split, which ends training.",
    )
    same_people: ByName[str] = Field(
        {},
        description=(
            "Who is one person with somebody of another dataset: 'Celeb-DF/id2: id0', or all "
            "people of the same name: 'Celeb-DF-v2: Celeb-DF' ('real': your own clips). Nobody "
            "else is, whatever the names."
        ),
    )
    patience: int = Field(
        10, ge=1, description="Validations without improvement after which training ends."
    )
    look_every: int = Field(100, ge=1, description="Training steps between two validations.")
    block: int = Field(64, ge=1, description="Videos in one job that finds faces.")
    bootstrap: int = Field(
        1000, ge=10, description="Bootstrap samples for the intervals of error rates."
    )
    level: float = Field(0.95, gt=0, lt=1, description="Level of the confidence intervals.")
    perturbations: Literal["all"] | list[str] = Field(
        [],
        description=(
            "Perturbations to test detectors under (docs/robustness.md): 'all', or names such as "
            "blur, noise/3, resize/2+video/3, messenger; []: none."
        ),
    )
    faceless: Literal["middle", "exclude", "real"] = Field(
        "middle",
        description=(
            "A video without a face: ranked in the middle, left out, or counted as called real."
        ),
    )
    settings: ByName[DetectorSettings] = Field(
        {},
        description=(
            "For each detector: steps, batch, learning_rate, patience, weights, backbone_weights, "
            "protocol."
        ),
    )

    @field_validator("perturbations")
    @classmethod
    def _known_perturbations(cls, value: str | list[str]) -> str | list[str]:
        expand(value)
        return value
