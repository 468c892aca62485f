"""Downloads: a missing yt-dlp is named, and files arrive whole or not at all."""

import sys
import types
from pathlib import Path

import pytest

from swapset.errors import MediaError
from swapset.media.fetch import fetch

URL = "https://example.org/v/1"


class FetchError(Exception):
    pass


@pytest.fixture
def downloads(monkeypatch):
    """A stand-in for yt-dlp: a function put under "act" does the download."""
    acts = {}

    class YoutubeDL:
        def __init__(self, options):
            acts["options"] = options

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def download(self, urls):
            # yt-dlp expands %-templates in the name.
            acts["act"](Path(acts["options"]["outtmpl"]["default"].replace("%%", "%")), urls)

    fake = types.ModuleType("yt_dlp")
    fake.YoutubeDL = YoutubeDL
    fake.utils = types.SimpleNamespace(YoutubeDLError=FetchError)
    monkeypatch.setitem(sys.modules, "yt_dlp", fake)
    return acts


def test_without_yt_dlp_the_error_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "yt_dlp", None)
    with pytest.raises(ImportError, match=r"pip install 'swapset\[fetch\]'") as caught:
        fetch(URL, tmp_path / "a.mp4")
    # jobs.py prints an ImportError as one line, but not its subclass, which is a mistake of ours.
    assert type(caught.value) is ImportError
    assert list(tmp_path.iterdir()) == []


def test_a_download_arrives_whole(downloads, tmp_path):
    seen = []

    def act(path, urls):
        seen.extend(urls)
        path.write_bytes(b"half")
        assert not (tmp_path / "100% id0_0000.mp4").exists()
        path.write_bytes(b"whole")

    downloads["act"] = act
    fetch(URL, tmp_path / "100% id0_0000.mp4")
    assert (tmp_path / "100% id0_0000.mp4").read_bytes() == b"whole"
    assert seen == [URL]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_failed_download_leaves_nothing(downloads, tmp_path):
    def act(path, urls):
        path.write_bytes(b"half")
        raise FetchError("gone")

    downloads["act"] = act
    with pytest.raises(MediaError, match=r"example\.org/v/1: cannot be fetched \(gone\)"):
        fetch(URL, tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_nothing_fetched_is_an_error(downloads, tmp_path):
    downloads["act"] = lambda path, urls: None
    with pytest.raises(MediaError, match="nothing was fetched"):
        fetch(URL, tmp_path / "a.mp4")
