"""The embedded demo: clips made from two public-domain portraits."""
