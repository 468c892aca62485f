"""Several extractors applied to the same frames."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from swapset.obstruction.attacks.on_frames import OnFrames


class Ensemble:
    """Extractors attacked together, see `swapset.obstruction.attacks.robust`.

    Parameters
    ----------
    members : sequence of OnFrames
        At least one. The mask of the first one applies to all.

    Raises
    ------
    ValueError
        If there is no member.
    """

    def __init__(self, members: Sequence[OnFrames]):
        if not members:
            raise ValueError("an ensemble needs at least one extractor")
        self.members = list(members)

    @property
    def mask(self) -> Tensor | None:
        """Return the mask of the noise, as `OnFrames` takes it, or None."""
        return self.members[0].mask

    def window(self, height: int, width: int) -> tuple[slice, slice]:
        """Return the rows and columns of frames (H × W) that hold every member's crops."""
        windows = [member.window(height, width) for member in self.members]
        rows, columns = zip(*windows, strict=True)
        return _all(rows), _all(columns)

    def within(self, rows: slice, columns: slice) -> Ensemble:
        """Return the same ensemble for frames cut to these rows and columns."""
        return Ensemble([member.within(rows, columns) for member in self.members])


def _all(parts: Sequence[slice]) -> slice:
    return slice(min(part.start for part in parts), max(part.stop for part in parts))
