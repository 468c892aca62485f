"""swapset builds, scores and protects face-swap detection datasets."""

__version__ = "0.1.0"
