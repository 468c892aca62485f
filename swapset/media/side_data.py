"""Side data of frames that hold until the next key frame."""

from __future__ import annotations

from typing import Any

from av.video.frame import VideoFrame


def bytes_of(frame: VideoFrame, kind: str) -> bytes:
    """Return a frame's side data of a kind (PyAV's name of it); empty if there is none."""
    data: Any = frame.side_data.get(kind)
    return b"" if data is None else bytes(data)


class SideData:
    """Reads side data of a stream's frames, which are asked about in their order.

    H.264 and HEVC state rotation and stereo layout at key frames only, and decoders attach them to
    these alone; containers state them for all frames.
    """

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}

    def of(self, frame: VideoFrame, kind: str) -> bytes:
        """Return the side data of a kind that hold for a frame; empty if there are none."""
        data = bytes_of(frame, kind)
        if data:
            self._held[kind] = data
        elif frame.key_frame:
            self._held.pop(kind, None)
        return self._held.get(kind, b"")
