"""Rule attack: put an attack's noise on a person's key frames."""

from pathlib import Path

from swapset.build.job import job
from swapset.io.files import atomic_output
from swapset.learning.device import claimed_device

if __name__ == "__main__":
    inputs, params, names = snakemake.input, snakemake.params, snakemake.wildcards
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input) as log,
        claimed_device(params.device, threads=params.threads) as device,
        atomic_output(snakemake.output.frames, directory=True) as folder,
    ):
        from swapset.extractors.base import load_extractor
        from swapset.obstruction.attack_frames import AttackJob, write_noisy

        settings = {**params.settings, "precision": params.precision}
        write_noisy(
            AttackJob(names.attack, names.subject, params.seed, settings),
            [load_extractor(Path(path), device=device) for path in inputs.extractors],
            Path(inputs.frames),
            folder,
            log=log,
        )
