"""Time Mask-SSIM of a 512 x 512 frame pair beside scikit-image, on one core.

Run `python benchmarks/mask_ssim.py`. Each row names the area that both compute:

- the whole frame;
- the head's box, with the 5 pixels around it that the window needs: the fair comparison;
- Mask-SSIM as users get it: the conventional way computes the map of the whole frame and averages
  it over the head, ours computes it in the head's box alone. Most of that gain is the smaller area.

The pair is scikit-image's astronaut, once unchanged (small head) and once enlarged to a talking
head (face about 250 pixels), and a blurred and noisy copy. Times are processor time, in turns;
ratios are medians over the turns.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import time
from collections.abc import Callable

import cv2
import numpy as np
from skimage import data
from skimage.metrics import structural_similarity

from swapset.faces.align import MEAN_FACE, transform_points
from swapset.faces.head_masks import head_masks
from swapset.quality.mask_ssim import head_box, head_ssim
from swapset.quality.ssim import RADIUS, ssim

TURNS = 9
SETTING = {
    "gaussian_weights": True,
    "sigma": 1.5,
    "use_sample_covariance": False,
    "data_range": 255,
    "channel_axis": -1,
    "full": True,
}
# The mean face laid over the astronaut's face.
LANDMARKS = transform_points([[93.0, -4.9, 179.7], [4.9, 93.0, 83.5]], MEAN_FACE)


def frames(scale: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a 512 x 512 frame, a worse copy and the head mask, the face enlarged `scale` times."""
    centre = LANDMARKS.mean(axis=0)
    shift = np.array([256, 270]) - scale * centre
    move = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]]) if scale != 1 else np.eye(2, 3)
    astronaut = data.astronaut()
    frame = cv2.warpAffine(
        astronaut, move, (512, 512), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    noise = np.random.default_rng(0).normal(0, 4, frame.shape)
    copy = np.clip(cv2.GaussianBlur(frame, (0, 0), 1.5) + noise, 0, 255).astype(np.uint8)
    head = head_masks([frame], transform_points(move, LANDMARKS)[None]).mask(0)
    return frame, copy, head


def milliseconds(work: Callable[[], object]) -> float:
    """Return the processor time of `work`, which leaves out other programs."""
    start = time.process_time()
    work()
    return 1e3 * (time.process_time() - start)


def row(name: str, usual: Callable[[], object], ours: Callable[[], object]) -> None:
    """Print the times of both and their ratio, taken in turns."""
    usual()
    ours()
    turns = np.array([(milliseconds(usual), milliseconds(ours)) for _ in range(TURNS)])
    ratio = np.median(turns[:, 0] / turns[:, 1])
    print(f"  {name:42s} {np.median(turns[:, 0]):7.2f} ms {np.median(turns[:, 1]):7.2f} ms"
          f" {ratio:6.1f} x")  # fmt: skip


def compare(name: str, scale: float) -> None:
    """Print the times and values for one frame pair."""
    frame, copy, head = frames(scale)
    x0, y0, x1, y1 = head_box(head, frame.shape)
    box = slice(max(y0 - RADIUS, 0), y1 + RADIUS), slice(max(x0 - RADIUS, 0), x1 + RADIUS)
    parts = [np.ascontiguousarray(image[box]) for image in (frame, copy)]

    def usual() -> object:
        return structural_similarity(frame, copy, **SETTING)

    print(f"{name}: head box {x1 - x0} x {y1 - y0} of 512 x 512; scikit-image, ours")
    row("SSIM of the whole frame", usual, lambda: ssim(frame, copy))
    row(
        "Mask-SSIM, both in the head's box",
        lambda: structural_similarity(*parts, **SETTING),
        lambda: head_ssim(frame, copy, head),
    )
    row("Mask-SSIM, whole frame against box", usual, lambda: head_ssim(frame, copy, head))
    value, full = structural_similarity(frame, copy, **SETTING)
    print(f"  values: SSIM {value:.6f} {ssim(frame, copy):.6f}, Mask-SSIM "
          f"{full.mean(axis=-1)[head].mean():.6f} {head_ssim(frame, copy, head):.6f}")  # fmt: skip


def main() -> None:
    """Compare on a small and on a large head."""
    cv2.setNumThreads(1)
    compare("astronaut", 1.0)
    compare("talking head", 2.6)


if __name__ == "__main__":
    main()
