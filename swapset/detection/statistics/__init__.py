"""Statistics of detectors' scores, with people as what is independent."""
