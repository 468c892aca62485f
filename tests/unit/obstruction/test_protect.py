"""Protected videos, pictures and folders: noise on the faces, all else as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from material.faces import background, placed
from material.media import ffmpeg, packets, seen, write_video
from material.protect import CHANGE, Stripes, extractor, face, job, save, talk, two_people

from swapset.errors import ConfigError, DataError, MediaError, SwapsetError
from swapset.extractors.nme import eye_distance, nme
from swapset.media.picture import read_picture
from swapset.obstruction.evaluation import face_ssim, find_landmarks
from swapset.obstruction.keyframes import Run
from swapset.obstruction.protect import measure as protection
from swapset.obstruction.protect.faces import FoundFaces, follow_faces, picture_faces, predictor
from swapset.obstruction.protect.files import protect_file, protect_folder
from swapset.obstruction.protect.measure import Meter


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return talk(tmp_path_factory.mktemp("talk") / "talk.mkv")


def test_only_faces_of_a_video_change(video: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    result = protect_file(video, output, job(crf=0))
    (times, images), (written, copies) = seen(video), seen(output)
    np.testing.assert_allclose(np.array(written, float), np.array(times, float), atol=0.002)
    for number, (one, other) in enumerate(zip(images, copies, strict=True)):
        moved = other.astype(int) - one
        if 4 <= number < 12:
            inside = moved[70:110, 110:140].mean((1, 2))
            assert CHANGE - 2 < inside.max() < CHANGE + 2
            moved[30:150, 50:200] = 0
        assert not moved.any()
    assert packets(output, "audio")[0][0][1] == packets(video, "audio")[0][0][1]
    assert (result["kind"], result["frames"], result["faces"]) == ("video", 14, 1)
    assert result["frames_with_faces"] == result["faces_measured"] == 8
    assert 0.5 < result["ssim_written"] < 1
    assert result["ssim_written"] == pytest.approx(result["ssim_protected"], abs=0.05)
    for one in result["extractors"]:  # moved by the noise, and by little more once encoded
        assert 0 < one["nme_protected"] < 0.2
        assert one["nme_written"] == pytest.approx(one["nme_protected"], abs=0.01)


def test_several_people_are_all_protected_unless_one_is_wanted(tmp_path: Path) -> None:
    picture = save(tmp_path / "a.png", two_people())
    source = write_video(tmp_path / "a.mp4", [two_people()] * 2)
    for which, faces in (("all", 2), ("largest", 1)):
        for path in (picture, source):
            stripes = Stripes()
            output = tmp_path / f"{which}{path.suffix}"
            result = protect_file(path, output, job(stripes, which=which))
            assert result["faces"] == faces
            assert set(stripes.faces) == {faces}


def test_faces_that_touch_stay_protected() -> None:
    """Two faces meet and part; the test does not check which face is whose."""
    frames = []
    for step in range(24):
        apart = 60 + abs(step - 12) * 5
        left = placed("astronaut", (160 - apart / 2, 100), 70)
        frames.append(placed("hopper", (160 + apart / 2, 110), 70, onto=left))
    found = follow_faces(frames, fps=30)
    counts = [np.isfinite(found.at(k)).all((1, 2)).sum() for k in range(24)]
    assert min(counts) >= 1
    assert np.mean(np.array(counts) == 2) > 0.8


def test_a_face_counts_once_in_a_frame() -> None:
    found = picture_faces(face())
    (path,) = found.paths
    doubled = type(found)(1, [path, path])
    assert np.isfinite(doubled.at(0)).all((1, 2)).tolist() == [True, False]


@pytest.mark.parametrize("mode", ["RGB", "L", "LA", "RGBA"])
def test_pictures_of_all_kinds_get_noise_on_the_face(tmp_path: Path, mode: str) -> None:
    source, output = save(tmp_path / "a.png", face(), mode), tmp_path / "b.png"
    result = protect_file(source, output, job())
    moved = read_picture(output).view().astype(int) - read_picture(source).view()
    assert result["kind"] == "picture"
    assert moved.max() == CHANGE
    assert not moved[:30].any()
    assert not moved[:, :50].any()


def test_a_picture_smaller_than_the_crop_is_protected(tmp_path: Path) -> None:
    """The extractor's crop is 128 pixels wide; what matters is the face."""
    image = placed("astronaut", (50, 45), 56, size=(90, 100))
    source, output = save(tmp_path / "a.png", image), tmp_path / "b.png"
    assert protect_file(source, output, job())["faces"] == 1
    moved = read_picture(output).view().astype(int) - read_picture(source).view()
    assert moved[15:75, 28:76].max() == CHANGE
    moved[10:85, 20:80] = 0
    assert not moved.any()


def test_files_without_a_face_are_refused_with_the_reason(tmp_path: Path) -> None:
    tiny = placed("astronaut", (160, 120), 34)
    cases = {
        "empty": (background(), "no face was found"),
        "tiny": (tiny, "pixels high.*at least 48"),
    }
    for name, (image, said) in cases.items():
        picture = save(tmp_path / f"{name}.png", image)
        video = write_video(tmp_path / f"{name}.mp4", [image])
        for path in (picture, video):
            with pytest.raises(DataError, match=rf"{path.name}: .*{said}"):
                protect_file(path, tmp_path / "out" / path.name, job())
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("quarters", [1, 2])
def test_faces_on_their_side_are_protected_and_stay_there(tmp_path: Path, quarters: int) -> None:
    """Metadata may be wrong; the file is not turned."""
    image = np.ascontiguousarray(np.rot90(face(), quarters))
    outside = np.ones(image.shape[:2], bool)
    np.rot90(outside, -quarters)[30:150, 50:200] = False
    for source in (save(tmp_path / "a.png", image), write_video(tmp_path / "a.mp4", [image] * 2)):
        output = source.with_stem("b")
        protect_file(source, output, job(crf=0))
        if source.suffix == ".png":
            shown = [read_picture(path).view().astype(int) for path in (source, output)]
        else:
            shown = [seen(path)[1][0].astype(int) for path in (source, output)]
        moved = shown[1] - shown[0]
        assert moved.shape == image.shape
        assert CHANGE - 2 <= np.percentile(moved[~outside], 95) <= CHANGE + 2
        assert not moved[outside].any()


def test_damaged_videos_are_refused(video: Path, tmp_path: Path) -> None:
    content = video.read_bytes()
    files = {
        "cut.mkv": (content[: len(content) * 2 // 3], "damaged or missing"),
        "text.mp4": (b"no video", "not a readable video"),
        "empty.mp4": (b"", "not a readable video"),
    }
    for name, (own, said) in files.items():
        (tmp_path / name).write_bytes(own)
        with pytest.raises(MediaError, match=rf"{name}: .*{said}"):
            protect_file(tmp_path / name, tmp_path / "out.mkv", job())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)


@pytest.mark.parametrize("kind", ["B-frames in AVI", "longer sound", "a leap", "raw", "variable"])
def test_whole_videos_with_strange_stamps_are_protected(
    video: Path, tmp_path: Path, kind: str
) -> None:
    leap, variable = "setpts=PTS+gte(N\\,6)*3600/TB", "setpts=PTS+gte(N\\,6)*0.3/TB"
    name, options = {
        "B-frames in AVI": ("a.avi", ["-c:v", "libx264", "-bf", "2"]),
        "longer sound": ("a.mkv", ["-c:v", "libx264", "-af", "apad=pad_dur=8"]),
        "a leap": ("a.mkv", ["-c:v", "libx264", "-an", "-vf", leap, "-fps_mode", "passthrough"]),
        "raw": ("a.h264", ["-c:v", "libx264", "-an"]),
        "variable": ("a.webm", ["-c:v", "libvpx", "-vf", variable, "-fps_mode", "passthrough"]),
    }[kind]
    source, output = tmp_path / name, tmp_path / "out.mkv"
    ffmpeg("-i", video, *options, source)
    result = protect_file(source, output, job(crf=0))
    assert (result["frames"], result["frames_with_faces"], result["left_out"]) == (14, 8, [])
    times, written = seen(source)[0], seen(output)[0]
    np.testing.assert_allclose(
        np.diff(np.array(written, float)), np.diff(np.array(times, float)), atol=0.002
    )


def test_pictures_before_the_first_whole_one_are_left_out(video: Path, tmp_path: Path) -> None:
    whole, late = tmp_path / "whole.ts", tmp_path / "late.ts"
    keys = ["-force_key_frames", "0,0.1", "-sc_threshold", "0"]
    ffmpeg("-i", video, "-c:v", "libx264", *keys, whole)
    content = whole.read_bytes()
    late.write_bytes(content[len(content) // 10 // 188 * 188 :])
    result = protect_file(late, tmp_path / "out.mp4", job())
    assert result["frames"] == 11
    assert any("begins inside a recording" in part for part in result["left_out"])


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    source, output = save(tmp_path / "a.png", face()), tmp_path / "b.png"
    protect_file(source, output, job())
    with pytest.raises(ConfigError, match=r"b\.png: exists"):
        protect_file(source, output, job())
    protect_file(source, output, job(overwrite=True))
    link = tmp_path / "link.png"
    link.symlink_to(source)
    for same in (source, link):
        with pytest.raises(ConfigError, match="the original itself"):
            protect_file(source, same, job(overwrite=True))


def test_endings_must_be_known_before_the_work(video: Path, tmp_path: Path) -> None:
    picture = save(tmp_path / "a.png", face())
    for source, name in ((video, "b.webm"), (video, "b.png"), (picture, "b.mp4"), (picture, "b")):
        stripes = Stripes()
        with pytest.raises(MediaError, match=rf"{name}: .*written as"):
            protect_file(source, tmp_path / name, job(stripes))
        assert not stripes.faces
    (tmp_path / "c.heic").touch()
    with pytest.raises(MediaError, match="convert it to PNG"):
        protect_file(tmp_path / "c.heic", tmp_path / "c.png", job())


def test_ctrl_c_leaves_nothing(video: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        protect_file(video, tmp_path / "out.mp4", job(Stripes(stop_at=6)))
    assert not list(tmp_path.iterdir())


def test_a_video_that_was_written_wrong_is_no_result(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from swapset.media.rewrite import Rewriter

    write = Rewriter.write
    monkeypatch.setattr(
        Rewriter, "write", lambda self, time, frame: write(self, time + (time > 0.2), frame)
    )
    with pytest.raises(MediaError, match="wrong time"):
        protect_file(video, tmp_path / "out.mp4", job())
    assert not list(tmp_path.iterdir())


def test_a_folder_is_protected_file_by_file(tmp_path: Path) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    (source / "deeper").mkdir(parents=True)
    save(source / "a.png", face())
    save(source / "deeper" / "b.jpg", face(name="hopper"))
    save(source / "c.png", background())
    (source / "d.mp4").write_text("no video")
    ffmpeg("-i", talk(tmp_path / "e.mp4", sound=False), "-c:v", "mpeg4", source / "e.avi")
    (source / "notes.txt").write_text("no picture")
    (source / ".hidden.png").touch()
    results = {path.name: result for path, _, result in protect_folder(source, output, job())}
    assert list(results) == ["a.png", "c.png", "d.mp4", "b.jpg", "e.avi"]
    wrong = {name: result for name, result in results.items() if isinstance(result, str)}
    assert {"c.png", "d.mp4"} == set(wrong)
    assert "no face" in wrong["c.png"]
    written = {str(p.relative_to(output)) for p in output.rglob("*") if p.is_file()}
    assert written == {"a.png", "deeper/b.jpg", "e.avi.mkv"}
    again = [result for _, _, result in protect_folder(source, output, job())]
    assert all(isinstance(result, str) for result in again)


def test_folders_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    save(tmp_path / "a.png", face())
    for output, said in ((tmp_path, "another folder"), (tmp_path / "a.png", "another folder")):
        with pytest.raises(SwapsetError, match=said):
            list(protect_folder(tmp_path, output, job()))
    with pytest.raises(ConfigError, match="no video or picture"):
        list(protect_folder(tmp_path / "empty", tmp_path / "out", job()))


def test_what_did_not_change_measures_nothing() -> None:
    own = job()
    meter: Meter = own.meter()
    meter.add("protected", face(), face(), picture_faces(face()).at(0))
    results = meter.results()
    assert results["ssim_protected"] == 1
    assert results["extractors"][0]["nme_protected"] == 0
    assert results["ssim_written"] is None


def test_faces_are_measured_as_on_the_whole_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the parts about them are looked at: a crowd in a large picture fits into memory."""
    shapes = []

    def watched(finder: Any, images: np.ndarray, run: Run) -> np.ndarray:
        shapes.append(images.shape)
        return find_landmarks(finder, images, run)

    monkeypatch.setattr(protection, "find_landmarks", watched)
    clean = two_people()
    points = picture_faces(clean).at(0)
    (noisy,) = Stripes().protect([clean], [points])
    meter: Meter = job().meter()
    meter.add("protected", clean, noisy, points)
    run, both = Run("", 0, points), [np.stack([image] * 2) for image in (clean, noisy)]
    results = meter.results()
    assert results["faces_measured"] == 2
    assert {shape[0] for shape in shapes} == {1}
    assert max(shape[2] for shape in shapes) < clean.shape[1]
    assert results["ssim_protected"] == pytest.approx(face_ssim(*both, run).mean(), abs=1e-6)
    for found, finder in zip(results["extractors"], (extractor(), predictor()), strict=True):
        before, after = (find_landmarks(finder, images, run) for images in both)
        assert found["nme_protected"] == pytest.approx(nme(after, before).mean(), abs=2e-3)


def test_landmarks_in_a_clean_frame_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def watched(finder: Any, images: np.ndarray, run: Run) -> np.ndarray:
        seen.append(images)
        return find_landmarks(finder, images, run)

    monkeypatch.setattr(protection, "find_landmarks", watched)
    points, meter = picture_faces(face()).at(0), job().meter()
    for number in (4, 9):
        for stage in ("protected", "written"):
            meter.add(stage, face(), face(), points, number=number)
    assert len(seen) == 2 * 2 * (1 + 2)  # by two finders in two frames: clean, and each stage
    assert meter.results()["faces_measured"] == 2


class Misses:
    """Finder that moves the true landmarks by a share of the distance of the eyes."""

    def __init__(self, share: float) -> None:
        self.share = share


@pytest.mark.parametrize(("share", "poor"), [(0.05, False), (0.12, True)])
def test_extractors_that_miss_a_clean_face_are_poor(
    monkeypatch: pytest.MonkeyPatch, share: float, poor: bool
) -> None:
    def moved(finder: Any, images: np.ndarray, run: Run) -> np.ndarray:
        if not isinstance(finder, Misses):
            return find_landmarks(finder, images, run)
        right = [finder.share * float(eye_distance(run.landmarks[0])), 0]
        return run.landmarks.astype(np.float64) + right

    monkeypatch.setattr(protection, "find_landmarks", moved)
    points = picture_faces(face()).at(0)
    meter = Meter({"small": Misses(share), "dlib": predictor()}, ["small"])  # type: ignore[dict-item]
    meter.add("protected", face(), face(), points)
    results = meter.results()
    small, dlib = results["extractors"]
    assert small["nme_clean"] == pytest.approx(share, abs=1e-6)
    assert small["poor"] is poor
    assert (dlib["nme_clean"], dlib["poor"]) == (None, False)
    assert 0.01 < results["nme_mean_face"] < 0.1


def test_a_face_that_comes_back_counts_as_its_first_frame() -> None:
    seen, gone = np.zeros((1, 68, 2), np.float32), np.full((1, 68, 2), np.nan, np.float32)
    faces = FoundFaces(6, [(1, np.concatenate([seen, seen, gone, seen]))])
    work = faces.work(5.0)
    each = np.diff([work(frames) for frames in range(8)])
    np.testing.assert_allclose(each, [0.05, 5.05, 1.05, 0.05, 5.05, 0.05, 0], atol=1e-9)
