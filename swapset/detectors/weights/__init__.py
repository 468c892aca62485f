"""Readers of weights that detectors' authors published; nothing is unpickled."""
