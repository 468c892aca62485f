"""Tables with the chapter's own numbers, kept apart from the tables of a build.

Light to import, because the Snakefile reads the names of the tables from here.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from swapset.io.files import atomic_output

_FOLDER = Path(__file__).parent / "quoted"
SOURCE = (
    'Y. Li, P. Sun, H. Qi, S. Lyu, "Toward the Creation and Obstruction of DeepFakes", in: '
    "Handbook of Digital Face Manipulation and Detection, Springer, 2022, chapter 4"
)
CAPTIONS = {
    "table_4_1_datasets": "Table 4.1: DeepFake video datasets and their numbers of videos and "
    "frames",
    "table_4_2_mask_ssim": "Table 4.2: average Mask-SSIM of datasets",
    "table_4_3_detector_auc": "Table 4.3: frame-level AUC (%) of detectors on datasets",
    "table_4_4_compression_auc": "Table 4.4: AUC (%) of detectors on recompressed Celeb-DF",
    "table_4_5_landmark_breaker": "Table 4.5: Landmark Breaker on one extractor (source), its NME, "
    "SSIM_W and SSIM_I on each",
    "table_4_6_attacks": "Table 4.6: attacks on extractors that they know",
    "table_4_7_black_box": "Table 4.7: attacks on extractors that they do not know",
    "table_4_8_robustness": "Table 4.8: attacks on extractors that they know, under compression",
}


def quoted_names() -> list[str]:
    """Return the names of the quoted tables, without extension."""
    return sorted(path.stem for path in _FOLDER.glob("*.csv"))


def write_quoted(paths: Iterable[Path]) -> None:
    """Write quoted tables; the stem of each path is the name of its table."""
    for path in paths:
        with atomic_output(path) as scratch:
            scratch.write_bytes((_FOLDER / f"{path.stem}.csv").read_bytes())
