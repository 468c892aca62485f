"""Parts of a dataset: manifest, selection, splits, labels, videos, provenance and tables."""
