"""Select the fakes to make: pairs of subjects, and donors for the chosen clips.

Standard library only, because the Snakefile calls it.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from swapset.dataset.manifest import Manifest, natural_key
from swapset.errors import ConfigError, ManifestError
from swapset.io.names import on_disk
from swapset.io.tables import read_table
from swapset.seeds import derive_seed


@dataclass(frozen=True)
class Swap:
    """One fake to make: the target's clip gets the donor's face."""

    target: str
    donor: str
    number: str

    @property
    def name(self) -> str:
        """Return the fake's name, `idT_idD_NNNN`."""
        return f"{self.target}_{self.donor}_{self.number}"

    @property
    def clip(self) -> str:
        """Return the name of the target's clip."""
        return f"{self.target}_{self.number}"

    @property
    def pair(self) -> str:
        """Return the name of the pair of subjects, which share one model."""
        return pair_name(self.target, self.donor)


def pair_name(one: str, other: str) -> str:
    """Return the name of a pair, the same for both directions: `idA-idB`, A before B."""
    return "-".join(sorted((one, other), key=natural_key))


def allowed_pairs(manifest: Manifest, pairs: str | Sequence[Sequence[str]]) -> set[str]:
    """Return the names of the pairs that may be swapped.

    Raises
    ------
    ConfigError
        If a listed subject has no clip, or is paired with itself.
    """
    if pairs == "all":
        return {pair_name(*both) for both in itertools.combinations(manifest.subjects, 2)}
    names = set()
    for one, other in pairs:
        for subject in (one, other):
            if subject not in manifest.subjects:
                raise ConfigError(f"pairs: subject {subject!r} has no clip in the manifest")
        if one == other:
            raise ConfigError(f"pairs: {one!r} is paired with itself")
        names.add(pair_name(one, other))
    return names


def read_swaps(path: Path, manifest: Manifest, allowed: set[str]) -> list[Swap]:
    """Read the fakes to make from a CSV file with the columns `clip,donor`.

    Parameters
    ----------
    path : Path
        The file.
    manifest : Manifest
        All clips.
    allowed : set of str
        Names of the pairs that may be swapped.

    Returns
    -------
    list of Swap
        In the order of the file.

    Raises
    ------
    ManifestError
        If a row is wrong; the message names the line of the first one.
    """
    swaps: dict[Swap, int] = {}
    for line, row in read_table(on_disk(path), ("clip", "donor"), (), ManifestError):
        where = f"{path}, line {line}"
        if row["clip"] not in manifest.clips:
            raise ManifestError(f"{where}: clip {row['clip']!r} is not in the manifest")
        if row["donor"] not in manifest.subjects:
            raise ManifestError(f"{where}: donor {row['donor']!r} has no clip in the manifest")
        clip = manifest.clips[row["clip"]]
        swap = Swap(clip.subject, row["donor"], clip.number)
        if swap.target == swap.donor:
            raise ManifestError(f"{where}: {swap.donor!r} would get its own face")
        if swap.pair not in allowed:
            raise ManifestError(f"{where}: pair {swap.pair} is not among the config's 'pairs'")
        if swap in swaps:
            raise ManifestError(f"{where}: the same swap is already in line {swaps[swap]}")
        swaps[swap] = line
    return list(swaps)


def draw_swaps(
    manifest: Manifest, allowed: set[str], per_clip: float | str, seed: int
) -> list[Swap]:
    """Draw the fakes to make, round(clips * per_clip) of them, spread evenly.

    Every clip gets the whole part of `per_clip`; the remaining fakes go to clips drawn from one
    subject after another. A subject's donors are taken in turn from a shuffled list, so that all
    of its pairs are used once before any is used again.

    Parameters
    ----------
    manifest : Manifest
        All clips.
    allowed : set of str
        Names of the pairs that may be swapped.
    per_clip : float or str
        Fakes per clip; "all" for every allowed donor.
    seed : int
        Seed of the draw.

    Returns
    -------
    list of Swap
        By subject and clip.
    """
    rng = random.Random(derive_seed(seed, "swaps"))  # noqa: S311 - a draw, not a secret
    donors = {
        subject: [
            other
            for other in manifest.subjects
            if other != subject and pair_name(subject, other) in allowed
        ]
        for subject in manifest.subjects
    }
    quota = _quotas(manifest, donors, per_clip, rng)
    swaps = []
    for subject in manifest.subjects:
        deck = donors[subject]
        rng.shuffle(deck)
        dealt = itertools.cycle(deck)
        for clip in manifest.of(subject):
            chosen = list(itertools.islice(dealt, quota[clip]))
            swaps += [Swap(subject, donor, manifest.clips[clip].number) for donor in chosen]
    return swaps


def _quotas(
    manifest: Manifest, donors: dict[str, list[str]], per_clip: float | str, rng: random.Random
) -> dict[str, int]:
    """Return the number of fakes of each clip, at most one per donor."""
    if not isinstance(per_clip, int | float):
        return {name: len(donors[clip.subject]) for name, clip in manifest.clips.items()}
    usable = [subject for subject in manifest.subjects if donors[subject]]
    whole, total = int(per_clip), round(per_clip * sum(len(manifest.of(s)) for s in usable))
    quota = dict.fromkeys(manifest.clips, 0)
    queues = {}
    for subject in usable:
        for clip in manifest.of(subject):
            quota[clip] = min(whole, len(donors[subject]))
        queues[subject] = rng.sample(manifest.of(subject), len(manifest.of(subject)))
    # Give the rest to one clip of each subject in turn, as long as a clip has an unused donor.
    rest = total - sum(quota.values())
    while rest > 0 and any(queues.values()):
        for subject in usable:
            if rest > 0 and queues[subject]:
                clip = queues[subject].pop()
                if quota[clip] < len(donors[subject]):
                    quota[clip] += 1
                    rest -= 1
    return quota
