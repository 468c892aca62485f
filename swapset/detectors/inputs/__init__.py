"""Inputs of detectors besides a face crop: SRM residuals, Laws' energies, head pose, patches."""
