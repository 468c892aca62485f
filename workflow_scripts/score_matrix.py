"""Rule score_matrix: score the test videos of a kind, in all compressions, by one detector."""

from pathlib import Path

from swapset.build.job import job
from swapset.dataset.trainings import training_number
from swapset.detection.protocol import read_splits
from swapset.learning.device import claimed_device

if __name__ == "__main__":
    inputs, params = snakemake.input, snakemake.params
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input),
        claimed_device(params.device, threads=params.threads) as device,
    ):
        from swapset.detection.matrix_cells import write_kind_scores
        from swapset.detectors.base import load_detector

        models = {
            training_number(Path(path).stem): load_detector(Path(path), device=device)
            for path in inputs.models
        }
        write_kind_scores(
            Path(snakemake.output.scores),
            models,
            [Path(path) for path in inputs.faces],
            read_splits(Path(inputs.splits)),
        )
