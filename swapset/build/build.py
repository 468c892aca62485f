"""The facts of one build: its config, manifest, fakes and the paths of its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from swapset.build.code_hash import code_hash
from swapset.config.demo import DEMO
from swapset.config.methods import model_owner, synthesis_of
from swapset.config.schema import Config, load
from swapset.dataset.manifest import Clip, Manifest, Person, read_manifest, read_subjects
from swapset.dataset.selection import Swap, allowed_pairs, draw_swaps, read_swaps
from swapset.demo.specs import DEMO_SPECS
from swapset.errors import ConfigError
from swapset.faces.packaged_models import with_packaged_model
from swapset.learning.device import visible_gpus

SCRIPTS = Path(__file__).parents[2] / "workflow_scripts"
# Settings that change no video, so that they are left out of the hash in its provenance.
_NOT_IN_HASH = {
    "quality",
    "device",
    "results",
    "strict",
    "detectors",
    "datasets",
    "scores",
    "detection",
    "extractors",
    "attacks",
    "landmark_breaker",
}
_PLACES = {"clips", "clips_root", "subjects", "swaps"}


class Build:
    """One build, read from the config when the workflow starts.

    Parameters
    ----------
    values : mapping
        Snakemake's merged `config`: the keys that the user sets; see `swapset.config.schema.load`.

    Raises
    ------
    SwapsetError
        If the config, or a file that it names, is wrong; the message names the key, or the file
        and line.
    """

    def __init__(self, values: Mapping[str, Any]):
        self.config: Config = load(values)
        # Where a detector is a file of a package, its place differs between machines: it is in no
        # hash of the config.
        self.track = with_packaged_model(self.config.track)
        self.root = str(self.config.results / self.config.name)
        self._here = Path.cwd().resolve()
        self.is_demo = self.config.clips == DEMO
        self.manifest = self._read_manifest()
        self.people: list[Person] = []
        if self.config.subjects:
            self.people = read_subjects(self.config.subjects, self.manifest)
        self.swaps = self._choose_swaps()
        self.recipes = self.config.all_recipes()
        self._model_recipe = {m: model_owner(m, self.config.recipes) for m in self.config.methods}
        self._by_target: dict[str, list[Swap]] = {}
        for swap in self.swaps:
            self._by_target.setdefault(swap.target, []).append(swap)

    def _read_manifest(self) -> Manifest:
        if self.is_demo:
            return Manifest(
                Clip(
                    clip=spec.clip,
                    subject=spec.subject.name,
                    path=Path(self.root, "demo", f"{spec.clip}.mp4"),
                    licence=spec.licence,
                    source=spec.source,
                    redistribute=True,
                )
                for spec in DEMO_SPECS
            )
        if not self.config.clips:
            return Manifest([])
        # The order of rows changes no result.
        return read_manifest(Path(self.config.clips), self.config.clips_root).in_order()

    def _choose_swaps(self) -> list[Swap]:
        if not self.config.clips:
            return []
        allowed = allowed_pairs(self.manifest, self.config.pairs)
        if self.config.swaps:
            return read_swaps(self.config.swaps, self.manifest, allowed)
        swaps = draw_swaps(self.manifest, allowed, self.config.swaps_per_clip, self.config.seed)
        if not swaps:
            raise ConfigError(
                f"swaps_per_clip: {self.config.swaps_per_clip} gives no fake at all; raise it or "
                "check 'pairs'"
            )
        return swaps

    # -- for the rules -------------------------------------------------------------------------

    @property
    def methods(self) -> list[str]:
        """Return the names of the synthesis methods."""
        return self.config.methods

    @property
    def subjects(self) -> list[str]:
        """Return the subjects in natural order."""
        return self.manifest.subjects

    @property
    def targets(self) -> list[str]:
        """Return the subjects whose clips are turned into fakes."""
        return [subject for subject in self.subjects if subject in self._by_target]

    def swaps_of(self, target: str) -> list[Swap]:
        """Return the fakes of one target."""
        return self._by_target.get(target, [])

    def model_recipe(self, method: str) -> str:
        """Return the name of the recipe that trains the models of `method`."""
        return self._model_recipe[method]

    def source_of(self, clip: str) -> str:
        """Return the file or address that a clip is ingested from.

        A file inside the working folder has a relative path, so that a build stays finished when
        the whole folder moves.
        """
        path, url = self.manifest.clips[clip].path, self.manifest.clips[clip].url
        if path is None:
            return url if url.startswith("s3://") else f"{self.root}/fetched/{clip}.mp4"
        return str(path.relative_to(self._here) if path.is_relative_to(self._here) else path)

    def is_outside(self, path: str) -> bool:
        """Return whether a local file is read by the build and not made by it."""
        return "://" not in path and not path.startswith(f"{self.root}/")

    def sources_of(self, subject: str) -> list[str]:
        """Return `source_of` each of a subject's clips."""
        return [self.source_of(clip) for clip in self.manifest.of(subject)]

    def parts_of(self, subject: str) -> dict[str, list[float | None]]:
        """Return the [start, end] of each clip of a subject, in seconds or None, by clip."""
        rows = (self.manifest.clips[clip] for clip in self.manifest.of(subject))
        return {row.clip: [row.start, row.end] for row in rows}

    def people_in(self, target: str) -> list[str]:
        """Return a target and all donors of its fakes."""
        return [target, *dict.fromkeys(swap.donor for swap in self.swaps_of(target))]

    def fakes_of(self, target: str, pattern: str) -> list[str]:
        """Return a path for each fake of a target, by all methods.

        Parameters
        ----------
        target : str
        pattern : str
            Path inside the build's folder, with {method} and {fake}.
        """
        return [
            f"{self.root}/{pattern.format(method=method, fake=swap.name)}"
            for method in self.methods
            for swap in self.swaps_of(target)
        ]

    def video_names(self) -> list[tuple[str, str]]:
        """Return (kind, name) of every video, real and fake."""
        fakes = [(method, swap.name) for method in self.methods for swap in self.swaps]
        return [("real", clip) for clip in self.manifest.clips] + fakes

    def videos(self) -> list[str]:
        """Return the paths of all videos of the dataset in all compressions."""
        return [
            f"{self.root}/dataset/{kind}/{compression}/{name}.mp4"
            for kind, name in self.video_names()
            for compression in self.config.compressions
        ]

    def records(self) -> list[str]:
        """Return the path of each video's provenance record."""
        return [f"{self.root}/records/{kind}/{name}.json" for kind, name in self.video_names()]

    def labels(self) -> list[str]:
        """Return the path of the labels of each fake."""
        return [
            f"{self.root}/labels/{method}/{swap.name}.parquet"
            for method in self.methods
            for swap in self.swaps
        ]

    def same_people(self) -> list[str]:
        """Return the table of subjects who are one person, for jobs that keep them apart.

        Nothing, if the config does not merge them.
        """
        merged = self.config.accept.same_person == "merge"
        return [f"{self.root}/tables/same_people.csv"] if merged and self.subjects else []

    def clip_facts(self) -> dict[str, dict[str, Any]]:
        """Return licence, source and address of each clip, as the manifest has them."""
        return {
            clip.clip: {
                "licence": clip.licence,
                "redistribute": clip.redistribute,
                "source": clip.source,
                "url": clip.url,
            }
            for clip in self.manifest.clips.values()
        }

    def synthesis(self, method: str) -> dict[str, Any]:
        """Return the settings by which a method puts faces into frames, as JSON values."""
        return self._synthesis[method]

    @cached_property
    def _synthesis(self) -> dict[str, dict[str, Any]]:
        return {name: synthesis_of(self.recipes[name]).model_dump() for name in self.methods}

    def code(self, rule: str, *modules: str) -> str:
        """Return the hash of the code that a rule runs.

        Parameters
        ----------
        rule : str
        *modules : str
            Dotted names of modules that its script imports by name.
        """
        return code_hash(SCRIPTS / f"{rule}.py", modules)

    def gpus_per_job(self) -> int:
        """Return the number of GPUs, 0 or 1, of a job that runs networks."""
        device = self.config.device
        return int(device != "cpu" and (device != "auto" or bool(visible_gpus())))

    def config_hash(self) -> str:
        """Return 16 hex digits of the settings that the dataset's videos depend on."""
        return self._hash_without(_NOT_IN_HASH)

    def settings_hash(self) -> str:
        """Return the same without the places of tables and clips, which may be renamed."""
        return self._hash_without(_NOT_IN_HASH | _PLACES)

    def _hash_without(self, left_out: set[str]) -> str:
        shown = self.config.model_dump(mode="json", exclude=left_out)
        return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:16]
