"""What the Snakefile knows of models that are trained on protected clips. Light to import."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from swapset.build.build import Build
from swapset.build.landmark_breaker import LandmarkBreakerPlan
from swapset.dataset.selection import pair_name
from swapset.obstruction.attacks.registry import ATTACKS, CLEAN, DONOR, TARGET


class ProtectedPlan:
    """Pairs whose models are trained again, on clips of one of the two that carry noise.

    Somebody gathers the protected person's clips, finds landmarks in them, and trains the pair's
    model on faces that are aligned by these. The clips of the other, the *partner*, are clean.
    With attack `none` the clips are clean as well, and all else is the same.

    Parameters
    ----------
    build : Build
    breaker : LandmarkBreakerPlan
    """

    def __init__(self, build: Build, breaker: LandmarkBreakerPlan):
        self._build, self._breaker = build, breaker
        own = breaker.settings
        self.attacks = list(dict.fromkeys([CLEAN, *own.protected_attacks]))
        self.extractor = own.protected_extractor or breaker.reference

    @cached_property
    def pairs(self) -> dict[str, str]:
        """Return the protected person of each pair, by the pair's name."""
        found: dict[str, str] = {}
        for subject in [] if self._breaker.why_not else self._breaker.subjects:
            found.setdefault(pair_name(subject, self._breaker.donor(subject)), subject)
        return dict(list(found.items())[: self._breaker.settings.protected_pairs])

    def folder(self, attack: str, source: str) -> str:
        """Return where everything of one attack lies, in the form of a build's own results."""
        return f"{self._build.root}/obstruction/protected/{attack}/{source}"

    def victim(self, one: str, other: str) -> str:
        """Return which of a pair's two people is protected."""
        return self.pairs[pair_name(one, other)]

    def of(self, attack: str, source: str, kind: str, subject: str, beside: str) -> str:
        """Return a subject's folder of one kind: with noise, or clean for the partner.

        Parameters
        ----------
        attack, source : str
        kind : {"clips", "landmarks", "faces"}
        subject, beside : str
            The subject, and the other of the pair.
        """
        protected = subject == self.victim(subject, beside)
        root = self.folder(attack, source) if protected else self._build.root
        return f"{root}/{kind}/{subject}"

    def followed(self, attack: str, source: str) -> list[str]:
        """Return the files of the extractors that the noise follows; first the one that finds."""
        return [self._breaker.extractor(name) for name in self._followed(attack, source)]

    def modules(self, attack: str, source: str) -> list[str]:
        """Return the modules of an attack and of the extractors that its noise follows."""
        return self._breaker.modules(*self._followed(attack, source), attack=attack)

    def _followed(self, attack: str, source: str) -> list[str]:
        if attack == CLEAN:
            return []
        others = [name for name in self._breaker.extractors if name != source]
        return [source, *others] if ATTACKS.find(attack).traits["several"] else [source]

    def faces(self, attack: str, source: str, pair: str) -> list[str]:
        """Return the aligned faces that a pair is trained on."""
        one, other = pair.split("-")
        return [
            self.of(attack, source, "faces", one, other),
            self.of(attack, source, "faces", other, one),
        ]

    def model(self, attack: str, source: str, one: str, other: str) -> dict[str, str]:
        """Return the files of the pair's model that was trained with an attack's clips."""
        recipe = self._build.model_recipe(self._breaker.method)
        path = f"{self.folder(attack, source)}/models/{recipe}/{pair_name(one, other)}"
        return {"model": f"{path}.safetensors", "card": f"{path}.json"}

    def fakes(self, target: str, donor: str) -> list[str]:
        """Return the names of the fakes of all clips of a target."""
        return [
            f"{target}_{donor}_{clip.partition('_')[2]}" for clip in self._build.manifest.of(target)
        ]

    def fake_files(
        self, attack: str, source: str, target: str, donor: str, ending: str
    ) -> list[str]:
        """Return a path for each of these fakes: `ending` is of "mp4" or "parquet"."""
        room = "dataset/{}/original" if ending == "mp4" else "labels/{}"
        folder = f"{self.folder(attack, source)}/{room.format(self._breaker.method)}"
        return [f"{folder}/{name}.{ending}" for name in self.fakes(target, donor)]

    def parts(self) -> list[dict[str, Any]]:
        """Return what is compared: each attack, and the protected person as donor and as target."""
        return [
            {
                "attack": attack,
                "source": self.extractor,
                "method": self._breaker.method,
                "target": target,
                "donor": donor,
                "role": role,
            }
            for victim, partner in self._people()
            for target, donor, role in ((partner, victim, DONOR), (victim, partner, TARGET))
            for attack in self.attacks
        ]

    def _people(self) -> Iterator[tuple[str, str]]:
        for pair, victim in self.pairs.items():
            one, other = pair.split("-")
            yield victim, other if victim == one else one

    def scores(self) -> list[str]:
        """Return the file of scores of each part."""
        return [
            f"{self.folder(part['attack'], part['source'])}/quality/"
            f"{part['target']}_{part['donor']}.csv"
            for part in self.parts()
        ]

    def pictured(self) -> list[str]:
        """Return every file and folder that the figure of these models may show."""
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

    def found(self, kind: str) -> list[str]:
        """Return the protected people's folders of one kind, "clips", "landmarks" or "faces"."""
        return [
            f"{self.folder(attack, self.extractor)}/{kind}/{victim}"
            for victim in self.pairs.values()
            for attack in self.attacks
        ]

    def results(self) -> list[str]:
        """Return the table and the figure; nothing where no pair is trained again."""
        root = self._build.root
        names = ("tables/protected_training.csv", "figures/protected_training.png")
        return [f"{root}/{name}" for name in names] if self.pairs else []
