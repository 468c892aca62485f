"""The configuration: pydantic models that are the single source of keys, defaults and limits.

The commented default `config.yaml` and the JSON schema are generated from these models by
`swapset.config_text`. Defaults here are those for real clips; the embedded demo's smaller values
are in `DEMO`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from swapset.errors import ConfigError
from swapset.generation.methods import Recipe, RecipeOverride, resolve

DEMO_CLIPS = "demo"
Compression = Literal["original", "c23", "c40"]
CRF: dict[str, int] = {"c23": 23, "c40": 40}


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class IngestSettings(Section):
    """Source clips become upright clips of one frame rate."""

    fps: int = Field(
        30, ge=1, le=120, description="Constant frame rate of every clip, in frames/s."
    )
    max_seconds: float = Field(
        13.0, gt=0, le=3600, description="Longest part of a clip that is used, in seconds."
    )


class TrackSettings(Section):
    """Faces are found, given 68 landmarks and followed through a clip."""

    detector: Literal["hog", "cnn", "yunet"] = Field(
        "hog", description="Face detector: dlib's 'hog' or 'cnn', or OpenCV's 'yunet'."
    )
    every: int = Field(
        10, ge=1, le=300, description="Frames between two confirmations of a followed face."
    )
    search_every: int = Field(
        60, ge=1, le=3600, description="Frames between two searches of the whole frame."
    )
    min_face: int = Field(
        48, ge=20, le=1000, description="Smallest face that is searched for, in pixels."
    )
    embeddings: int = Field(
        8, ge=1, le=64, description="Face embeddings computed per followed face, for identity."
    )
    predictor: Path | None = Field(
        None, description="dlib 68-point model file; null takes the one that is installed."
    )
    cnn_model: Path | None = Field(
        None, description="dlib CNN detector file; null takes the one that is installed."
    )
    yunet_model: Path | None = Field(
        None, description="YuNet's .onnx file; needed when detector is 'yunet'."
    )
    embedder: Path | None = Field(
        None, description="dlib face recognition file; null takes the one that is installed."
    )


class AcceptSettings(Section):
    """Which clips are good enough, and whose face is theirs."""

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


class SmoothingSettings(Section):
    """Kalman filter and RTS smoother over the landmarks; lengths are in sides of the face."""

    process_noise: float = Field(
        0.5, gt=0, description="How freely points accelerate, in faces per second^1.5."
    )
    measurement_noise: float = Field(
        0.004, gt=0, description="Error of a detected landmark, in face sides."
    )
    max_gap: int = Field(
        15, ge=0, description="Longest run of frames without a face that is bridged."
    )


class AlignSettings(Section):
    """Faces are warped to the standard configuration and kept for training."""

    every: int = Field(1, ge=1, le=100, description="Keep every n-th face of a clip.")
    size: int = Field(320, ge=64, le=1024, description="Side of the stored face crops, in pixels.")
    context: float = Field(
        1.6, ge=1.0, le=3.0, description="Side of the stored crops, in widths of the face."
    )


class TrainingSettings(Section):
    """The training engine; what a method trains is in its recipe."""

    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="Arithmetic: 'auto' takes bf16 where the processor has it."
    )
    threads: int = Field(
        2, ge=1, le=256, description="CPU threads of one training; part of its result."
    )
    checkpoint_every: int = Field(
        500, ge=1, description="Steps between two checkpoints, from which a killed job resumes."
    )
    preview_every: int = Field(
        2000, ge=1, description="Steps between two rows of the preview picture."
    )


class VideoSettings(Section):
    """How the dataset's videos, real and fake alike, are encoded."""

    codec: Literal["mpeg4", "h264"] = Field(
        "mpeg4", description="'mpeg4' (the chapter's MPEG4.0) or 'h264'."
    )
    quality: int = Field(
        2, ge=2, le=51, description="Lower is better. mpeg4: -q:v (2 to 31); h264: -crf (2 to 51)."
    )

    @model_validator(mode="after")
    def _quality_fits_codec(self) -> VideoSettings:
        if self.codec == "mpeg4" and self.quality > 31:
            raise ConfigError(f"video.quality: {self.quality} is not allowed: mpeg4 ends at 31")
        return self


class QualitySettings(Section):
    """Mask-SSIM and the identity of the swaps."""

    every: int = Field(1, ge=1, description="Measure Mask-SSIM on every n-th frame.")
    identity_frames: int = Field(
        16, ge=1, description="Swapped frames per fake whose identity is measured."
    )
    bootstrap: int = Field(2000, ge=100, description="Bootstrap samples of the interval.")
    level: float = Field(0.95, gt=0, lt=1, description="Level of the confidence interval.")


class Config(Section):
    """One build."""

    name: str = Field("demo", description="Name of the build; its results are in results/<name>/.")
    clips: str = Field(
        DEMO_CLIPS,
        description="Manifest of the clips (a CSV file), or 'demo' for the embedded demo.",
    )
    clips_root: Path | None = Field(
        None, description="Folder that the manifest's paths start from; null: its own folder."
    )
    subjects: Path | None = Field(
        None, description="CSV file with gender, age and ethnicity of the subjects, or null."
    )
    results: Path = Field(Path("results"), description="Folder for all results.")
    seed: int = Field(1, ge=0, lt=2**63, description="Seed of everything that is random.")
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
        description="Where networks run: 'auto', 'cpu', 'cuda' or 'cuda:<number>'.",
    )
    strict: bool = Field(
        False, description="Stop when a clip is rejected, instead of going on without it."
    )
    methods: list[str] = Field(
        ["celebdf", "faceswap"], min_length=1, description="Synthesis methods, by recipe name."
    )
    recipes: dict[str, RecipeOverride] = Field(
        {}, description="Changes to built-in recipes and recipes of your own (docs/methods.md)."
    )
    pairs: Literal["all"] | list[tuple[str, str]] = Field(
        "all", description="Pairs of subjects that may be swapped: 'all' or a list of pairs."
    )
    swaps: Path | None = Field(
        None, description="CSV file 'clip,donor' that lists the fakes; null: see swaps_per_clip."
    )
    swaps_per_clip: Annotated[float, Field(gt=0)] | Literal["all"] = Field(
        1.0,
        description="Fakes made of each clip, drawn by seed: a number (9.5: nine or ten) or 'all'.",
    )
    compressions: list[Compression] = Field(
        ["original", "c23", "c40"],
        min_length=1,
        description="Qualities of the dataset: 'original', and H.264 at crf 23 and 40.",
    )
    ingest: IngestSettings = Field(IngestSettings(), description=IngestSettings.__doc__)
    track: TrackSettings = Field(TrackSettings(), description=TrackSettings.__doc__)
    accept: AcceptSettings = Field(AcceptSettings(), description=AcceptSettings.__doc__)
    smoothing: SmoothingSettings = Field(SmoothingSettings(), description=SmoothingSettings.__doc__)
    align: AlignSettings = Field(AlignSettings(), description=AlignSettings.__doc__)
    training: TrainingSettings = Field(TrainingSettings(), description=TrainingSettings.__doc__)
    video: VideoSettings = Field(VideoSettings(), description=VideoSettings.__doc__)
    quality: QualitySettings = Field(QualitySettings(), description=QualitySettings.__doc__)

    @field_validator("name")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value):
            raise ValueError(
                "use letters, digits, '.', '_' and '-', starting with a letter or digit"
            )
        return value

    @field_validator("methods", "compressions")
    @classmethod
    def _no_repeats(cls, value: list[str]) -> list[str]:
        if len(set(value)) != len(value):
            raise ValueError("an entry is listed twice")
        return value

    @field_validator("compressions")
    @classmethod
    def _has_original(cls, value: list[str]) -> list[str]:
        if "original" not in value:
            raise ValueError("must contain 'original', which the others are made from")
        return value

    @field_validator("recipes")
    @classmethod
    def _recipe_names(cls, value: dict[str, RecipeOverride]) -> dict[str, RecipeOverride]:
        for name in value:
            if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) or name == "real":
                raise ValueError(
                    f"{name!r} cannot name a recipe: use a-z, 0-9 and '-', and not 'real'"
                )
        return value

    @model_validator(mode="after")
    def _contexts_fit(self) -> Config:
        for name, recipe in self.all_recipes().items():
            if name in self.methods and recipe.context > self.align.context:
                raise ConfigError(
                    f"recipes.{name}.context: {recipe.context} is wider than the stored faces; "
                    f"raise align.context ({self.align.context}) to at least that"
                )
        return self

    @model_validator(mode="after")
    def _methods_exist(self) -> Config:
        known = self.all_recipes()
        for method in self.methods:
            if method not in known:
                raise ConfigError(
                    f"methods: {method!r} is no recipe; known are {', '.join(sorted(known))}"
                )
        return self

    def all_recipes(self) -> dict[str, Recipe]:
        """Return every known recipe by name, built-in and the user's own."""
        return resolve(self.recipes)

    def recipe(self, name: str) -> Recipe:
        """Return the recipe called `name`."""
        return self.all_recipes()[name]


DEMO: dict[str, Any] = {
    "pairs": [["id0", "id1"], ["id2", "id3"]],
    "swaps_per_clip": 0.5,
    "recipes": {
        "celebdf": {
            "resolution": 128,
            "width": 16,
            "code": 256,
            "steps": 4500,
            "batch": 4,
            "learning_rate": 1e-3,
        },
        "faceswap": {
            "width": 24,
            "code": 256,
            "steps": 3000,
            "batch": 4,
            "learning_rate": 1e-3,
        },
    },
    "align": {"size": 176},
    "training": {"threads": 1, "preview_every": 500},
}
"""What the embedded demo sets differently: narrow networks that train in minutes."""


def load(values: Mapping[str, Any]) -> Config:
    """Check a mapping of config keys and return it as a `Config`.

    Raises
    ------
    ConfigError
        With one line per wrong key: the key, its value, and what is allowed.
    """
    try:
        return Config(**values)
    except ValidationError as error:
        raise ConfigError("\n".join(_describe(error.errors(include_url=False)))) from error


def _describe(problems: list[Any]) -> list[str]:
    """Return one line per wrong key; the branches of a union are joined by 'or'."""
    lines: dict[str, str] = {}
    for problem in problems:
        parts = [str(part) for part in problem["loc"]]
        key = ".".join(part for part in parts if not part.startswith(_UNION_MARKS))
        if problem["type"] == "extra_forbidden":
            lines[key] = f"{key}: unknown key; {_allowed_beside(problem['loc'])}"
        elif key in lines:
            lines[key] += f", or: {problem['msg']}"
        else:
            lines[key] = f"{key}: {problem['input']!r} is not allowed: {problem['msg']}"
            if problem["type"] == "list_type" and isinstance(problem["input"], str):
                lines[key] += f"; write [{problem['input']}]"
    return list(lines.values())


# pydantic names the branch of a union in an error's location; users did not write it.
_UNION_MARKS = ("literal[", "list[", "constrained-", "float", "function-")


def _allowed_beside(location: tuple[int | str, ...]) -> str:
    """Name the keys that exist where an unknown one was found."""
    model: Any = Config
    for part in location[:-1]:
        field = model.model_fields.get(str(part))
        inner = field.annotation if field else None
        model = (
            inner if isinstance(inner, type) and issubclass(inner, BaseModel) else RecipeOverride
        )
    return "allowed here: " + ", ".join(model.model_fields)
