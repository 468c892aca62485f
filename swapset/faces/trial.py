"""Try a model file in a separate process, because dlib and OpenCV may crash on hostile files.

    python trial.py {predictor,cnn,yunet,centerface} FILE

It exits with 0 if the file loads and runs on a picture. Otherwise the last line on stderr gives the
reason.
"""

from __future__ import annotations

import resource
import sys

import numpy as np

POINTS = 68
_MEMORY = 4 << 30  # bytes of address space; libraries reserve more than they use
_SECONDS = 120


def _predictor(path: str, picture: np.ndarray) -> None:
    import dlib

    parts = dlib.shape_predictor(path)(picture, dlib.rectangle(8, 8, 56, 56)).num_parts
    if parts != POINTS:
        raise ValueError(f"it finds {parts} landmarks instead of {POINTS}")


def _cnn(path: str, picture: np.ndarray) -> None:
    import dlib

    dlib.cnn_face_detection_model_v1(path)(picture, 0)


def _yunet(path: str, picture: np.ndarray) -> None:
    import cv2

    cv2.FaceDetectorYN.create(path, "", (64, 64)).detect(picture)


def _centerface(path: str, picture: np.ndarray) -> None:
    from swapset.faces.centerface import CenterFace

    CenterFace(path).find(picture, 0.5)


def main(kind: str, path: str) -> None:
    """Load a model file and run it once."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    tries = {"predictor": _predictor, "cnn": _cnn, "yunet": _yunet, "centerface": _centerface}
    tries[kind](path, picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
