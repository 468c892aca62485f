"""The screen and the light that HDR videos were made for, by their metadata."""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame

from swapset.media.side_data import bytes_of

_UNKNOWN_PEAK = 1000.0
_DYNAMIC = {
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "DYNAMIC_HDR_VIVID": "HDR Vivid",
    "DOVI_METADATA": "Dolby Vision",
    "DOVI_RPU_BUFFER": "Dolby Vision",
}
"""Side data that changes from frame to frame, and that no encoder here can write."""


def peak_of(frame: VideoFrame) -> float:
    """Return the brightest light of an HDR video by its metadata, in cd/m²; 1,000 if unknown."""
    brightest, _ = _light_levels(frame)
    screen = _mastering(frame)
    return float(brightest or (screen[9] if screen else 0) or _UNKNOWN_PEAK)


def dynamic_metadata(frame: VideoFrame) -> list[str]:
    """Return descriptions of a frame's HDR metadata that change from frame to frame."""
    found = {name for kind, name in _DYNAMIC.items() if bytes_of(frame, kind)}
    return [f"{name}, light levels that change from frame to frame" for name in sorted(found)]


def x264_parameters(frame: VideoFrame) -> str:
    """Return the parameters by which x264 writes a frame's static HDR metadata; maybe empty."""
    words = []
    screen = _mastering(frame)
    if screen:
        red, green, blue, white = (
            f"({50_000 * screen[place]:.0f},{50_000 * screen[place + 1]:.0f})"
            for place in (0, 2, 4, 6)
        )
        light = f"({10_000 * screen[9]:.0f},{10_000 * screen[8]:.0f})"
        words.append(f"mastering-display=G{green}B{blue}R{red}WP{white}L{light}")
    most, average = _light_levels(frame)
    if most or average:
        words.append(f"cll={most},{average}")
    return ":".join(words)


def _light_levels(frame: VideoFrame) -> tuple[int, int]:
    """Return MaxCLL and MaxFALL in cd/m²; 0 = unknown."""
    data = bytes_of(frame, "CONTENT_LIGHT_LEVEL")
    most, average = np.frombuffer(data[:8] or bytes(8), np.uint32).tolist()
    return most, average


def _mastering(frame: VideoFrame) -> list[float]:
    """Return x and y of red, green, blue and white, the least and the most light; or nothing.

    The struct AVMasteringDisplayMetadata: ten fractions, then two numbers that tell whether the
    first eight and the last two are known.
    """
    numbers = np.frombuffer(bytes_of(frame, "MASTERING_DISPLAY_METADATA"), np.int32)
    if len(numbers) < 22 or not numbers[20] or not numbers[21]:
        return []
    over, under = numbers[:20:2].astype(float), numbers[1:20:2].astype(float)
    return (over / np.where(under == 0, 1, under)).tolist()
