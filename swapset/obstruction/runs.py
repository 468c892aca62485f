"""Length of a run of key frames. Imports nothing, because planning needs it too."""

from __future__ import annotations

RUN_FRAMES = 15
"""Number of consecutive key frames in a run: half a second."""
