"""Video files: probe, decode, encode, ingest, recompress."""
