"""The interface of all detectors. Higher scores always mean: more likely fake."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TextIO

import numpy as np
import numpy.typing as npt
import torch

from swapset.detectors.face import Face, cut_face
from swapset.detectors.margins import MARGIN
from swapset.detectors.registry import DETECTORS, detector_class
from swapset.errors import DataError
from swapset.learning.checkpoint import Checkpoint
from swapset.learning.model_files import read_model, write_model
from swapset.types import Floats, Image, Points

Scores = Floats
"""One number for each face, (n,) float64. Higher = more likely fake; NaN = cannot be scored."""

Arrays = Mapping[str, npt.NDArray[Any]]
"""Weights of a detector by name."""


class Samples(Protocol):
    """Labelled faces for training or tests; reading one is fast, and several threads may do so.

    Attributes
    ----------
    labels : (n,) int8
        1 = fake, 0 = real.
    videos : (n,) int32
        Number of the video that each face comes from, for scores by video.
    """

    labels: npt.NDArray[np.int8]
    videos: npt.NDArray[np.int32]

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Face: ...


@dataclass(frozen=True)
class Schedule:
    """Settings of a training; None = the detector's published value.

    Attributes
    ----------
    seed : int
        Of everything random.
    steps : int or None
        Largest number of training steps.
    batch : int or None
        Faces in a step.
    learning_rate : float or None
    patience : int
        Training ends after this many looks at the validation faces without a better result.
    look_every : int
        Steps between two looks.
    precision : {"auto", "fp32", "bf16"}
    checkpoint : Checkpoint or None
        Where a killed training goes on from, for detectors that can (`Detector.resumes`).
    """

    seed: int = 0
    steps: int | None = None
    batch: int | None = None
    learning_rate: float | None = None
    patience: int = 10
    look_every: int = 100
    precision: str = "auto"
    checkpoint: Checkpoint | None = None


class Detector(ABC):
    """A published detector.

    Attributes
    ----------
    name : str
        As in table 4.3 of the chapter.
    needs_fakes : bool
        False = it learns from real faces alone.
    resumes : bool
        True = `fit` saves to `Schedule.checkpoint`, and continues from there to the same bits.
    margin : float
        Side of the region that it sees, in sides of the face's box; the registry has it too.
    protocol : str or None
        Of which of `swapset.detectors.registry.PROTOCOLS` it is; None: of its authors.

    Parameters
    ----------
    seed : int
        Of the initial weights.
    device : torch.device or str
        Where a network runs.
    """

    name: ClassVar[str]
    needs_fakes: ClassVar[bool] = True
    resumes: ClassVar[bool] = False
    margin: ClassVar[float] = MARGIN
    protocol: ClassVar[str | None] = None

    def __init__(self, *, seed: int = 0, device: torch.device | str = "cpu"):
        self.seed = seed
        self.device = torch.device(device)

    @abstractmethod
    def crop(self, face: Face) -> npt.NDArray[Any]:
        """Return the input of `forward` for one face, without the batch axis.

        Networks take (S, S, 3) or (K, S, S, 3) uint8 in [0, 255], RGB; other detectors take (D,)
        float64 features. Deterministic. NaN in features = this face cannot be scored.
        """

    @abstractmethod
    def forward(self, crops: npt.NDArray[Any]) -> Scores:
        """Return the scores (B,) float64 of B stacked crops (B, ...); NaN = cannot be scored."""

    @abstractmethod
    def fit(
        self,
        training: Samples,
        validation: Samples | None = None,
        schedule: Schedule | None = None,
        *,
        log: TextIO | None = None,
        backbone: Path | None = None,
    ) -> dict[str, Any]:
        """Train on labelled faces, in place; return facts about the training for the model's card.

        Parameters
        ----------
        training : Samples
        validation : Samples, optional
            Faces of other people; they decide when training stops and which weights are kept.
        schedule : Schedule, optional
        log : TextIO, optional
            Gets a progress bar with loss and time left.
        backbone : Path, optional
            ImageNet weights of the backbone, for detectors that have one.

        Raises
        ------
        TrainingError
            If a loss is not a number, or the faces are all of one class.
        DataError
            If the backbone cannot be read, or the detector has none.
        """

    @abstractmethod
    def arrays(self) -> Arrays:
        """Return all learnt values as arrays by name."""

    @abstractmethod
    def take(self, arrays: Arrays) -> None:
        """Load the arrays that `arrays` returned.

        Raises
        ------
        DataError
            If names or shapes do not fit.
        """

    def facts(self) -> dict[str, Any]:
        """Return the constructor's arguments that rebuild this detector, as JSON values."""
        return {}

    @classmethod
    def from_weights(cls, path: Path, *, device: torch.device | str = "cpu") -> Self:
        """Return the detector with weights that its authors published; see docs/weights.md.

        Raises
        ------
        DataError
            If this detector has no published weights, or the file is not the expected one.
        """
        raise DataError(f"{path}: no published weights of {cls.name} can be read")

    @classmethod
    def weight_files(cls, path: Path, backbone: Path | None = None) -> list[Path]:
        """Return the files that `from_weights` reads: the main one first, then those beside it.

        Parameters
        ----------
        path : Path
            What `from_weights` is given.
        backbone : Path, optional
            The backbone's own file, for detectors whose published file does not contain it.

        Raises
        ------
        DataError
            If `path` is a folder without the expected file, or a needed file is missing.
        """
        return [path] if backbone is None else [path, backbone]

    def score(self, frames: Sequence[Image], faces: Points, *, batch: int = 32) -> Scores:
        """Score the faces in frames.

        Parameters
        ----------
        frames : sequence of (H, W, 3) uint8, RGB
        faces : (n, 68, 2) float32
            Landmarks x, y in pixels, for each frame; NaN = no face.
        batch : int
            Faces that go through the detector together.

        Returns
        -------
        (n,) float64
            Higher = more likely fake; NaN = no face, or the detector cannot score it.

        Raises
        ------
        ValueError
            If there are more frames than faces, or fewer.
        """
        if len(frames) != len(faces):
            raise ValueError(f"{len(frames)} frames do not fit {len(faces)} faces")
        pairs = zip(frames, faces, strict=True)
        return self.score_faces(
            [cut_face(frame, points, margin=self.margin) for frame, points in pairs], batch=batch
        )

    def score_faces(self, faces: Sequence[Face | None], *, batch: int = 32) -> Scores:
        """Return the scores (n,) float64 of faces; NaN = no face, or it cannot be scored."""
        scores = np.full(len(faces), np.nan)
        present = [index for index, face in enumerate(faces) if face is not None]
        for start in range(0, len(present), batch):
            part = present[start : start + batch]
            crops = np.stack([self.crop(face) for k in part if (face := faces[k]) is not None])
            scores[part] = self.forward(crops)
        return scores

    def probability(self, scores: Scores) -> Scores:
        """Return the probabilities of fake, (n,) float64 in [0, 1], that belong to scores (n,).

        By default NaN: the scores rank faces and are no probabilities.
        """
        return np.full(len(scores), np.nan)

    def save(self, path: Path, card: Mapping[str, Any] | None = None) -> None:
        """Write the detector and a card of JSON values as safetensors, whole or not at all."""
        facts = {"detector": self.name, **self.facts()}
        if self.protocol:
            facts["protocol"] = self.protocol
        write_model(path, self.arrays(), facts, card or {})

    @classmethod
    def load(cls, path: Path, *, device: torch.device | str = "cpu") -> Self:
        """Return the detector that `save` wrote.

        Raises
        ------
        DataError
            If the file is damaged or of another detector.
        """
        arrays, facts, _ = read_model(path)
        if facts.pop("detector", None) != cls.name:
            raise DataError(f"{path}: is no model of {cls.name}")
        protocol = facts.pop("protocol", None)
        if protocol != cls.protocol:
            other: Self = detector_class(cls.name, protocol).load(path, device=device)
            return other
        try:
            detector = cls(**facts, device=device)
        except (TypeError, ValueError, KeyError) as error:
            raise DataError(f"{path}: is of another version ({error}); fit it again") from error
        detector.take(arrays)
        return detector


def load_detector(path: Path, *, device: torch.device | str = "cpu") -> Detector:
    """Return the detector in a file that `Detector.save` wrote, whichever it is.

    Raises
    ------
    DataError
        If the file is damaged or of an unknown detector.
    ConfigError
        If it is of a detector of another package that cannot be imported.
    """
    name = read_model(path)[1].get("detector")
    if not isinstance(name, str) or name not in DETECTORS:
        raise DataError(f"{path}: is of the unknown detector {name!r}")
    detector: Detector = detector_class(name).load(path, device=device)
    return detector
