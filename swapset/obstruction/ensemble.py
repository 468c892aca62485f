"""Several extractors that look at the same frames."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from swapset.obstruction.attacks.on_frames import OnFrames


class Ensemble:
    """Extractors for an attack that follows all of them, see `swapset.obstruction.attacks.robust`.

    Parameters
    ----------
    members : sequence of OnFrames
        At least one; the mask of the first one counts.
    """

    def __init__(self, members: Sequence[OnFrames]):
        if not members:
            raise ValueError("an ensemble needs at least one extractor")
        self.members = list(members)

    @property
    def mask(self) -> Tensor | None:
        """Return where noise may be, see `OnFrames`."""
        return self.members[0].mask

    def window(self, height: int, width: int) -> tuple[slice, slice]:
        """Return the rows and columns of frames (H × W) that any member looks at."""
        windows = [member.window(height, width) for member in self.members]
        rows, columns = zip(*windows, strict=True)
        return _all(rows), _all(columns)

    def within(self, rows: slice, columns: slice) -> Ensemble:
        """Return the same for a part of the frames."""
        return Ensemble([member.within(rows, columns) for member in self.members])


def _all(parts: Sequence[slice]) -> slice:
    return slice(min(part.start for part in parts), max(part.stop for part in parts))
