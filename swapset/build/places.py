"""The places of all results in a build's folder that depend on clips, people or settings.

A test compares them with the rules. Each component has at most one wildcard; `swapset.build.made`
knows the values that a config makes.
"""

from __future__ import annotations

from swapset.build.figures import (
    BREAKER_FIGURES,
    DETECTOR_FIGURES,
    MATRIX_FIGURES,
    ROBUSTNESS_FIGURES,
)

_AGAIN = "{again}/{extractor}"
_LOGS = (
    *("fetch/{fetched}", "ingest/{subject}", "track/{subject}", "align/{subject}"),
    *("train/{recipe}/{model}", "real/{clip}", "synthesise/{method}/{fake}", "measure/{target}"),
    *("count_public/{dataset}", "measure_public/{paired}/{block}"),
    *("find_faces/{seen}/{compression}/{block}", "fit_detector/{trained}/{fold}"),
    "score/{detector}/{scored}/{compression}",
    *("matrix_splits/{training_set}", "score_matrix/{trained}/{seen}"),
    "find_faces_perturbed/{perturbation}/{seen}/{compression}/{block}",
    "score_perturbed/{detector}/{scored}/{family}",
    "measure_perturbed/{target}/{family}",
    "outside_scores/{outside}/{scored}/{compression}",
    *("clip_labels/{learner}", "train_extractor/{extractor}", "key_frames/{shielded}"),
    *("attack/{attack}/{source}/{shielded}", "match_ssim/{source}/{shielded}"),
    *("measure_attack/{attack}/{source}/{shielded}", "sweep/{extractor}/{shielded}"),
    *(f"protect_clips/{_AGAIN}/{{retrained}}", f"find_landmarks/{_AGAIN}/{{retrained}}"),
    *(f"align/protected/{_AGAIN}/{{retrained}}", f"measure/protected/{_AGAIN}/{{duo}}"),
    f"train/protected/{_AGAIN}/{{recipe}}/{{pair}}",
    f"synthesise/protected/{_AGAIN}/{{method}}/{{refaked}}",
)


def _files(place: str, *endings: str) -> tuple[str, ...]:
    return tuple(f"{place}.{ending}" for ending in endings)


def _model(place: str) -> tuple[str, ...]:
    return _files(place, "safetensors", "csv", "png", "json")


_PROTECTED = tuple(
    f"obstruction/protected/{_AGAIN}/{place}"
    for place in (
        *("clips/{retrained}", "tracks/{retrained}", "landmarks/{retrained}", "faces/{retrained}"),
        *_model("models/{recipe}/{pair}"),
        *("dataset/{method}/original/{refaked}.mp4", "records/{method}/{refaked}.json"),
        *("labels/{method}/{refaked}.parquet", "quality/{duo}.csv", "heads/{duo}"),
    )
)

PLACES = (
    *("demo/{demo}.mp4", "fetched/{fetched}.mp4", "clips/{subject}", "tracks/{subject}"),
    *("accepted/{subject}.json", "verdicts/{subject}.json"),
    *("landmarks/{subject}", "faces/{subject}"),
    *_model("models/{recipe}/{model}"),
    *("dataset/{kind}/{own_compression}/{video}.mp4", "records/{kind}/{video}.json"),
    *("labels/{method}/{fake}.parquet", "quality/{target}.csv", "heads/{target}"),
    *("quality/public/{paired}/{block}.csv", "tables/public/{dataset}.csv"),
    "crops/{seen}/{compression}/{block}",
    *_files("detectors/{trained}/{fold}", "safetensors", "json"),
    "scores/{judge}/{scored}/{compression}.parquet",
    "scores/{outside}/{scored}/{compression}.json",
    *("matrix/splits/{training_set}.csv", "matrix/scores/{trained}/{seen}"),
    "perturbed/crops/{perturbation}/{seen}/{compression}/{block}",
    "perturbed/scores/{detector}/{scored}/{family}",
    "perturbed/quality/{target}/{family}.csv",
    "extractors/labels/{learner}",
    *_files("extractors/{extractor}", "safetensors", "json", "png"),
    *("obstruction/frames/{shielded}", "obstruction/noisy/{attack}/{source}/{shielded}"),
    "obstruction/measures/{attack}/{source}/{shielded}.csv",
    "obstruction/detection/{attack}/{source}/{shielded}.csv",
    "obstruction/sweep/{extractor}/{shielded}.csv",
    *_PROTECTED,
    *("tables/{table}.csv", "figures/{figure}.png", "figures/{figure}.pdf"),
    # Files beside the outputs: of killed trainings, for TensorBoard, and hashes of public videos.
    *("checkpoints/{recipe}/{model}.safetensors", "events/{recipe}/{model}"),
    "checkpoints/detectors/{trained}/{fold}.safetensors",
    "checkpoints/extractors/{extractor}.safetensors",
    f"checkpoints/protected/{_AGAIN}/{{recipe}}/{{pair}}.safetensors",
    f"events/protected/{_AGAIN}/{{recipe}}/{{pair}}",
    "sources/measure_public/{paired}/{block}.json",
    "sources/find_faces/{seen}/{compression}/{block}.json",
    *(f"logs/{log}.{ending}" for log in _LOGS for ending in ("log", "failed")),
    *(f"benchmarks/{log}.tsv" for log in _LOGS),
)
"""Files, and folders as a whole, relative to the build's folder."""

NOISE = ("learner", "shielded", "extractor", "attack", "source")
"""The wildcards of Landmark Breaker's places."""
PROTECTED = ("again", "retrained", "pair", "duo", "refaked")
"""The wildcards in the places of models that are trained on protected clips."""
ROBUSTNESS_TABLES = ("robustness", "robustness_area", "robustness_ssim")
"""Tables of AUCs after perturbations, of the areas under their curves, and of Mask-SSIM."""
MATRIX_TABLES = ("detector_matrix", "detector_matrix_drop", "detector_matrix_differences")
"""Tables of AUCs by training set, of what is lost on other datasets, and of differences."""
_NOISE_TABLES = ("", "_differences", "_white_box", "_detection", "_sweep")
TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "demographics": (("demographics",), ()),
    "detectors": (
        (
            *("splits", "left_out", "roc"),
            *(f"detector_{name}" for name in ("auc", "rates", "points", "people", "differences")),
        ),
        DETECTOR_FIGURES,
    ),
    "noise": (tuple(f"landmark_breaker{end}" for end in _NOISE_TABLES), BREAKER_FIGURES),
    "robustness": (ROBUSTNESS_TABLES, ROBUSTNESS_FIGURES),
    "matrix": (MATRIX_TABLES, MATRIX_FIGURES),
    "outside": (("outside_scores",), ()),
    "protected": (("protected_training",), ("protected_training",)),
}
"""Tables and figures that only some configs have, by what a config has for them."""
