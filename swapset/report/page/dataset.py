"""The sections of the report, each from a build's tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from swapset.report.figures.charts import ENOUGH_DONOR, comparable_methods
from swapset.report.page.markup import Markup, element, joined, table
from swapset.report.page.pictures import figure
from swapset.report.page.provenance_summary import ProvenanceSummary
from swapset.report.quoted import CAPTIONS, SOURCE

FIGURES = {
    "methods": ("Methods side by side", "The same frames by every method."),
    "resolution": ("Size of the synthesised face", "As figure 4.5 of the chapter."),
    "colour": ("Colour correction", "Without and with it, as figure 4.6 of the chapter."),
    "masks": ("Masks", "The steps of one swap under each mask, as figure 4.7 of the chapter."),
    "smoothing": ("Temporal smoothing", "Landmarks as detected, and after the Kalman smoother."),
    "mask_ssim": ("Mask-SSIM", "Means with bootstrap intervals over the fakes."),
}
_CHARTS = {"smoothing", "mask_ssim"}
_HEADS = {
    "mask_ssim": "Mask-SSIM",
    "mask_ssim_low": "low",
    "mask_ssim_high": "high",
    "masked_frame_ssim": "masked-frame SSIM",
    "identity_donor": "donor seen in",
    "lab_distance": "colour distance (Lab)",
    "share_higher": "share of fakes above 0",
    "real_videos": "real videos",
    "real_frames": "real frames",
    "fake_videos": "fake videos",
    "fake_frames": "fake frames",
    "share": "share (%)",
    "kind": "of",
    "start": "start from",
    "saved": "steps saved by plateaus",
    "held_out": "L1 of held-out faces",
}
Verdicts = Sequence[Mapping[str, Any]]


def summary(judged: Verdicts, fakes: pd.DataFrame | None, version: str) -> Markup:
    """Return what was built, in one sentence."""
    accepted = [clip for clip in judged if clip["accepted"]]
    made = 0 if fakes is None else int(fakes["made"].sum())
    asked = 0 if fakes is None else len(fakes)
    people = len({clip["subject"] for clip in accepted})
    return element(
        "p",
        f"{made} of {asked} fakes made from {len(accepted)} of {len(judged)} clips of {people} "
        f"people, by swapset {version}.",
    )


def responsible_use() -> Markup:
    """Return the note on responsible use."""
    return element(
        "div",
        element("b", "Made for research on detecting and preventing face swaps. "),
        "The people in the fakes said and did nothing of what they show. Every fake carries its "
        "label in the video's metadata and in provenance.jsonl; keep it there. Share only what the "
        "licences below allow, and never a fake as a real recording.",
        class_="box",
    )


def datasets(
    counts: pd.DataFrame | None, people: pd.DataFrame | None, fakes: pd.DataFrame | None
) -> Markup:
    """Return how many videos there are, of whom, and which fakes could not be made."""
    parts = [element("h2", "Dataset")]
    if counts is not None:
        parts.append(table(counts, _HEADS))
    if people is not None:
        parts += [element("h3", "People"), table(people, _HEADS)]
    if fakes is not None and not fakes["made"].all():
        missing = fakes[~fakes["made"]]
        counted = missing.groupby(["method", "reason"], as_index=False).size()
        parts += [
            element("h3", "Fakes that were not made"),
            table(counted.rename(columns={"size": "fakes"})),
        ]
    return joined(parts)


def clips(judged: Verdicts) -> Markup:
    """Return how many clips were accepted, the rejected ones by reason, and every clip."""
    reasons = Counter(clip["reason"] for clip in judged if not clip["accepted"])
    rows = [("accepted", sum(clip["accepted"] for clip in judged))]
    rows += [(f"rejected: {reason}", count) for reason, count in reasons.most_common()]
    rejected = [
        (clip["clip"], clip["subject"], clip["reason"], clip["detail"])
        for clip in judged
        if not clip["accepted"]
    ]
    columns = ["clip", "subject", "accepted", "reason", "frames", "clip_frames", "width", "height"]
    columns += ["fps", "face_height", "cuts", "gaps"]
    every = pd.DataFrame([{key: clip[key] for key in columns} for clip in judged], columns=columns)
    parts = [
        element("h2", "Clips"),
        table(pd.DataFrame(rows, columns=["verdict", "clips"])),
    ]
    if rejected:
        listed = pd.DataFrame(rejected, columns=["clip", "subject", "reason", "detail"])
        parts += [element("h3", "Rejected clips"), table(listed)]
    parts.append(element("details", element("summary", f"All {len(judged)} clips"), table(every)))
    return joined(parts)


def quality(
    scores: pd.DataFrame | None, differences: pd.DataFrame | None, fakes: pd.DataFrame | None
) -> Markup:
    """Return the Mask-SSIM of the methods and their differences, with how to read them."""
    parts = [element("h2", "Visual quality")]
    if scores is None:
        return joined([*parts, element("p", "Mask-SSIM was not measured.")])
    if fakes is not None:
        colours = fakes.groupby("method")["lab_distance"].mean()
        scores = scores.assign(lab_distance=scores["method"].map(colours))
    parts += [table(scores, _HEADS), _how_to_read(scores)]
    if differences is not None and len(differences):
        read = differences.assign(reading=_readings(differences, comparable_methods(scores)))
        parts += [
            element("h3", "Differences on the same fakes"),
            table(read, _HEADS),
            element(
                "p",
                "Difference: Mask-SSIM of the first method minus that of the other, on the fakes "
                "that both made, with its bootstrap interval.",
                class_="note",
            ),
        ]
    return joined(parts)


def _how_to_read(scores: pd.DataFrame) -> Markup:
    """Return the note below the Mask-SSIM table."""
    enough = comparable_methods(scores)
    weak = [method for method in scores["method"] if method not in enough]
    text = (
        "Mask-SSIM compares the head (face and hair) of a fake with the original's: 1 is equal. "
        "It rewards not swapping, so methods compare only where the donor is seen in at least "
        f"{ENOUGH_DONOR:.0%} of the frames"
    )
    text += f"; here not for {', '.join(weak)}." if weak else "; here that holds for all."
    text += " Colour distance: between original and fake inside the mask, in CIELAB."
    return element("p", text, class_="note")


def _readings(differences: pd.DataFrame, comparable: set[str]) -> list[str]:
    """Say in words what each row of the differences tells."""
    return [
        _reading(row)
        + ("" if {row["method"], row["against"]} <= comparable else " (not comparable, see above)")
        for row in differences.to_dict("records")
    ]


def _reading(row: Mapping[Any, Any]) -> str:
    """Say which of two methods has the higher Mask-SSIM, if the interval tells."""
    if row["low"] > 0:
        return f"{row['against']} is lower"
    if row["high"] < 0:
        return f"{row['against']} is higher"
    return "no clear difference"


def gallery(root: Path, figures: Sequence[Path]) -> Markup:
    """Return the figures."""
    parts = [element("h2", "Pictures")]
    for path in figures:
        title, caption = FIGURES.get(path.stem, _contact(path.stem))
        photographic = path.stem not in _CHARTS
        parts.append(figure(path, root, title, caption, photographic=photographic))
    return joined(parts)


def _contact(stem: str) -> tuple[str, str]:
    method = stem.removeprefix("contact_sheet_")
    return f"Fakes by {method}", "Real frames and fakes of them, as figure 4.4 of the chapter."


def training(root: Path, trained: pd.DataFrame | None, paths: Sequence[Path]) -> Markup:
    """Return how long models were trained, with loss curves and preview pictures of some."""
    if not paths:
        return Markup("")
    listed = [] if trained is None else [_trained(trained)]
    shown = [
        figure(path, root, f"{path.parent.name}, {path.stem}", "Loss and preview.")
        for path in paths
    ]
    note = element(
        "p",
        "Faces of both people, each reconstructed and as the other, early steps on top. Pairs "
        "beyond these have theirs in models/.",
        class_="note",
    )
    return joined([element("h2", "Training"), *listed, note, *shown])


def _trained(rows: pd.DataFrame) -> Markup:
    """Return one row per recipe and start: models, steps, what plateaus saved, the L1 reached."""
    done = rows[rows["trained"]].assign(
        models=1, kind=lambda r: r["model"].where(r["model"].isin(["base", "all"]), "pair")
    )
    counted = {"models": "sum", "faces": "mean", "steps": "sum", "saved": "mean"}
    summary = done.groupby(["recipe", "kind", "start"], as_index=False).agg(
        counted | {"held_out": "mean"}
    )
    return table(summary, _HEADS)


def origin(provenance: ProvenanceSummary) -> Markup:
    """Return the summary of `provenance.jsonl`."""
    facts = [
        ("software", ", ".join(sorted(provenance.software))),
        ("hash of the config", ", ".join(sorted(provenance.config_hashes))),
        ("models", str(len(provenance.models))),
        ("videos", str(sum(provenance.videos.values()))),
    ]
    return joined(
        [
            element("h2", "Origin"),
            element(
                "p",
                "Every video has a line in ",
                element("code", "dataset/provenance.jsonl"),
                ": sources with SHA-256 and licence, method, model, config and software.",
            ),
            table(pd.DataFrame(facts, columns=["what", "value"])),
            element("h3", "Videos"),
            table(provenance.videos_table()),
            element("h3", "Licences of the source clips"),
            table(provenance.licences_table()),
        ]
    )


def quoted(paths: Sequence[Path]) -> Markup:
    """Return the chapter's numbers, set apart."""
    parts = [
        element("h2", "Quoted from the chapter"),
        element(
            "p",
            element("b", "These are not results of this build. "),
            f"They are the numbers printed in {SOURCE}.",
        ),
    ]
    for path in paths:
        # As text: "17.3k" stays as printed.
        rows = pd.read_csv(path, dtype=str, keep_default_na=False)
        parts += [element("h3", CAPTIONS.get(path.stem, path.stem)), table(rows, _HEADS)]
    return element("section", *parts, class_="quoted")
