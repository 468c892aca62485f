"""Check the names that a run is asked for, before Snakemake plans it, and find the nearest ones."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from difflib import SequenceMatcher, get_close_matches
from pathlib import Path

from swapset.build.workflow import Workflow
from swapset.dataset.selection import pair_name
from swapset.detectors.registry import DETECTORS
from swapset.errors import ConfigError
from swapset.extractors.registry import EXTRACTORS
from swapset.media.compressions import COMPRESSIONS
from swapset.obstruction.attacks.registry import ATTACKS

_WILDCARD = re.compile(r"\{(\w+)[^{}]*\}")
_SHOWN = 3
_ALIKE = 0.6
_NAMES = {"target": "subject", "donor": "subject"}
"""Names of wildcards in messages, where they differ."""


class Targets:
    """The names of all rules and files that a build can make.

    Parameters
    ----------
    stages : Workflow
    rules : mapping of str to iterable of str
        The patterns of each rule's outputs, with wildcards as {name} or {name,expression}.
    """

    def __init__(self, stages: Workflow, rules: Mapping[str, Iterable[str]]) -> None:
        self._build, self._detection = stages.build, stages.detection
        self._rules = {name: [_plain(path) for path in paths] for name, paths in rules.items()}
        patterns = dict.fromkeys(path for paths in self._rules.values() for path in paths)
        self._patterns = {pattern: _expression(pattern) for pattern in patterns}
        self._clips = self._build.manifest.clips
        self._known: dict[str, Callable[[], Collection[str]]] = {
            **dict.fromkeys(("subject", "target", "donor"), lambda: self._build.subjects),
            "clip": lambda: self._clips,
            "pair": lambda: stages.generation.pairs,
            "shared": lambda: ("base", "all"),
            "method": lambda: self._build.methods,
            "recipe": lambda: self._build.recipes,
            "kind": lambda: self._detection.all_kinds,
            "dataset": lambda: self._detection.datasets,
            "compression": lambda: COMPRESSIONS,
            "outside": lambda: self._detection.outside.detectors,
            "perturbation": lambda: stages.robustness.perturbations,
            "family": lambda: stages.robustness.families,
            "fold": lambda: [n for s in self._detection.training_sets for n in s.training_names],
            "detector": lambda: list(DETECTORS),
            "trained": lambda: [*DETECTORS, *stages.matrix.trained],
            "training_set": lambda: [each.name for each in stages.matrix.further],
            "extractor": lambda: list(EXTRACTORS),
            "attack": lambda: list(ATTACKS),
        }

    def check(self, targets: Iterable[str], *, rules_with_wildcards: bool = False) -> None:
        """Check names of rules and files.

        Parameters
        ----------
        targets : iterable of str
        rules_with_wildcards : bool
            Whether a rule that makes several files may be named.

        Raises
        ------
        ConfigError
            For the first name that the build cannot make, with the nearest ones.
        """
        for target in targets:
            if target in self._rules:
                if not rules_with_wildcards:
                    self._check_rule(target)
            elif reason := self._why_not(os.path.normpath(target)):
                raise ConfigError(f"{target}: {reason}")

    def _check_rule(self, name: str) -> None:
        several = [path for path in self._rules[name] if _WILDCARD.search(path)]
        if several:
            example = next(self._filled(several[0], several[0]), several[0])
            raise ConfigError(f"{name}: this rule makes several files; name one, like {example}")

    def _why_not(self, target: str) -> str:
        """Return why a file cannot be made, with the nearest names; "" if it can."""
        reasons = [
            self._wrong_value(values.groupdict())
            for pattern in self._patterns.values()
            if (values := pattern.fullmatch(target))
        ]
        if "" in reasons or (not reasons and Path(target).exists()):
            return ""
        reason = next(iter(reasons), "no rule and no file of this build has this name")
        other = self._other_build(target)
        return other or reason + self._nearest(target)

    def _wrong_value(self, values: Mapping[str, str]) -> str:
        """Return which value of a wildcard this build does not have; "" if it has all."""
        for name, value in values.items():
            if name in self._known and not self._has(name, value):
                return f"this build has no {_NAMES.get(name, name)} {value!r}"
        subject = values.get("target", values.get("subject"))
        if subject and "number" in values and f"{subject}_{values['number']}" not in self._clips:
            return f"this build has no clip {subject}_{values['number']}"
        if subject and values.get("donor") == subject:
            return f"{subject} would get its own face"
        if {"trained", "fold"} <= values.keys():
            trained, fold = values["trained"], values["fold"]
            if fold not in self._detection.trainings(trained):
                return f"this build has no fold {fold!r} of {trained}"
        if {"kind", "compression", "block"} <= values.keys():
            place = values["kind"], values["compression"], values["block"]
            if not place[2].isdigit() or not self._detection.block(*place):
                return f"this build has no block {place[2]!r} of {place[0]} {place[1]}"
        return ""

    def _has(self, name: str, value: str) -> bool:
        """Return whether a wildcard may have a value; any two people can have a model."""
        people = value.split("-")
        if name == "pair" and len(people) == 2 and set(people) <= set(self._build.subjects):
            return value == pair_name(*people) and people[0] != people[1]
        return value in self._known[name]()

    def _other_build(self, target: str) -> str:
        """Return the reason if a file is of another build."""
        here = Path(self._build.root)
        if not Path(target).is_relative_to(here.parent) or Path(target).is_relative_to(here):
            return ""
        name = Path(target).relative_to(here.parent).parts[0]
        if not (here.parent / name).is_dir():
            return ""
        return f"this config makes {here}; name the config of {name} by --configfile"

    def _nearest(self, target: str) -> str:
        """Return the end of a message: the names nearest to a target."""
        if Path(target).is_absolute() and Path(target).is_relative_to(Path.cwd()):
            inside = str(Path(target).relative_to(Path.cwd()))
            if not self._why_not(inside):
                return f"; write it relative to this folder: {inside}"
        files = (self._filled(pattern, target) for pattern in self._patterns)
        names = dict.fromkeys(itertools.chain(self._rules, *files))
        near = get_close_matches(target, names, n=_SHOWN, cutoff=_ALIKE)
        if near:
            return f"; nearest: {', '.join(near)}"
        return "; `snakemake --list-target-rules` lists the targets"

    def _filled(self, pattern: str, target: str) -> Iterator[str]:
        """Yield files of a pattern that are near a target: wildcards as in the target, if known."""
        parts, asked = pattern.split("/"), target.split("/")
        if len(parts) > len(asked):
            return
        asked = asked[: len(parts)]
        if all(_alike(part, word) >= _ALIKE for part, word in zip(parts, asked, strict=True)
               if not _WILDCARD.search(part)):  # fmt: skip
            choices = [list(self._values(*both)) for both in zip(parts, asked, strict=True)]
            yield from map("/".join, itertools.product(*choices))

    def _values(self, part: str, word: str) -> Iterator[str]:
        """Yield what may stand for one part of a path, nearest to a word."""
        names = _WILDCARD.findall(part)
        if "number" in names:
            yield from self._of_clips(part, word)
        elif len(names) == 1 and names[0] in self._known:
            match = _expression(part).fullmatch(word)
            people = match[1].split("-") if match and names[0] == "pair" else []
            if len(people) == 2 and set(people) <= set(self._build.subjects):
                yield part.format(pair=pair_name(*people))
            yield from _best(
                word, (_WILDCARD.sub(value, part) for value in self._known[names[0]]())
            )
        elif names:
            match = _expression(part).fullmatch(word)
            yield word if match else part
        else:
            yield part

    def _of_clips(self, part: str, word: str) -> Iterator[str]:
        """Yield names of real or fake videos near a word."""
        match = _expression(part).fullmatch(word)
        values = match.groupdict() if match else {}
        subject = values.get("target", values.get("subject", ""))
        donor = values.get("donor", "")
        donors = get_close_matches(donor, self._build.subjects, n=_SHOWN, cutoff=0)
        for clip in _best(f"{subject}_{values.get('number', '')}", self._clips):
            target, _, number = clip.partition("_")
            donor = next((each for each in donors if each != target), "")
            yield part.format(target=target, subject=target, donor=donor, number=number)


def _best(word: str, words: Iterable[str]) -> list[str]:
    listed = list(words)
    return [word] if word in listed else get_close_matches(word, listed, n=_SHOWN, cutoff=0)


def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


def _plain(path: str) -> str:
    """Return a pattern without the expressions of its wildcards."""
    return _WILDCARD.sub(r"{\1}", path)


def _expression(pattern: str) -> re.Pattern[str]:
    """Return the expression of all paths that a pattern may stand for; a name may come twice."""
    seen: set[str] = set()

    def group(name: str) -> str:
        if name in seen:
            return f"(?P={name})"
        seen.add(name)
        return f"(?P<{name}>[^/]+?)"

    parts = _WILDCARD.split(pattern)
    texts = (group(part) if place % 2 else re.escape(part) for place, part in enumerate(parts))
    return re.compile("".join(texts))
