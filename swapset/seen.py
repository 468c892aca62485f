"""The people who are seen in items, such as the target and the donor of a fake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from swapset.types import Floats

Ints = npt.NDArray[np.int64]
Names = Sequence[str] | npt.NDArray[np.object_]
FEW = 8
"""With fewer independent people, intervals are over videos or fakes, and labelled so."""


@dataclass(frozen=True)
class Seen:
    """The people in each of k items: videos, frames or fakes.

    Attributes
    ----------
    names : Index
        Names of the n people.
    first : (k,) int64
        Number of each item's person; of a fake's target.
    second : (k,) int64
        Number of a fake's donor; -1 if there is none, or it is the same person.
    """

    names: pd.Index
    first: Ints
    second: Ints

    @classmethod
    def of(cls, first: Names, second: Names) -> Seen:
        """Return the people of items, by name.

        Parameters
        ----------
        first, second : sequence or (k,) array of str
            The person of each item or a fake's target, and its donor or "".
        """
        known = [np.asarray(part, dtype=object) for part in (first, second)]
        codes, names = pd.factorize(np.concatenate(known), sort=True)
        one, other = codes[: len(known[0])], codes[len(known[0]) :]
        alone = (np.asarray(known[1]) == "") | (one == other)
        used, numbers = np.unique(
            np.concatenate([one, other[~alone]]).astype(np.int64), return_inverse=True
        )
        partner = np.full(len(one), -1, np.int64)
        partner[~alone] = numbers[len(one) :]
        return cls(pd.Index(names[used]), numbers[: len(one)].astype(np.int64), partner)

    def __len__(self) -> int:
        return len(self.names)

    def take(self, items: npt.NDArray[np.int64]) -> Seen:
        """Return the people of chosen items (m,) int64, in that order; numbers stay the same."""
        part = Seen(self.names, self.first[items], self.second[items])
        names, numbers = self.pairs
        part.__dict__["pairs"] = names, numbers[items]  # naming pairs anew would be slow
        return part

    def sums(self, values: Floats) -> Floats:
        """Return the sum (n,) float64 of the items (k,) float64 that show each person."""
        both = self.second >= 0
        return np.asarray(
            np.bincount(self.first, values, len(self))
            + np.bincount(self.second[both], values[both], len(self))
        )

    @cached_property
    def pairs(self) -> tuple[pd.Index, Ints]:
        """Return the pairs of people who share items, and each item's pair (k,) int64 or -1."""
        both = self.second >= 0
        low = np.minimum(self.first, self.second)[both]
        high = np.maximum(self.first, self.second)[both]
        keys, inverse = np.unique(low * len(self) + high, return_inverse=True)
        numbers = np.full(len(self.first), -1, np.int64)
        numbers[both] = inverse
        low_names, high_names = self.names[keys // len(self)], self.names[keys % len(self)]
        return pd.Index([f"{a}\0{b}" for a, b in zip(low_names, high_names, strict=True)]), numbers

    @cached_property
    def independent(self) -> int:
        """Return the number of people who are seen, or of groups that share no fake if that is 8.

        Degrees of freedom count these. With fewer groups than 8, people of one group still differ,
        and people count.
        """
        both = self.second >= 0
        seen = np.unique(np.concatenate([self.first, self.second[both]]))
        ones = np.ones(int(both.sum()))
        size = (len(self), len(self))
        graph = coo_array((ones, (self.first[both], self.second[both])), shape=size)
        labels = connected_components(graph, directed=False)[1]
        groups = len(np.unique(labels[seen]))
        return groups if groups >= FEW else len(seen)


def units(people: Seen, items: Sequence[str]) -> tuple[Seen, str]:
    """Return what intervals are taken over, and its name for tables.

    Parameters
    ----------
    people : Seen
    items : sequence of k str
        Names of the items.

    Returns
    -------
    Seen
        As given, or each item as a person of its own if the people are fewer than `FEW`.
    str
        "people" or "fakes".
    """
    if len(people) >= FEW:
        return people, "people"
    return Seen.of(items, [""] * len(items)), "fakes"
