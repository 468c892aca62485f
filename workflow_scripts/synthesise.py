"""Rule synthesise: make one fake."""

from pathlib import Path

from swapset.device import claimed_device
from swapset.generation.methods import SynthesisRecipe
from swapset.jobs import job

if __name__ == "__main__":
    params, given, names = snakemake.params, snakemake.input, snakemake.wildcards
    with (
        job(snakemake.rule, snakemake.log[0]),
        claimed_device(params.device) as device,
    ):
        from swapset.generation.fake import Encoding, FakeJob, write_fake

        write_fake(
            FakeJob(
                method=names.method,
                target=names.target,
                donor=names.donor,
                number=names.number,
                clips=Path(given.clips),
                landmarks=Path(given.landmarks),
                verdicts=Path(given.verdicts),
                model=Path(given.model),
                card=Path(given.card),
            ),
            SynthesisRecipe(**params.recipe),
            Encoding(**params.encoding),
            video=Path(snakemake.output.video),
            labels=Path(snakemake.output.labels),
            device=device,
            precision=params.precision,
        )
