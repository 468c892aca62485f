"""Plug-ins for swapset: a detector, an attack, an extractor and a dataset layout."""
