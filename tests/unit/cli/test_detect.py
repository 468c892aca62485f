"""`swapset detect`: a score for any video or image."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from material.detectors import picture, samples

from swapset.cli.main import main
from swapset.detectors.base import Schedule
from swapset.detectors.registry import detector_class
from swapset.media.decode import frames
from swapset.media.encode import VideoWriter


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "Meso4.safetensors"
    detector = detector_class("Meso4")(seed=1)
    detector.fit(samples(8), None, Schedule(seed=1, steps=3, batch=4))
    detector.save(path)
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten frames with a face after five without."""
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    face = picture(2)[0]
    with VideoWriter(path, 340, 300, fps=30, codec="h264", quality=18) as writer:
        for picture_ in [np.full_like(face, 90)] * 5 + [face] * 25:
            writer.write(picture_)
    return path


def detect(path: Path, *arguments: str | Path) -> int:
    return main(["detect", str(path), "--detector", "Meso4", *map(str, arguments)])


def test_a_video_gets_a_score_a_table_a_plot_and_an_annotated_copy(
    model: Path, video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {name: tmp_path / name for name in ("scores.csv", "plot.png", "seen.mp4")}
    assert detect(video, "--model", model, "--every", "1", "--csv", made["scores.csv"],
                  "--plot", made["plot.png"], "--video", made["seen.mp4"]) == 0  # fmt: skip
    said = capsys.readouterr().out
    assert "higher = more likely fake" in said
    with made["scores.csv"].open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 30
    known = [float(row["score"]) for row in rows if row["score"]]
    assert 20 <= len(known) <= 25
    assert f"{len(known)} of 30 scored frames" in said
    assert f"Meso4 {np.mean(known):.4f}" in said
    plot = cv2.imread(str(made["plot.png"]))
    assert (plot == (0x8A, 0x65, 0x33)).all(2).any()  # the curve, in OpenCV's order
    seen, original = list(frames(made["seen.mp4"])), list(frames(video))
    assert len(seen) == 30
    assert np.abs(seen[20].astype(int) - original[20])[:20, :60].mean() > 10  # the text


def test_an_image_gets_a_score(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "face.png"
    cv2.imwrite(str(path), picture(2)[0][..., ::-1])
    assert detect(path, "--model", model) == 0
    assert "1 of 1 scored frames" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["HeadPose", "Meso4"])
def test_a_probability_stands_beside_a_score_that_is_none(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    if name == "HeadPose":
        model = tmp_path / "HeadPose.safetensors"
        detector = detector_class(name)(seed=1)
        rng = np.random.default_rng(0)
        detector.classifier = replace(
            detector.classifier,
            vectors=rng.normal(size=(1, 12)),
            weights=np.zeros(1),
            intercept=np.array([-1.5]),
            platt=np.array([-2.0, 0.25]),
        )
        detector.save(model)
    path, table = tmp_path / "face.png", tmp_path / "scores.csv"
    cv2.imwrite(str(path), picture(2)[0][..., ::-1])
    arguments = [str(path), "--detector", name, "--model", str(model), "--csv", str(table)]
    assert main(["detect", *arguments]) == 0
    said = capsys.readouterr().out.splitlines()[0]
    with table.open(newline="") as stream:
        [row] = list(csv.DictReader(stream))
    if name == "HeadPose":
        chance = 1 / (1 + np.exp(-(0.25 - 2 * 1.5)))
        assert f"{name} -1.5000, probability {chance:.4f} (higher = more likely fake)" in said
        assert float(row["score"]) == -1.5
        assert float(row["probability"]) == pytest.approx(chance, abs=1e-6)
    else:
        assert ", probability" not in said
        assert row["probability"] == row["score"] != ""


@pytest.mark.parametrize("suffix", ["png", "mp4"])
def test_verdict_threshold_error_and_doubts_are_in_the_line_of_the_score(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    point = {"threshold": -1.0, "fpr": 0.25, "tpr": 0.5}
    points = {"frame": {"equal_error": point}, "video": {"equal_error": point | {"threshold": 2.0}}}
    card = {
        "trained_on": {"people": 4, "demo": True, "conditions": {"width": [10, 20]}},
        "validation": {"people": 2, "points": points},
    }
    model, path = tmp_path / "Meso4.safetensors", tmp_path / f"file.{suffix}"
    detector_class("Meso4")(seed=1).save(model, card)
    if suffix == "mp4":
        path.write_bytes(video.read_bytes())
    else:
        cv2.imwrite(str(path), picture(2)[0][..., ::-1])
    assert detect(path, "--model", model) == 0
    line = capsys.readouterr().out.splitlines()[0]
    word, threshold, whose = {
        "png": ("fake", "-1.0000", "frames"),
        "mp4": ("real", "2.0000", "videos"),
    }[suffix]
    assert (
        f"(higher = more likely fake): {word} (threshold {threshold}, at which 25% of the real "
        f"and 50% of the fake {whose} of 2 validation people were misjudged); do not rely on it: "
        "it was fitted on the demo, which shows that everything works and no more, it was fitted "
        "on 4 people, "
    ) in line
    assert ("this is a picture" in line) == (suffix == "png")
    assert "in other conditions (width 10 to 20 pixels, here " in line


def test_an_image_without_a_face_has_no_score(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "grey.jpg"
    cv2.imwrite(str(path), np.full((200, 200, 3), 120, np.uint8))
    assert detect(path, "--model", model) == 0
    assert "no score" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("none.mp4", [], "none.mp4: no such file"),
        ("text.mp4", [], "text.mp4: unreadable"),
        ("text.png", [], "text.png: cannot be read as a picture"),
        ("text.mp4", ["--every", "0"], "--every: 0"),
        (
            "text.mp4",
            ["--model", "nowhere.safetensors"],
            "there is no fitted Meso4; correct --model\n",
        ),
        ("text.mp4", ["--build", "results/demo"], "0.safetensors`, or give --model"),
        ("text.mp4", ["--build", "results/cl"], "0.safetensors` with the build's --configfile"),
        ("text.png", ["--video", "out.mp4"], "--video: is not allowed for an image"),
        (
            "text.png",
            ["--protocol", "deepfakebench"],
            "--protocol: is not allowed without --weights",
        ),
    ],
)
def test_mistakes_are_said_in_one_line(
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    if name != "none.mp4":
        path.write_text("no media")
    chosen = [] if {"--model", "--build"} & set(arguments) else ["--model", model]
    assert detect(path, *chosen, *arguments) == 1
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


@pytest.fixture
def folder(tmp_path: Path, video: Path) -> Path:
    """A folder with a video, two pictures, and what is not scored."""
    inside = tmp_path / 'it\'s a "folder"'
    for name in ("b 10.png", "b 2.jpg", "deep/c.mp4", ".hidden.png", "notes.txt"):
        (inside / name).parent.mkdir(parents=True, exist_ok=True)
        (inside / name).write_text("no media")
    cv2.imwrite(str(inside / "b 10.png"), picture(2)[0][..., ::-1])
    cv2.imwrite(str(inside / "b 2.jpg"), np.full((200, 200, 3), 120, np.uint8))
    (inside / "deep" / "c.mp4").write_bytes(video.read_bytes())
    return inside


def test_all_videos_and_images_of_a_folder_are_scored(
    model: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "scores.csv"
    assert detect(folder, "--model", model, "--csv", table) == 0
    said = capsys.readouterr().out
    heads = [line for line in said.splitlines() if line.startswith(str(folder))]
    assert [line.partition(": Meso4 ")[0].removeprefix(f"{folder}/") for line in heads] == [
        "b 2.jpg",
        "b 10.png",
        "deep/c.mp4",
    ]
    assert said.endswith("3 of 3 files are scored\n")
    with table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["file"] for row in rows] == ["b 2.jpg", "b 10.png", *["deep/c.mp4"] * 6]
    assert [bool(row["score"]) for row in rows[:3]] == [False, True, False]
    assert rows[-1]["score"]


def test_a_file_that_cannot_be_scored_does_not_end_a_folder(
    model: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.mp4").write_text("no media")
    (folder / "z.png").write_text("no media")
    assert detect(folder, "--model", model) == 1
    said = capsys.readouterr()
    assert f"not scored: {folder}/a.mp4: unreadable" in said.out
    assert f"not scored: {folder}/z.png: cannot be read as a picture" in said.out
    assert said.out.endswith("3 of 5 files are scored\n")
    assert said.err == ""


@pytest.mark.parametrize("option", ["--plot", "--video"])
def test_pictures_of_a_score_are_for_one_file(
    model: Path, folder: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert detect(folder, "--model", model, option, folder / "out.mp4") == 1
    assert f"{option}: is not allowed for a folder" in capsys.readouterr().err


def test_an_empty_folder_is_said(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").touch()
    assert detect(tmp_path, "--model", model) == 1
    assert capsys.readouterr().err == (
        f"swapset: {tmp_path}: no video or image is in this folder; correct the path\n"
    )
