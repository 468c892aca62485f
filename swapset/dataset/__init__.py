"""What a dataset consists of: manifest, splits, provenance, tables."""
