"""Labelled faces: WFLW, 300-W, CSV files, and the build's own clips."""
