"""Defects that fuzzing found (tests/fuzz): each ends in one message, or in a reason."""

from __future__ import annotations

import json
import subprocess
import zipfile
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import dlib
import h5py
import numpy as np
import pytest
import torch
from material.generation import training_recipe
from material.keras import Keras
from material.media import numbered, write_video
from PIL import Image
from safetensors.numpy import save_file

from swapset.cli.main import main
from swapset.config.schema import load
from swapset.dataset.manifest import read_manifest, read_subjects
from swapset.dataset.verify import PROVENANCE
from swapset.detection.detect import read_image
from swapset.detectors.base import load_detector
from swapset.detectors.mesonet import Meso4
from swapset.detectors.weights.xception import read_xception_weights
from swapset.errors import ConfigError, DataError, ManifestError, MediaError, SwapsetError
from swapset.extractors.bank import read_labelled_picture
from swapset.extractors.base import load_extractor
from swapset.extractors.labels.csv_file import read_csv
from swapset.faces.landmarks import LandmarkPredictor
from swapset.faces.prepare import ClipLandmarks
from swapset.generation.checkpoint import load_model
from swapset.io import arrays
from swapset.io.files import read_json, write_json
from swapset.learning.state_dicts import read_state
from swapset.media.any_source import converted_clip
from swapset.media.ingest import ingest
from swapset.media.orientation import Orientation
from swapset.media.picture import Picture, decode_picture, read_picture
from swapset.media.probe import probe

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"

# -- pictures and videos ---------------------------------------------------------------------------


@pytest.mark.parametrize("read", [read_picture, read_image])
def test_postscript_called_a_picture_starts_no_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Any
) -> None:
    def started(*arguments: Any, **options: Any) -> None:
        raise AssertionError("a program was started")

    for name in ("Popen", "run", "call", "check_call", "check_output"):
        monkeypatch.setattr(subprocess, name, started)
    (tmp_path / "a.png").write_bytes(POSTSCRIPT)
    with pytest.raises(MediaError, match="cannot be read as a picture"):
        read(tmp_path / "a.png")


def gigantic(path: Path) -> Path:
    """Write a small PNG file that says it is 30,000 pixels wide and high."""
    Image.fromarray(numbered(3)).save(path)
    content = path.read_bytes()
    head = b"IHDR" + (30_000).to_bytes(4, "big") * 2 + content[24:29]
    path.write_bytes(content[:12] + head + zlib.crc32(head).to_bytes(4, "big") + content[33:])
    return path


def test_gigantic_pictures_with_landmarks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.png: .*exceeds limit.*; replace it"):
        read_labelled_picture(gigantic(tmp_path / "a.png"))


@pytest.mark.parametrize("read", [read_picture, read_image, decode_picture, read_labelled_picture])
def test_small_pictures_with_much_behind_them_are_refused(tmp_path: Path, read: Any) -> None:
    """They would be read as a whole; here they take no room on the disk."""
    Image.fromarray(numbered(3)).save(tmp_path / "a.png")
    read(tmp_path / "a.png")
    with (tmp_path / "a.png").open("ab") as stream:
        stream.truncate(3 << 30)
    with pytest.raises(SwapsetError, match=r"a\.png: is larger than 300 MB"):
        read(tmp_path / "a.png")


def test_gigantic_pictures_of_a_folder_are_left_out(tmp_path: Path) -> None:
    Image.fromarray(numbered(3)).save(tmp_path / "001.png")
    gigantic(tmp_path / "000.png")
    with converted_clip(tmp_path) as (clip, reason):
        assert reason == ""
        assert probe(clip).width == numbered(3).shape[1]


def test_pictures_of_16_bits_are_shown_rounded() -> None:
    pixels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    whole = Picture(Path("a.png"), pixels, True, Orientation(), [], [])
    assert np.array_equal(whole.view()[..., 0], np.rint(pixels / 257))


@pytest.mark.parametrize("size", [(1, 1), (20_000, 16)])
def test_videos_of_sizes_that_are_not_stored_are_rejected(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    images = [np.zeros((size[1], size[0], 3), np.uint8)] * 2
    source = write_video(tmp_path / "a.mkv", images, codec="ffv1", pix_fmt="bgr0")
    record = ingest(source, tmp_path / "out.mkv")
    assert (record.ok, record.reason) == (False, "unreadable")
    assert f"{size[0]}x{size[1]} pixels" in record.detail
    with pytest.raises(MediaError, match=r"a\.mkv: pictures of"):
        probe(source)


def test_wide_pixels_do_not_make_a_picture_too_wide(tmp_path: Path) -> None:
    images = [np.zeros((16, 6000, 3), np.uint8)] * 2
    source = write_video(tmp_path / "a.mkv", images, aspect=Fraction(4))
    assert ingest(source, tmp_path / "out.mkv").reason == "unreadable"


# -- weights and arrays ----------------------------------------------------------------------------


def elsewhere(stream: h5py.File, other: Path, how: str) -> None:
    name = "conv2d_1/conv2d_1/bias:0"
    if how == "layer":
        del stream["conv2d_1"]
        stream["conv2d_1"] = h5py.ExternalLink(str(other), "/")
        return
    del stream[name]
    if how == "bytes":
        stream.create_dataset(name, (8,), "f4", external=[(str(other), 0, 32)])
    elif how == "virtual":
        layout = h5py.VirtualLayout((8,), "f4")
        layout[:] = h5py.VirtualSource(str(other), "bias", (8,))
        stream.create_virtual_dataset(name, layout)
    else:
        stream.create_dataset(name, (8,), "f4", maxshape=(None,), chunks=(1 << 20,))


@pytest.mark.parametrize("how", ["layer", "bytes", "virtual", "chunk"])
def test_keras_weights_are_in_their_own_file(tmp_path: Path, how: str) -> None:
    keras = Keras()
    keras.run(Meso4, np.zeros((1, 256, 256, 3), np.uint8))
    keras.save(tmp_path / "a.h5")
    with h5py.File(tmp_path / "other.h5", "w") as stream:
        stream["bias"] = np.zeros(8, np.float32)
    with h5py.File(tmp_path / "a.h5", "r+") as stream:
        elsewhere(stream, tmp_path / "other.h5", how)
    says = {"layer": "has 3 conv2d layers", "chunk": "more memory"}.get(how, "in another file")
    with pytest.raises(DataError, match=says):
        Meso4.from_weights(tmp_path / "a.h5")


@pytest.mark.parametrize("name", [["fan"], {"a": 1}, 7])
def test_names_that_are_no_text_are_unknown(tmp_path: Path, name: Any) -> None:
    for key, read in (("detector", load_detector), ("extractor", load_extractor)):
        facts = {"facts": json.dumps({key: name}), "card": "{}"}
        save_file({"a": np.zeros(1, np.float32)}, tmp_path / "a", metadata=facts)
        with pytest.raises(DataError, match=f"unknown {key}"):
            read(tmp_path / "a")


@pytest.mark.parametrize("subjects", [["id0", "id1"], [f"id{k}" for k in range(9)], [], [1], 5])
def test_a_pair_takes_no_memory_before_its_tensors_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, subjects: Any
) -> None:
    recipe = training_recipe(width=512, code=4096).model_dump()
    facts = {"swapset": json.dumps({"recipe": recipe, "subjects": subjects})}
    save_file({"a": np.zeros(1, np.float32)}, tmp_path / "a", metadata=facts)
    monkeypatch.setattr(torch.nn.Linear, "reset_parameters", on_meta)
    with pytest.raises(DataError, match="do not fit its recipe"):
        load_model(tmp_path / "a", torch.device("cpu"))


def on_meta(layer: torch.nn.Linear) -> None:
    assert layer.weight.is_meta


@pytest.mark.parametrize("read", [read_state, read_xception_weights])
def test_damaged_files_of_torch_end_in_a_message(tmp_path: Path, read: Any) -> None:
    state = {"fc.weight": torch.ones(3, 4)}
    torch.save(state, tmp_path / "a", _use_new_zipfile_serialization=False)
    content = (tmp_path / "a").read_bytes()
    for end in range(0, len(content), 7):
        (tmp_path / "a").write_bytes(content[:end])
        with pytest.raises(DataError, match="a: "):
            read(tmp_path / "a")


def test_archives_that_claim_gigabytes_are_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = np.zeros((9, 68, 2), np.float32)
    ClipLandmarks(points, points, np.zeros(0, np.int64)).save(tmp_path / "a.npz")
    assert len(ClipLandmarks.load(tmp_path / "a.npz").raw) == 9
    monkeypatch.setattr(arrays, "MOST_BYTES", 9_000)
    with pytest.raises(DataError, match="MiB of arrays"):
        ClipLandmarks.load(tmp_path / "a.npz")


@pytest.mark.parametrize("shape", ["(99999999999, 68, 2)", "(5, 68", "('a',)"])
def test_headers_of_arrays_that_lie(tmp_path: Path, shape: str) -> None:
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117)
    head = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + text + b"\n"
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for name in ("raw", "smooth", "cuts"):
            archive.writestr(f"{name}.npy", head + bytes(64))
    with pytest.raises(DataError, match="not a file of landmarks"):
        ClipLandmarks.load(tmp_path / "a.npz")


def test_models_of_dlib_are_tried_in_another_process(tmp_path: Path) -> None:
    path = tmp_path / "a.dat"
    path.write_bytes(b"no model")
    with pytest.raises(ConfigError, match=r"track\.predictor: .*a\.dat is not such a model"):
        LandmarkPredictor(path)
    _train(path, 5)
    with pytest.raises(ConfigError, match="finds 5 landmarks instead of 68"):
        LandmarkPredictor(path)
    _train(path, 68)
    assert LandmarkPredictor(path).predict(numbered(1), (5, 5, 60, 60)).shape == (68, 2)


def _train(path: Path, count: int) -> None:
    picture = cv2.cvtColor(numbered(5), cv2.COLOR_RGB2GRAY)
    parts = [dlib.point(10 + k, 10 + k % 40) for k in range(count)]
    face = dlib.full_object_detection(dlib.rectangle(2, 2, 60, 60), parts)
    options = dlib.shape_predictor_training_options()
    options.cascade_depth, options.num_trees_per_cascade_level, options.tree_depth = 1, 1, 1
    options.num_test_splits, options.feature_pool_size, options.oversampling_amount = 2, 9, 1
    dlib.train_shape_predictor([picture], [[face]], options).save(str(path))


# -- tables, settings and names --------------------------------------------------------------------


def test_devices_and_odd_names_are_no_tables() -> None:
    with pytest.raises(ManifestError, match="/dev/zero: is not a regular file"):
        read_manifest(Path("/dev/zero"))
    for name in ("a\0b", "\ud800"):
        with pytest.raises(ManifestError, match="cannot be the name of a file"):
            read_manifest(Path(name))
    with pytest.raises(ManifestError, match="clips_root"):
        read_manifest(Path("clips.csv"), Path("a\0b"))


@pytest.mark.parametrize("age", ["9" * 5000, "٣", "²"])
def test_ages_are_short_plain_numbers(tmp_path: Path, age: str) -> None:
    for name, text in (
        ("clips.csv", "clip,subject,path,licence,url\n" + _row("id0") + _row("id1")),
        ("subjects.csv", f"subject,age\nid0,{age}\n"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    clips = read_manifest(tmp_path / "clips.csv")
    with pytest.raises(ManifestError, match="line 2: age"):
        read_subjects(tmp_path / "subjects.csv", clips)


def _row(subject: str) -> str:
    return f"{subject}_0000,{subject},,CC0,https://example.org/a\n"


def test_an_open_quote_in_the_first_line_of_labels(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('"split')
    with pytest.raises(DataError, match=r"a\.csv, line 1: not a valid CSV"):
        read_csv(tmp_path / "a.csv")


def test_messages_show_the_beginning_of_long_values() -> None:
    bomb: Any = ["x"] * 9
    for _ in range(60):
        bomb = [bomb] * 9
    for value in (bomb, "x" * 10**6, 1 << 10**5):
        with pytest.raises(ConfigError) as caught:
            load({"methods": value, "name": value})
        assert len(str(caught.value)) < 5_000


def test_keys_that_are_no_texts_are_named() -> None:
    with pytest.raises(ConfigError, match="1: is not allowed as a key"):
        load({1: 2})  # type: ignore[dict-item]


@pytest.mark.parametrize("value", ["\ud800", 5, None])
def test_verify_prints_whatever_a_record_says(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], value: Any
) -> None:
    video = "dataset/real/c23/id0_0000.mp4"
    record = {"video": video, "sha256": "0" * 64, "sources": value, "method": value}
    (tmp_path / "dataset").mkdir()
    (tmp_path / PROVENANCE).write_text(json.dumps(record))
    assert main(["verify", str(tmp_path), video]) == 1
    assert "1 missing" in capfd.readouterr().out


def test_names_that_are_no_text_are_kept_in_json(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"detail": "half \udcff"})
    assert read_json(tmp_path / "a.json") == {"detail": "half \udcff"}
