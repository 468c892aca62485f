"""Face swaps: networks, training, colour, blending, synthesis."""
