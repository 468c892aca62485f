"""Compare two builds: their configs, and all tables on what both have."""
