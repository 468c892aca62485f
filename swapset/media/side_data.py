"""Side data of frames that hold until the next key frame."""

from __future__ import annotations

from av.video.frame import VideoFrame


class SideData:
    """Reads side data of a stream's frames, which are asked about in their order.

    H.264 and HEVC state rotation and stereo layout at key frames only, and decoders attach them to
    these alone; containers state them for all frames.
    """

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}

    def of(self, frame: VideoFrame, kind: str) -> bytes:
        """Return a frame's side data of a kind (PyAV's name of it); empty if there is none."""
        data = frame.side_data.get(kind)
        if data is not None:
            self._held[kind] = bytes(data)
        elif frame.key_frame:
            self._held.pop(kind, None)
        return self._held.get(kind, b"")
