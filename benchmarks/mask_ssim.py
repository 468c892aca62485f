"""Time Mask-SSIM of a 512 x 512 frame pair beside scikit-image, on one core.

Run `python benchmarks/mask_ssim.py`. It compares the SSIM of the whole frame (equal area), and
Mask-SSIM, for which the conventional way computes the whole map and averages it over the head,
while ours computes the map in the head's box alone. The pair is scikit-image's astronaut, once
unchanged (small head) and once enlarged to a talking head (face about 250 pixels), and a blurred
and noisy copy.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np
from skimage import data
from skimage.metrics import structural_similarity

from swapset.faces.align import MEAN_FACE, transform_points
from swapset.faces.head_masks import head_masks
from swapset.quality.mask_ssim import head_box, head_ssim, mask_ssim
from swapset.quality.ssim import ssim

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


def milliseconds(work: Callable[[], object], repeats: int) -> float:
    """Return the median run time of `work`."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def compare(name: str, scale: float) -> None:
    """Print the times and values for one frame pair."""
    frame, copy, head = frames(scale)
    x0, y0, x1, y1 = head_box(head, frame.shape)
    value, full = structural_similarity(frame, copy, **SETTING)
    conventional = milliseconds(lambda: structural_similarity(frame, copy, **SETTING), 7)
    whole = milliseconds(lambda: ssim(frame, copy), 25)
    cropped = milliseconds(lambda: head_ssim(frame, copy, head), 25)
    both = milliseconds(lambda: mask_ssim(frame, copy, head), 25)
    expected = full.mean(axis=-1)[head].mean()
    got = head_ssim(frame, copy, head)
    print(f"{name}: head box {x1 - x0} x {y1 - y0} of 512 x 512, medians, one core")
    print(f"  scikit-image, whole frame      {conventional:7.2f} ms   ssim {value:.6f}")
    print(
        f"  ours, equal area               {whole:7.2f} ms   ssim {ssim(frame, copy):.6f}"
        f"   {conventional / whole:5.1f} x"
    )
    print(f"  scikit-image, mean over head   {conventional:7.2f} ms   mask_ssim {expected:.6f}")
    print(
        f"  ours, cropped to the head      {cropped:7.2f} ms   mask_ssim {got:.6f}"
        f"   {conventional / cropped:5.1f} x"
    )
    print(
        f"  both variants of Mask-SSIM     {both:7.2f} ms   (conventional: two maps)"
        f"   {2 * conventional / both:5.1f} x"
    )


def main() -> None:
    """Compare on a small and on a large head."""
    cv2.setNumThreads(1)
    compare("astronaut", 1.0)
    compare("talking head", 2.6)


if __name__ == "__main__":
    main()
