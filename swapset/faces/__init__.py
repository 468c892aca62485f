"""Faces in clips: detect, follow, smooth, accept, align, mask."""
