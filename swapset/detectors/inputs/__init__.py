"""Inputs of detectors other than a face crop: SRM residuals, Laws' energies, head pose, patches."""
