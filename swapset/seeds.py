"""Seeds: one number from the config, a different one for every job."""

from __future__ import annotations

import hashlib


def derive_seed(seed: int, *names: object) -> int:
    """Return a seed in [0, 2**63) that depends on `seed` and every name, and on nothing else."""
    text = "\0".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
