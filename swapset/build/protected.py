"""The plan of models that are trained on protected clips. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from swapset.build.build import Build
from swapset.build.landmark_breaker import LandmarkBreakerPlan
from swapset.dataset.selection import pair_name
from swapset.obstruction.attacks.registry import ATTACKS, CLEAN, DONOR, TARGET


class ProtectedPlan:
    """Pairs whose models are trained again with noise on the clips of one person.

    The threat: somebody gathers the protected person's clips, finds landmarks in them, aligns the
    faces by these and trains the pair's model. The clips of the other person, the *partner*, are
    clean. For comparison, attack `none` does the same with clean clips of both.

    Parameters
    ----------
    build : Build
    breaker : LandmarkBreakerPlan
    """

    def __init__(self, build: Build, breaker: LandmarkBreakerPlan):
        self._build, self._breaker = build, breaker
        settings = breaker.settings
        self.attacks = list(dict.fromkeys([CLEAN, *settings.protected_attacks]))
        self.extractor = settings.protected_extractor or breaker.reference

    @cached_property
    def pairs(self) -> dict[str, str]:
        """Return the protected person of each pair, by the pair's name."""
        people: dict[str, str] = {}
        for subject in [] if self._breaker.why_not else self._breaker.subjects:
            people.setdefault(pair_name(subject, self._breaker.donor(subject)), subject)
        return dict(list(people.items())[: self._breaker.settings.protected_pairs])

    def folder(self, attack: str, source: str) -> str:
        """Return the folder of all files of one attack; inside, it is laid out like a build."""
        return f"{self._build.root}/obstruction/protected/{attack}/{source}"

    def protected_person(self, one: str, other: str) -> str:
        """Return the protected person of a pair."""
        return self.pairs[pair_name(one, other)]

    def folder_of(self, attack: str, source: str, kind: str, subject: str, other: str) -> str:
        """Return a subject's folder of one kind: with noise, or clean for the partner.

        Parameters
        ----------
        attack, source : str
        kind : {"clips", "landmarks", "faces"}
        subject, other : str
            The subject, and the other person of the pair.
        """
        protected = subject == self.protected_person(subject, other)
        root = self.folder(attack, source) if protected else self._build.root
        return f"{root}/{kind}/{subject}"

    def extractor_files(self, attack: str, source: str) -> list[str]:
        """Return the files of the extractors that the noise follows.

        The first one also finds the landmarks in the clips.
        """
        return [self._breaker.extractor(name) for name in self._followed(attack, source)]

    def modules(self, attack: str, source: str) -> list[str]:
        """Return the modules of an attack and of the extractors that its noise follows."""
        if attack == CLEAN:
            return []
        return self._breaker.modules(*self._followed(attack, source), attack=attack)

    def _followed(self, attack: str, source: str) -> list[str]:
        if attack == CLEAN:
            return []
        others = [name for name in self._breaker.extractors if name != source]
        return [source, *others] if ATTACKS.find(attack).traits["several"] else [source]

    def faces(self, attack: str, source: str, pair: str) -> list[str]:
        """Return the folders of aligned faces that a pair is trained on.

        Parameters
        ----------
        attack, source : str
        pair : str
            The two people, joined by "-".
        """
        one, other = pair.split("-")
        return [
            self.folder_of(attack, source, "faces", one, other),
            self.folder_of(attack, source, "faces", other, one),
        ]

    def model(self, attack: str, source: str, one: str, other: str) -> dict[str, str]:
        """Return the paths of the pair's model that was trained on an attack's clips, and its card.

        Parameters
        ----------
        attack, source : str
        one, other : str
            The two people, in any order.
        """
        recipe = self._build.model_recipe(self._breaker.method)
        path = f"{self.folder(attack, source)}/models/{recipe}/{pair_name(one, other)}"
        return {"model": f"{path}.safetensors", "card": f"{path}.json"}

    def fakes(self, target: str, donor: str) -> list[str]:
        """Return the names of the fakes of all clips of a target, with one donor."""
        return [
            f"{target}_{donor}_{clip.partition('_')[2]}" for clip in self._build.manifest.of(target)
        ]

    def fake_files(
        self, attack: str, source: str, target: str, donor: str, ending: str
    ) -> list[str]:
        """Return the files of the fakes of all clips of a target.

        Parameters
        ----------
        attack, source, target, donor : str
        ending : {"mp4", "parquet"}
            The videos or their labels.
        """
        place = "dataset/{}/original" if ending == "mp4" else "labels/{}"
        folder = f"{self.folder(attack, source)}/{place.format(self._breaker.method)}"
        return [f"{folder}/{name}.{ending}" for name in self.fakes(target, donor)]

    def parts(self) -> list[dict[str, Any]]:
        """Return the rows of the comparison: each attack with the protected person in each role."""
        return [
            {
                "attack": attack,
                "source": self.extractor,
                "method": self._breaker.method,
                "target": target,
                "donor": donor,
                "role": role,
            }
            for person, partner in self._people()
            for target, donor, role in ((partner, person, DONOR), (person, partner, TARGET))
            for attack in self.attacks
        ]

    def _people(self) -> Iterator[tuple[str, str]]:
        """Yield the protected person and the partner of each pair."""
        for pair, person in self.pairs.items():
            one, other = pair.split("-")
            yield person, other if person == one else one

    def scores(self) -> list[str]:
        """Return the file of scores of each part."""
        return [
            f"{self.folder(part['attack'], part['source'])}/quality/"
            f"{part['target']}_{part['donor']}.csv"
            for part in self.parts()
        ]

    def figure_inputs(self) -> list[str]:
        """Return all files and folders that the figure of these models may show."""
        root = self._build.root
        targets = dict.fromkeys(part["target"] for part in self.parts())
        return [
            f"{root}/{kind}/{target}" for target in targets for kind in ("clips", "landmarks")
        ] + [
            path
            for part in self.parts()
            for ending in ("mp4", "parquet")
            for path in self.fake_files(
                part["attack"], part["source"], part["target"], part["donor"], ending
            )
        ]

    def folders(self, kind: str) -> list[str]:
        """Return the protected people's folders of one kind, "clips", "landmarks" or "faces"."""
        return [
            f"{self.folder(attack, self.extractor)}/{kind}/{person}"
            for person in self.pairs.values()
            for attack in self.attacks
        ]

    def results(self) -> list[str]:
        """Return the table and the figure; empty if no pair is trained again."""
        root = self._build.root
        names = ("tables/protected_training.csv", "figures/protected_training.png")
        return [f"{root}/{name}" for name in names] if self.pairs else []
