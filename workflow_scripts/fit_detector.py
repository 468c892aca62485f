"""Rule fit_detector: fit one detector on the training people of one fold."""

from pathlib import Path

from swapset.build.job import job
from swapset.dataset.trainings import fold_of, parted, repeat_of, training_number
from swapset.detection.protocol import read_splits
from swapset.learning.device import claimed_device

if __name__ == "__main__":
    inputs, output, params = snakemake.input, snakemake.output, snakemake.params
    names = snakemake.wildcards
    number = training_number(names.fold)
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input) as log,
        claimed_device(params.device, threads=params.threads) as device,
    ):
        from swapset.detection.fitting import FitJob, fit_detector

        fit_detector(
            FitJob(
                parted(names.trained)[0],
                fold_of(number),
                params.seed,
                params.precision,
                params.settings,
                checkpoint=Path(params.checkpoint),
                checkpoint_every=params.checkpoint_every,
                code=params.code,
                demo=params.demo,
                repeat=repeat_of(number),
            ),
            read_splits(Path(inputs.splits)),
            [Path(path) for path in inputs.faces],
            model=Path(output.model),
            card=Path(output.card),
            device=device,
            log=log,
        )
