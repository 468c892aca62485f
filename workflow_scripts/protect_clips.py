"""Rule protect_clips: put noise on all frames of a person's accepted clips."""

from pathlib import Path

from swapset.build.job import job
from swapset.io.files import atomic_output, read_json
from swapset.learning.device import claimed_device
from swapset.obstruction.attacks.registry import CLEAN
from swapset.seeds import derive_seed

if __name__ == "__main__":
    inputs, params, names = snakemake.input, snakemake.params, snakemake.wildcards
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input) as log,
        claimed_device(params.device, threads=params.threads) as device,
        atomic_output(snakemake.output.clips, directory=True) as folder,
    ):
        from swapset.extractors.base import load_extractor
        from swapset.obstruction.protect.noise import Protector
        from swapset.obstruction.retrain_clips import PersonFiles, write_protected_clips

        protector = None
        if names.attack != CLEAN:
            settings = {**params.settings, "precision": params.precision}
            protector = Protector(
                [load_extractor(Path(path), device=device) for path in inputs.extractors],
                attack=names.attack,
                first=settings.pop("iterations"),
                seed=derive_seed(params.seed, "protect", names.attack, names.subject),
                **settings,
            )
        write_protected_clips(
            folder,
            PersonFiles(Path(inputs.clips), Path(inputs.landmarks), read_json(inputs.verdicts)),
            protector,
            compression=params.compression,
            log=log,
        )
