"""Download a source clip named by a URL in the manifest; needs the optional yt-dlp."""

from __future__ import annotations

from pathlib import Path

from swapset.errors import FetchError
from swapset.io.files import atomic_output

INSTALL = "pip install 'swapset[fetch]'  # or: pip install yt-dlp"


def fetch(url: str, output: Path) -> None:
    """Download the best single-file version of a video.

    Parameters
    ----------
    url : str
        http or https address.
    output : Path
        Where the file belongs, in any container; written whole or not at all.

    Raises
    ------
    ImportError
        If yt-dlp is not installed; the message gives the command that installs it.
    FetchError
        If the download fails, or leaves no file.
    """
    try:
        import yt_dlp
    except ImportError as error:
        raise ImportError(f"rows with a url need yt-dlp; install it: {INSTALL}") from error
    with atomic_output(output) as scratch:
        options = {
            "outtmpl": {"default": str(scratch).replace("%", "%%")},
            # A single file with picture and perhaps sound, so that nothing has to be merged.
            "format": "bestvideo[ext=mp4]/best[ext=mp4]/best",
            "noplaylist": True,
            "quiet": True,
            "no_warnings": True,
            "noprogress": True,
            "overwrites": True,
            "continuedl": False,
            "nopart": True,
            "retries": 3,
        }
        try:
            with yt_dlp.YoutubeDL(options) as downloader:
                downloader.download([url])
        except yt_dlp.utils.YoutubeDLError as error:
            raise FetchError(f"{url}: cannot be fetched ({error})") from error
        if not scratch.is_file():
            raise FetchError(f"{url}: nothing was fetched")
