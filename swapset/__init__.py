"""swapset builds, scores and protects face-swap detection datasets."""

__version__ = "0.2.0"
