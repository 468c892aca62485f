"""The protected version of a video: all but its faces stays as it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from tqdm import tqdm

from swapset.errors import MediaError
from swapset.io.files import atomic_output
from swapset.media.container import open_video
from swapset.media.decode import expected_frames
from swapset.media.edit_frames import FrameEditor
from swapset.media.rewrite import Rewriter
from swapset.media.source import SourceReader
from swapset.media.stream_copy import CopyPlan, plan_rewrite
from swapset.media.timeline import sampled
from swapset.obstruction.protect.faces import FoundFaces, check_found, follow_faces
from swapset.obstruction.protect.measure import Job, Meter
from swapset.types import Image

Timed = tuple[Fraction, VideoFrame, Image]

MEASURED = 50
"""Frames with a face on which the noise is measured."""

_ROUNDED = Fraction(1, 500)  # seconds by which containers round times


def protect_video(source: Path, output: Path, job: Job) -> dict[str, Any]:
    """Write the protected version of a video, whole or not at all; see `protect_file`.

    It is decoded three times, since landmarks are smoothed over time and frames do not fit into
    memory: to find the faces, to put the noise on, and to compare the written file with it. That
    costs little beside the noise.
    """
    with _opened(source) as video:
        plan = plan_rewrite(source, video.container, video.stream, output)
    with atomic_output(output) as scratch:
        scratch.touch()  # where nothing can be written, that is said before the work begins
        found, turn = _found(source, plan, job), 0
        if "upside_down" in found.hints:  # its metadata are wrong, or it lacks them
            turn = int(found.hints["upside_down"])
            found = _found(source, plan, job, turn)
        check_found(source, found)
        protection = _Protection(source, plan, found, job, turn)
        protection.write(scratch)
        protection.check(scratch)
    about = {"kind": "video", "left_out": plan.left_out}
    return found.facts() | about | protection.meter.results()


def _found(source: Path, plan: CopyPlan, job: Job, turn: int = 0) -> FoundFaces:
    """Return the faces of a video that is whole, turned clockwise by `turn` degrees."""
    with _opened(source, turn) as video:
        views = (image for _, _, image in video.frames("finding faces"))
        found = follow_faces(views, fps=float(plan.rate), which=job.which)
        video.check_whole()
    return found


class _Protection:
    """The second half of the work: faces and what is taken over are known."""

    def __init__(
        self, source: Path, plan: CopyPlan, found: FoundFaces, job: Job, turn: int
    ) -> None:
        self._source, self._plan, self._found, self._job = source, plan, found, job
        self._turn = turn
        self.meter: Meter = job.meter()
        seen = found.with_a_face()
        self._measured = {seen[place] for place in sampled(len(seen), MEASURED)}

    def write(self, scratch: Path) -> None:
        """Put noise on the frames and write them beside what is taken over."""
        waiting: deque[Timed] = deque()

        def views(video: _Video) -> Iterator[Image]:
            for each in video.frames("protecting", self._found.frames):
                waiting.append(each)
                yield each[2]

        points = map(self._found.at, range(self._found.frames))
        with _opened(self._source, self._turn) as video, ExitStack() as stack:
            writer: Rewriter | None = None
            for number, noisy in enumerate(self._job.protector.protect(views(video), points)):
                time, frame, clean = waiting.popleft()
                if writer is None:
                    writer = stack.enter_context(self._writer(scratch, video.editor))
                change = noisy.astype(np.int16) - clean
                writer.write(time, video.editor.stored(frame, change if change.any() else None))
                if number in self._measured:
                    self.meter.add("protected", clean, noisy, self._found.at(number))

    def _writer(self, scratch: Path, editor: FrameEditor) -> Rewriter:
        colours, orientation = editor.colours, editor.orientation
        quality = self._job.crf
        return Rewriter(
            scratch, self._plan, colours=colours, orientation=orientation, quality=quality
        )

    def check(self, scratch: Path) -> None:
        """Compare what was written with the source, and measure the noise that is in it.

        Raises
        ------
        MediaError
            If frames are missing or shown at other times.
        """
        with _opened(self._source, self._turn) as one, _opened(scratch, self._turn) as other:
            start: Fraction | None = None
            pairs = zip_longest(one.frames("checking", self._found.frames), other.frames())
            for number, (clean, shown) in enumerate(pairs):
                if clean is None or shown is None:
                    raise MediaError(f"{self._source}: {number} frames were written, not all")
                late = shown[0] - clean[0]
                start = late if start is None else start
                if abs(late - start) > _ROUNDED:
                    raise MediaError(f"{self._source}: frame {number} was written at a wrong time")
                if number in self._measured:
                    self._measure(clean[2], shown[2], number)

    def _measure(self, clean: Image, shown: Image, number: int) -> None:
        # Of odd sizes, a row or column may be missing.
        height, width = (min(pair) for pair in zip(clean.shape[:2], shown.shape[:2], strict=True))
        points = self._found.at(number)
        self.meter.add("written", clean[:height, :width], shown[:height, :width], points)


class _Video:
    """A video that is read from its beginning."""

    def __init__(
        self, path: Path, container: InputContainer, stream: VideoStream, turn: int
    ) -> None:
        self.path, self.container, self.stream, self._turn = path, container, stream, turn
        self._reader = SourceReader(container, stream)
        self._editor: FrameEditor | None = None

    @property
    def editor(self) -> FrameEditor:
        """What turns its frames into RGB; there is none before the first frame."""
        if self._editor is None:
            raise MediaError(f"{self.path}: no frame of it decodes")
        return self._editor

    def frames(self, doing: str = "", total: int | None = None) -> Iterator[Timed]:
        """Yield times in seconds, frames as decoded, and as RGB; with a progress bar if named."""
        total = total or expected_frames(self.container, self.stream)
        name = f"{self.path.name}: {doing}"
        # None: only where somebody sees it.
        quiet = None if doing else True
        for time, frame in tqdm(self._reader, name, total, unit="frame", disable=quiet):
            if self._editor is None:
                self._editor = FrameEditor(self.path, frame, self.stream, turn=self._turn)
            yield time, frame, self._editor.view(frame)

    def check_whole(self) -> None:
        """Refuse what lost frames: nobody would see it in the protected one.

        Raises
        ------
        MediaError
            With their number.
        """
        if not self._reader.frames:
            raise MediaError(f"{self.path}: no frame of it decodes")
        if self._reader.damaged:
            raise MediaError(
                f"{self.path}: {self._reader.damaged} of its frames are damaged or missing; repair "
                "it, or make a new file of what can be played"
            )


@contextmanager
def _opened(path: Path, turn: int = 0) -> Iterator[_Video]:
    with open_video(path) as (container, stream):
        yield _Video(path, container, stream, turn)
