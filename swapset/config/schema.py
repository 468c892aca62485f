"""The configuration: pydantic models, the single source of keys, defaults and limits.

`swapset.config.text` generates `config.yaml` and the JSON schema from these models. The defaults
are for real clips; the embedded demo's smaller values are in `swapset.config.demo`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from swapset.config.demo import DEMO, with_demo_values
from swapset.config.detection import DatasetSource, DetectionSettings, ScoreFiles
from swapset.config.files import check_files
from swapset.config.landmark_breaker import LandmarkBreakerSettings
from swapset.config.messages import describe, shown
from swapset.config.methods import resolve
from swapset.config.recipes import Recipe, RecipeOverride
from swapset.config.sections import (
    NO_YUNET,
    AcceptSettings,
    AlignSettings,
    ByName,
    IngestSettings,
    InputPath,
    QualitySettings,
    Section,
    SmoothingSettings,
    TrackSettings,
    TrainingSettings,
    VideoSettings,
)
from swapset.errors import ConfigError
from swapset.media.compressions import Compression

_DEVICE = "auto|cpu|cuda(:[0-9]+)?"


class Config(Section):
    """The config of one build."""

    name: str = Field(
        "demo", max_length=100, description="Name of the build, and of the folder of its results."
    )
    clips: str | None = Field(
        DEMO,
        description=(
            "Manifest of the clips (a CSV file); 'demo': the embedded demo; null: no clips, to "
            "measure detectors on 'datasets' only."
        ),
    )
    clips_root: InputPath | None = Field(
        None, description="Folder of the manifest's relative paths; null: the manifest's folder."
    )
    subjects: InputPath | None = Field(
        None, description="CSV file with gender, age and ethnicity of the subjects; null: none."
    )
    results: Path = Field(Path("results"), description="Folder of the results of all builds.")
    seed: int = Field(1, ge=0, lt=2**63, description="Seed of all random choices.")
    device: str = Field(
        "auto",
        json_schema_extra={"pattern": f"^({_DEVICE})$"},
        description="Where networks run: 'auto', 'cpu', 'cuda' or 'cuda:<number>'.",
    )
    strict: bool = Field(
        False, description="Stop when a clip is rejected, instead of continuing without it."
    )
    methods: list[str] = Field(
        ["celebdf", "faceswap"], min_length=1, description="Synthesis methods: names of recipes."
    )
    recipes: ByName[RecipeOverride] = Field(
        {}, description="Changes of built-in recipes, and new recipes (docs/methods.md)."
    )
    pairs: Literal["all"] | list[tuple[str, str]] = Field(
        "all", description="Pairs of subjects that may be swapped: 'all' or a list of pairs."
    )
    swaps: InputPath | None = Field(
        None, description="CSV file 'clip,donor' with the fakes to make; null: see swaps_per_clip."
    )
    swaps_per_clip: Annotated[float, Field(gt=0)] | Literal["all"] = Field(
        1.0,
        description="Fakes of each clip, drawn by seed: a number (9.5: nine or ten) or 'all'.",
    )
    compressions: list[Compression] = Field(
        ["original", "c23", "c40"],
        min_length=1,
        description="Compressions of the dataset: 'original', and H.264 at crf 23 and 40.",
    )
    detectors: Literal["all"] | list[str] = Field(
        "all", description="Detectors to measure, by name (docs/detectors.md), or 'all'."
    )
    datasets: ByName[DatasetSource] = Field(
        {},
        description=(
            "Public datasets on disk to test detectors on (docs/datasets.md), for example "
            "{FF-DF: {root: /data/FaceForensics}}."
        ),
    )
    scores: ByName[ByName[ScoreFiles]] = Field(
        {},
        description=(
            "Scores of detectors that were run elsewhere, by detector and dataset "
            "(docs/robustness.md), for example {Theirs: {FF-DF: scores.csv}}."
        ),
    )
    extractors: Literal["all"] | list[str] = Field(
        "all", description="Landmark extractors that noise is made against, by name, or 'all'."
    )
    attacks: Literal["all"] | list[str] = Field(
        "all", description="Attacks on landmark extraction, by name, or 'all'."
    )
    ingest: IngestSettings = Field(IngestSettings(), description=IngestSettings.__doc__)
    track: TrackSettings = Field(TrackSettings(), description=TrackSettings.__doc__)
    accept: AcceptSettings = Field(AcceptSettings(), description=AcceptSettings.__doc__)
    smoothing: SmoothingSettings = Field(SmoothingSettings(), description=SmoothingSettings.__doc__)
    align: AlignSettings = Field(AlignSettings(), description=AlignSettings.__doc__)
    training: TrainingSettings = Field(TrainingSettings(), description=TrainingSettings.__doc__)
    video: VideoSettings = Field(VideoSettings(), description=VideoSettings.__doc__)
    quality: QualitySettings = Field(QualitySettings(), description=QualitySettings.__doc__)
    detection: DetectionSettings = Field(DetectionSettings(), description=DetectionSettings.__doc__)
    landmark_breaker: LandmarkBreakerSettings = Field(
        LandmarkBreakerSettings(), description=LandmarkBreakerSettings.__doc__
    )

    @field_validator("name")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value):
            raise ValueError(
                "use letters, digits, '.', '_' and '-', starting with a letter or digit"
            )
        return value

    @field_validator("clips", "clips_root", "subjects", "swaps", mode="before")
    @classmethod
    def _null_on_the_command_line(cls, value: Any) -> Any:
        """Read the text "null" as None: `--config clips=null` arrives as that text."""
        return None if value == "null" else value

    @field_validator("device")
    @classmethod
    def _known_device(cls, value: str) -> str:
        if not re.fullmatch(_DEVICE, value):
            raise ValueError("use auto, cpu, cuda or cuda:N")
        return value

    @field_validator("pairs", mode="before")
    @classmethod
    def _two_in_each(cls, value: Any) -> Any:
        if isinstance(value, list) and not all(
            isinstance(pair, list | tuple) and len(pair) == 2 for pair in value
        ):
            raise ValueError("each pair is a list of two subjects; write [[id0, id1]]")
        return value

    @field_validator("methods", "compressions")
    @classmethod
    def _no_repeats(cls, value: list[str]) -> list[str]:
        if len(set(value)) != len(value):
            raise ValueError("an entry is listed twice; remove one")
        return value

    @field_validator("compressions")
    @classmethod
    def _has_original(cls, value: list[str]) -> list[str]:
        if "original" not in value:
            raise ValueError("'original' is missing, which the others are made from; add it")
        return value

    @field_validator("scores")
    @classmethod
    def _detector_names(
        cls, value: dict[str, dict[str, ScoreFiles]]
    ) -> dict[str, dict[str, ScoreFiles]]:
        for name in value:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
                raise ValueError(
                    f"{name!r} is not allowed as a detector's name: use letters, digits, '.', '_' "
                    "and '-', starting with a letter or digit"
                )
        return value

    @field_validator("recipes")
    @classmethod
    def _recipe_names(cls, value: dict[str, RecipeOverride]) -> dict[str, RecipeOverride]:
        for name in value:
            if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) or name == "real":
                raise ValueError(
                    f"{name!r} is not allowed as a name: use a-z, 0-9 and '-', and not 'real'"
                )
        return value

    @model_validator(mode="after")
    def _contexts_fit(self) -> Config:
        for name, recipe in self.all_recipes().items():
            if name in self.methods and recipe.context > self.align.context:
                raise ConfigError(
                    f"recipes.{name}.context: {recipe.context} is not allowed: it is wider than "
                    f"the stored faces; raise align.context ({self.align.context}) or lower it"
                )
        return self

    @model_validator(mode="after")
    def _methods_exist(self) -> Config:
        self._check_recipes("methods", self.methods)
        return self

    @model_validator(mode="after")
    def _bases_exist(self) -> Config:
        self._check_recipes("training.bases", self.training.bases)
        return self

    def _check_recipes(self, key: str, names: Iterable[str]) -> None:
        known = self.all_recipes()
        for name in names:
            if name not in known:
                raise ConfigError(
                    f"{key}: {name!r} is not allowed: it is no recipe; choose from "
                    f"{', '.join(sorted(known))}"
                )

    @model_validator(mode="after")
    def _files_exist(self) -> Config:
        if self.track.detector == "yunet" and self.track.yunet_model is None:
            raise ConfigError(NO_YUNET)
        check_files(self._model_files(), self.results / self.name)
        return self

    def _model_files(self) -> Iterator[tuple[str, Path]]:
        """Yield the key and path of each model file in the config."""
        for key in ("predictor", "cnn_model", "yunet_model", "centerface_model", "embedder"):
            if path := getattr(self.track, key):
                yield f"track.{key}", path
        for name, path in self.training.bases.items():
            yield f"training.bases.{name}", path
        for name, files in self.scores.items():
            for dataset, sources in files.items():
                yield from ((f"scores.{name}.{dataset}", source.file) for source in sources)
        for section in ("detection", "landmark_breaker"):
            for name, settings in getattr(self, section).settings.items():
                for key in ("weights", "backbone_weights"):
                    if path := getattr(settings, key):
                        yield f"{section}.settings.{name}.{key}", path

    def all_recipes(self) -> dict[str, Recipe]:
        """Return all recipes by name, built-in and the user's."""
        return resolve(self.recipes)

    def recipe(self, name: str) -> Recipe:
        """Return the recipe called `name`."""
        return self.all_recipes()[name]


def load(values: Mapping[str, Any]) -> Config:
    """Check the keys that a user sets and return the whole config.

    Parameters
    ----------
    values : mapping
        Uncommented keys of `config.yaml`, other config files and the command line, merged by
        Snakemake. All other keys have the models' defaults, or with `clips: demo` the demo's
        values.

    Raises
    ------
    ConfigError
        If a key or value is wrong; the message has a line for each wrong key.
    """
    if wrong := [key for key in values if not isinstance(key, str)]:
        raise ConfigError(f"{shown(wrong[0])}: is not allowed as a key: it is not a text; quote it")
    try:
        return Config(**with_demo_values(values))
    except ValidationError as error:
        raise ConfigError("\n".join(describe(error.errors(include_url=False), Config))) from error
