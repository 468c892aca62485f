"""Published detectors of face swaps behind one interface, with their training and scoring."""
