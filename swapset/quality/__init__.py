"""Measures of visual quality and identity."""
