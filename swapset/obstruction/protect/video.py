"""Write the protected version of a video; everything but its faces is copied."""

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

from swapset.errors import MediaError
from swapset.faces.align import MEAN_FACE
from swapset.io.files import atomic_output
from swapset.media.container import open_video
from swapset.media.decode import expected_frames
from swapset.media.edit_frames import FrameEditor
from swapset.media.rewrite import Rewriter
from swapset.media.source import SourceReader
from swapset.media.stream_copy import CopyPlan, plan_rewrite
from swapset.media.timeline import sampled
from swapset.obstruction.protect.faces import (
    SMALLEST,
    FoundFaces,
    check_found,
    follow_faces,
    search_work,
)
from swapset.obstruction.protect.measure import Job, Meter
from swapset.obstruction.protect.progress import Progress
from swapset.types import Image

Timed = tuple[Fraction, VideoFrame, Image]
"""Time in seconds, the frame as decoded, and as (H, W, 3) uint8 RGB."""

FINDING, PROTECTING, CHECKING = "finding faces", "protecting", "checking"

MEASURED = 50
"""Largest number of frames with a face on which the noise is measured."""

_ROUNDED = Fraction(1, 500)  # containers round times by up to so many seconds


def protect_video(source: Path, output: Path, job: Job) -> dict[str, Any]:
    """Write the protected version of a video, whole or not at all.

    Decodes the video three times: to find the faces, to add the noise, and to compare the written
    file with it. Landmarks are smoothed over time, and all frames do not fit into memory. Decoding
    costs little compared with the noise.

    Parameters
    ----------
    source : Path
    output : Path
        Its extension gives the container.
    job : Job

    Returns
    -------
    dict
        See `swapset.obstruction.protect.files.protect_file`.

    Raises
    ------
    DataError
        If no face is found.
    MediaError
        If the source is damaged or of an unknown format, or the output cannot be written.
    """
    progress = Progress(source.name)
    with _opened(source) as video:
        plan = plan_rewrite(source, video.container, video.stream, output)
        size, total = (video.stream.height, video.stream.width), video.expected
    with atomic_output(output) as scratch:
        scratch.touch()  # report a folder that cannot be written to before the work begins
        costs = _costs(job, size)
        _expect(progress, costs, total or 0, total or 0)
        (faces, notes), turn = _find_faces(source, plan, job, progress), 0
        if "upside_down" in faces.hints:  # orientation metadata are wrong or missing
            turn = int(faces.hints["upside_down"])
            faces, notes = _find_faces(source, plan, job, progress, turn)
        check_found(source, faces)
        _expect(
            progress,
            costs,
            faces.work(job.protector.restart)(faces.frames),
            len(faces.with_a_face()),
        )
        protection = _Protection(source, plan, faces, job, progress, turn)
        protection.write(scratch)
        protection.check(scratch)
        progress.close(faces.frames)
    about = {"kind": "video", "left_out": plan.left_out + notes}
    return faces.facts() | about | protection.meter.results()


def _costs(job: Job, size: tuple[int, int]) -> tuple[float, float]:
    """Return the seconds that noise on a face and measuring it take, by trials.

    The face of the trials is half as high as the frames of this height and width.
    """
    side = min(max(min(size), 2 * SMALLEST), 1024)  # sizes in headers may be anything
    image = np.full((side, side, 3), 127, np.uint8)
    image[::2] = 63
    points = np.asarray((MEAN_FACE + 0.5) * side / 2, np.float32)
    return job.protector.seconds(image, points), job.meter().seconds(image, points)


def _expect(progress: Progress, costs: tuple[float, float], work: float, seen: int) -> None:
    """Set the expected seconds of the later passes, for a number of faces and of frames with one.

    The first frame of a face counts as often as it takes longer than others.
    """
    measuring = costs[1] * min(seen, MEASURED)
    progress.expect(**{PROTECTING: work * costs[0] + measuring, CHECKING: measuring})


def _find_faces(
    source: Path, plan: CopyPlan, job: Job, progress: Progress, turn: int = 0
) -> tuple[FoundFaces, list[str]]:
    """Find the faces of a video turned clockwise by `turn` degrees; refuse a damaged video.

    The second value says what the video lacks at its ends, see `SourceReader.notes`.
    """
    with _opened(source, turn) as video:
        timed = progress.frames(video.frames(), FINDING, video.expected, search_work)
        views = (image for _, _, image in timed)
        faces = follow_faces(views, fps=float(plan.rate), which=job.which)
        return faces, video.check_whole()


class _Protection:
    """Adds the noise to a video and checks the written file, once the faces are known."""

    def __init__(
        self,
        source: Path,
        plan: CopyPlan,
        faces: FoundFaces,
        job: Job,
        progress: Progress,
        turn: int,
    ) -> None:
        self._source, self._plan, self._faces, self._job = source, plan, faces, job
        self._progress, self._turn = progress, turn
        self.meter: Meter = job.meter()
        seen = faces.with_a_face()
        self._measured = {seen[place] for place in sampled(len(seen), MEASURED)}

    def write(self, scratch: Path) -> None:
        """Add noise to the frames and write them, with the streams that are copied."""
        waiting: deque[Timed] = deque()

        def views(video: _Video) -> Iterator[Image]:
            work = self._faces.work(self._job.protector.restart)
            for each in self._progress.frames(video.frames(), PROTECTING, self._faces.frames, work):
                waiting.append(each)
                yield each[2]

        points = map(self._faces.at, range(self._faces.frames))
        with _opened(self._source, self._turn) as video, ExitStack() as stack:
            writer: Rewriter | None = None
            for number, noisy in enumerate(self._job.protector.protect(views(video), points)):
                time, frame, clean = waiting.popleft()
                if writer is None:
                    writer = stack.enter_context(self._writer(scratch, video.editor))
                change = noisy.astype(np.int16) - clean
                writer.write(time, video.editor.stored(frame, change if change.any() else None))
                if number in self._measured:
                    points_here = self._faces.at(number)
                    self.meter.add("protected", clean, noisy, points_here, number=number)

    def _writer(self, scratch: Path, editor: FrameEditor) -> Rewriter:
        self._plan.left_out.extend(editor.left_out)
        return Rewriter(
            scratch,
            self._plan,
            colours=editor.colours,
            orientation=editor.orientation,
            quality=self._job.crf,
            field_order=editor.field_order,
            hdr=editor.hdr,
        )

    def check(self, scratch: Path) -> None:
        """Compare the written file with the source, and measure its noise.

        Raises
        ------
        MediaError
            If frames are missing or shown at other times.
        """
        with _opened(self._source, self._turn) as one, _opened(scratch, self._turn) as other:
            start: Fraction | None = None
            pairs = self._progress.frames(
                zip_longest(one.frames(), other.frames()), CHECKING, self._faces.frames
            )
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
        # Where a side is odd, the written frame may lack its last row or column.
        height, width = (min(pair) for pair in zip(clean.shape[:2], shown.shape[:2], strict=True))
        points = self._faces.at(number)
        one, other = clean[:height, :width], shown[:height, :width]
        self.meter.add("written", one, other, points, number=number)


class _Video:
    """An open video, read from its beginning."""

    def __init__(
        self, path: Path, container: InputContainer, stream: VideoStream, turn: int
    ) -> None:
        self.path, self.container, self.stream, self._turn = path, container, stream, turn
        self._reader = SourceReader(container, stream)
        self._editor: FrameEditor | None = None

    @property
    def editor(self) -> FrameEditor:
        """Return the converter of its frames to RGB; it exists from the first frame on."""
        if self._editor is None:
            raise MediaError(f"{self.path}: no frame of it decodes")
        return self._editor

    @property
    def expected(self) -> int | None:
        """Return the number of frames that the file states, if it does."""
        return expected_frames(self.container, self.stream)

    def frames(self) -> Iterator[Timed]:
        """Yield all frames."""
        for time, frame in self._reader:
            if self._editor is None:
                self._editor = FrameEditor(self.path, frame, self.stream, turn=self._turn)
            self._editor.check(frame)
            yield time, frame, self._editor.view(frame)

    def check_whole(self) -> list[str]:
        """Raise an error if frames are damaged or missing; the protected file would hide it.

        Returns what the video lacks at its ends, in words.

        Raises
        ------
        MediaError
            With the number of such frames.
        """
        if not self._reader.frames:
            raise MediaError(f"{self.path}: no frame of it decodes")
        if self._reader.damaged:
            raise MediaError(
                f"{self.path}: {self._reader.damaged} of its frames are damaged or missing; repair "
                "it, or make a new file of what can be played"
            )
        if self._reader.early:
            raise MediaError(
                f"{self.path}: is damaged or missing its end: it stops {self._reader.early:.1f} s "
                "before the end that its header states; make a new file of what can be played"
            )
        return self._reader.notes()


@contextmanager
def _opened(path: Path, turn: int = 0) -> Iterator[_Video]:
    with open_video(path) as (container, stream):
        yield _Video(path, container, stream, turn)
