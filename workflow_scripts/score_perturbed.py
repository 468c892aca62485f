"""Rule score_perturbed: score a dataset's test videos after all perturbations of one family."""

from pathlib import Path

from swapset.build.job import job
from swapset.detection.protocol import read_splits
from swapset.detection.robustness import by_perturbation, write_all_scores
from swapset.learning.device import claimed_device

if __name__ == "__main__":
    inputs, params = snakemake.input, snakemake.params
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input),
        claimed_device(params.device, threads=params.threads) as device,
    ):
        from swapset.detection.trainings import load_trainings

        models = load_trainings(inputs.models, device)
        write_all_scores(
            Path(snakemake.output.scores),
            models,
            by_perturbation(map(Path, inputs.faces)),
            read_splits(Path(inputs.splits)),
        )
