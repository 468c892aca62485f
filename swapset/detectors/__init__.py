"""Published detectors of face swaps behind one interface, and what trains and tests them."""
