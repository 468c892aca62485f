"""What detectors look at besides pixels: SRM filters, Laws' energies, parts and pose of a face, patches."""
