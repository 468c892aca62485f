"""Hostile media files are rejected with a reason or read, and nothing else happens.

The number of a file determines its content: `SWAPSET_FUZZ_FIRST=137 SWAPSET_FUZZ_FILES=1 pytest
tests/fuzz/test_fuzz_media.py` makes file 137 again.
"""

from __future__ import annotations

import cv2
import faces
import numpy as np
import pytest
from checks import check, put
from child import Child
from mutations import mutate
from sandbox import Sandbox
from strange import STRANGE, Lures
from tally import Tally

from swapset.obstruction.protect.faces import picture_faces

PICTURES = ("png", "jpg", "jpeg", "webp", "tif", "bmp")
_LIES = ("mp4", "mkv", "png", "jpg", "ts", "avi")


@pytest.fixture(scope="module")
def lures(sandbox: Sandbox, media_seeds: dict[str, bytes]) -> Lures:
    video = sandbox.set_bait("secret.ts", media_seeds["ts"])
    text = sandbox.set_bait("secret.txt", b"a secret\n")
    return Lures(video, text, sandbox.port, media_seeds)


def hostile(number: int, lures: Lures) -> tuple[str, str, str, bytes]:
    """Return kind, description, extension and content of a file; every fourth is made by hand."""
    rng = np.random.default_rng([number, 1])
    if number % 4 == 3:
        turn, place = divmod(number // 4, len(STRANGE))
        name = list(STRANGE)[place]
        ending, make = STRANGE[name]
        content = make(lures)
        if turn and content:
            changes, content = mutate(content, rng, number)
            name += f", {changes}"
        return "made by hand", name, ending, content
    count = number - number // 4
    kind = list(lures.seeds)[count % len(lures.seeds)]
    name, content = mutate(lures.seeds[kind], rng, count + count // len(lures.seeds))
    ending = kind if rng.random() < 0.85 else str(rng.choice(_LIES))
    return kind, f"{name}, called .{ending}", ending, content


def jobs(ending: str, number: int) -> list[str]:
    """Return the readers of a file; slow ones read those by hand and two thirds of the others."""
    slow = number % 4 == 3 or number % 2 == 0
    if ending in PICTURES:
        readers = ["picture", "scored picture", "labelled picture", "frames", "ingest"]
        return readers + ["protect picture"] * slow
    return (
        ["ingest", "probe", "samples"]
        + ["protect"] * slow
        + ["frames"] * (ending in ("gif", "apng"))
    )


def test_media(
    media_number: int, lures: Lures, sandbox: Sandbox, child: Child, tally: Tally
) -> None:
    kind, name, ending, content = hostile(media_number, lures)
    path = put(sandbox.source / f"{media_number}.{ending}", content)
    outcome = child.read(jobs(ending, media_number), path)
    tally.add(kind, f"media {media_number}: {kind}, {name}", outcome)
    check(f"media {media_number} ({kind}: {name})", path, outcome)
    assert not (sandbox.bait / "secret.txt.run").exists()


def test_good_files_are_read(
    lures: Lures, sandbox: Sandbox, child: Child, media_seeds: dict[str, bytes]
) -> None:
    """Fuzzing shows something only if the unchanged files are read."""
    for ending in ("mp4", "mkv", "png"):
        path = put(sandbox.source / f"good.{ending}", media_seeds[ending])
        outcome = child.read(jobs(ending, 0), path)
        assert (outcome.result, outcome.problems) == ("read", [])


def test_large_pictures_show_the_faces_that_they_are_there_for() -> None:
    pictures = {"crowd": (faces.crowd(), 40), "filling": (faces.filling(), 1)}
    pictures["lost"] = faces.lost(12_400), 1
    for name, (content, least) in pictures.items():
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
        shown = picture_faces(np.asarray(image, np.uint8))
        assert (name, len(shown.paths) >= least) == (name, True)


def test_the_bait_is_noticed(lures: Lures, sandbox: Sandbox) -> None:
    """The harness detects the opening of a bait."""
    assert lures.video.read_bytes()
    assert sandbox.reached() == ["a local file was opened"]
    assert sandbox.reached() == []
