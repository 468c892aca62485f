"""Public datasets as they lie on disk: one module per family, all read into the same record."""
