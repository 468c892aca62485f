"""WFLW: 98 landmarks."""

from __future__ import annotations

from pathlib import Path

from swapset.errors import DataError
from swapset.extractors.labels.faces import LabelledFaces, LabelRows
from swapset.io.untrusted import lines

POINTS = 98
_LISTS = {split: f"list_98pt_rect_attr_{split}.txt" for split in ("train", "test")}
_FOLDER = "list_98pt_rect_attr_train_test"
_IMAGES = "WFLW_images"
_BESIDE = 11
"""Entries besides the landmarks: four of the rectangle, six attributes, and the picture's name."""


def read_wflw(root: Path, lists: Path | None = None) -> LabelledFaces:
    """Read WFLW as its authors' archives unpack it.

    Parameters
    ----------
    root : Path
        Folder with `WFLW_images`, or that folder itself.
    lists : Path, optional
        Folder of `list_98pt_rect_attr_train.txt` and `…_test.txt`; by default, inside of root,
        `WFLW_annotations/list_98pt_rect_attr_train_test`, `list_98pt_rect_attr_train_test` or root
        itself. Without the test list there are no test faces.

    Returns
    -------
    LabelledFaces
        People's identities and a validation split are not published.

    Raises
    ------
    DataError
        Naming each wrong line, or the missing list.

    References
    ----------
    W. Wu et al., "Look at boundary: a boundary-aware face alignment algorithm", CVPR 2018. As the
    README beside the lists says, each line has the coordinates of 98 landmarks, of the upper left
    and the lower right corner of a detected rectangle, attributes (pose, expression, illumination,
    make-up, occlusion, blur), and the picture's name. Coordinates count from 0.
    """
    folder = _list_folder(root, lists)
    images = root / _IMAGES if (root / _IMAGES).is_dir() else root
    rows = LabelRows(images, POINTS)
    for split, name in _LISTS.items():
        path = folder / name
        if split == "train" or path.exists():
            _read_list(path, split, rows)
    return rows.faces(source=folder / _LISTS["train"])


def _list_folder(root: Path, lists: Path | None) -> Path:
    places = [lists] if lists else [root / "WFLW_annotations" / _FOLDER, root / _FOLDER, root]
    for folder in places:
        if (folder / _LISTS["train"]).is_file():
            return folder
    looked = ", ".join(map(str, places))
    raise DataError(f"{_LISTS['train']} is in none of {looked}; set the folder of WFLW's lists")


def _read_list(path: Path, split: str, rows: LabelRows) -> None:
    for number, line in enumerate(lines(path), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        cells = line.split(maxsplit=2 * POINTS + _BESIDE - 1)
        if len(cells) != 2 * POINTS + _BESIDE:
            rows.reject(
                where,
                f"has {len(cells)} entries; WFLW has {2 * POINTS} coordinates, 4 of a rectangle, "
                "6 attributes and a name",
            )
            continue
        rows.add(where, cells[-1].strip(), cells[: 2 * POINTS], split=split)
