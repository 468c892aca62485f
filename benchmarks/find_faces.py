"""Compare rule find_faces with the usual preprocessing of a public dataset, on one core.

    python benchmarks/find_faces.py [VIDEO ...] [--frames 1000] [--samples 32] [--gop 250 30]
        [--sizes 512x512 1280x720] [--repeats 5]

The usual way is that of DeepfakeBench (preprocessing/preprocess.py), written anew: OpenCV decodes
all frames; in each sampled one, dlib's HOG detector runs with one upsampling, landmarks are
predicted for the largest face, and the face is aligned to 256 x 256; the detector runs again on
this crop, and landmarks are predicted in it. Ours is what the rule does with a public video: it
finds the same number of frames by the file's packets, decodes what they need, finds and cuts out
the main face. Both see the same frames. Models are loaded before the clock starts; times are
processor time, in turns, and the ratio is the median over the turns. The ratio without the second
detection leaves its time out of the usual way.

Each video is played forth and back and encoded by x264 (crf 20) for each size and interval of key
frames. Without VIDEO, a clip of the demo is.

Deviations are the largest difference of the four sides of the face's box from that of full tracking
(`Tracker` through all frames), in % of the face's width.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import dlib
import imageio_ffmpeg
import numpy as np

from swapset.config.sections import TrackSettings
from swapset.demo.clips import render_frames
from swapset.demo.specs import DEMO_SPECS
from swapset.detection.find import sampled_faces
from swapset.detection.store import VideoFaces
from swapset.faces.boxes import box_from_landmarks, box_side
from swapset.faces.dlib_files import PREDICTOR_68, find_model
from swapset.faces.main_face import main_face
from swapset.faces.track import Tracker
from swapset.media.any_source import with_samples
from swapset.media.encode import VideoWriter
from swapset.media.timeline import sampled

FIVE = [37, 44, 30, 49, 55]
PLACES = np.array([[88, 118], [168, 118], [128, 164], [95, 211], [161, 211]], np.float32)
"""Places of these landmarks in the usual way's crop of 256 x 256."""


@dataclass
class Usual:
    """The usual way: seconds of processor time, those of the second detection, and misses."""

    seconds: float = 0.0
    second_detection: float = 0.0
    misses: int = 0


class UsualWay:
    """Decodes all frames, and detects the largest face in some."""

    def __init__(self) -> None:
        self._detector = dlib.get_frontal_face_detector()
        path = find_model(PREDICTOR_68, None, key="track.predictor")
        self._predictor = dlib.shape_predictor(str(path))

    def run(self, video: Path, samples: int) -> Usual:
        """Process one video."""
        result, start = Usual(), time.process_time()
        capture = cv2.VideoCapture(str(video))
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        wanted = set(sampled(count, samples))
        for number in range(count):
            read, image = capture.read()
            if not read:
                break
            if number in wanted and not self._face(image, result):
                result.misses += 1
        capture.release()
        result.seconds = time.process_time() - start
        return result

    def _face(self, image: np.ndarray, result: Usual) -> bool:
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        faces = self._detector(rgb, 1)
        if not faces:
            return False
        largest = max(faces, key=lambda each: each.width() * each.height())
        parts = self._predictor(rgb, largest).parts()
        points = np.array([(part.x, part.y) for part in parts], np.float32)
        transform, _ = cv2.estimateAffinePartial2D(points[FIVE], PLACES)
        crop = cv2.warpAffine(rgb, transform, (256, 256))
        start = time.process_time()
        again = self._detector(crop, 1)
        if again:
            self._predictor(crop, again[0])
        result.second_detection += time.process_time() - start
        return True


def demo_video(path: Path, frames: int) -> None:
    """Write a clip of the demo, forth and back."""
    there = list(render_frames(DEMO_SPECS[0]))
    loop = [*there, *reversed(there)]
    with VideoWriter(path, loop[0].shape[1], loop[0].shape[0], codec="h264") as writer:
        for number in range(frames):
            writer.write(loop[number % len(loop)])


def looped(source: Path, path: Path, size: str, frames: int, gop: int) -> None:
    """Play a video forth and back, fitted into a size, with a key frame every `gop` frames."""
    width, height = size.split("x")
    fitted = f"scale={width}:{height}:force_original_aspect_ratio=decrease:flags=bicubic"
    padded = f"pad={width}:{height}:(ow-iw)/2:(oh-ih)/2,setsar=1,fps=30"
    # a plain loop would jump, as recordings of one head don't
    endless = "split[there][copy];[copy]reverse[back];[there][back]concat,loop=-1:32767"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", "-i", source,
        "-vf", f"{fitted},{padded},{endless}",
        "-frames:v", frames, "-an", "-c:v", "libx264", "-threads", 1, "-crf", 20, "-g", gop,
        "-pix_fmt", "yuv420p", path,
    ]  # fmt: skip
    subprocess.run(list(map(str, command)), check=True, stdin=subprocess.DEVNULL)


def ours(video: Path, tracker: Tracker, samples: int) -> tuple[VideoFaces, float]:
    """Return the sampled faces of a video, and the seconds of processor time."""
    start = time.process_time()
    faces = with_samples(video, partial(sampled_faces, "", tracker=tracker, wanted=samples))
    return faces, time.process_time() - start


def deviations(video: Path, faces: VideoFaces, tracker: Tracker) -> tuple[list[float], int, float]:
    """Return deviations from full tracking in %, its number of misses, and its seconds."""
    start = time.process_time()
    tracks = with_samples(video, lambda frames: tracker.track(frames.read(range(frames.frames))))
    seconds = time.process_time() - start
    points = main_face(tracks, faces.frames, None)
    away = []
    for face, reference in zip(faces.faces, points, strict=True):
        if face is not None and np.isfinite(reference).all():
            box = box_from_landmarks(reference)
            change = np.abs(box_from_landmarks(face.landmarks) - box).max()
            away.append(100 * float(change) / box_side(box))
    return away, int(np.isnan(points).all(axis=(1, 2)).sum()), seconds


def compare(name: str, video: Path, tracker: Tracker, samples: int, repeats: int) -> None:
    """Print one row."""
    usual_way, turns = UsualWay(), []
    for _ in range(repeats):
        usual = usual_way.run(video, samples)
        faces, seconds = ours(video, tracker, samples)
        turns.append((usual.seconds, usual.seconds - usual.second_detection, seconds))
    table = np.array(turns)
    whole, once = (float(np.median(table[:, column] / table[:, 2])) for column in (0, 1))
    away, lost, full = deviations(video, faces, tracker)
    away = away or [float("nan")]
    misses = sum(face is None for face in faces.faces)
    print(
        f"{name:34s} {np.median(table[:, 0]):6.2f} {np.median(table[:, 2]):6.2f} {whole:6.2f} "
        f"{once:6.2f} {full:6.2f}   {np.mean(away):5.2f} {np.percentile(away, 95):5.2f} "
        f"{max(away):5.2f}   {usual.misses:3d} {misses:3d} {lost:3d}",
        flush=True,
    )


def main() -> None:
    """Compare on the videos of the command line, or on the demo's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", type=Path, nargs="*", metavar="VIDEO")
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--gop", type=int, nargs="+", default=[250, 30])
    parser.add_argument("--sizes", nargs="+", default=["512x512", "1280x720"])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    tracker = Tracker(TrackSettings())
    print(
        f"{options.samples} of {options.frames} frames; seconds of processor time; ratio: usual / "
        "ours, with and without the second detection;\nfull: tracking of all frames; deviation of "
        "boxes from it in % of the face's width; frames without a face\n"
        f"{'':34s} {'usual':>6s} {'ours':>6s} {'ratio':>6s} {'once':>6s} {'full':>6s}   "
        f"{'mean':>5s} {'p95':>5s} {'max':>5s}   usual ours full"
    )
    with tempfile.TemporaryDirectory() as folder:
        if not options.videos:
            options.videos = [Path(folder, "demo.mp4")]
            demo_video(options.videos[0], options.frames)
        for source in options.videos:
            for size in options.sizes:
                for gop in options.gop:
                    video = Path(folder, "video.mp4")
                    looped(source, video, size, options.frames, gop)
                    name = f"{source.name} {size} GOP {gop}"
                    compare(name, video, tracker, options.samples, options.repeats)


if __name__ == "__main__":
    main()
