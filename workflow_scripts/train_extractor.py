"""Rule train_extractor: train a landmark extractor, or convert its published weights."""

from pathlib import Path

from swapset.build.job import job
from swapset.extractors.labels.clips import read_clip_labels
from swapset.extractors.labels.faces import joined
from swapset.extractors.labels.registry import read_labels
from swapset.learning.device import claimed_device

if __name__ == "__main__":
    params, output = snakemake.params, snakemake.output
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input) as log,
        claimed_device(params.device, threads=params.threads) as device,
    ):
        from swapset.extractors.fitting import ExtractorJob, train_extractor

        parts = []
        if source := params.labels:
            lists = Path(source["lists"]) if source["lists"] else None
            parts.append(read_labels(source["layout"], Path(source["root"]), lists))
        if snakemake.input.labels:
            parts.append(read_clip_labels([Path(path) for path in snakemake.input.labels]))
        train_extractor(
            ExtractorJob(
                extractor=snakemake.wildcards.extractor,
                seed=params.seed,
                checkpoint=Path(params.checkpoint),
                precision=params.precision,
                settings=params.settings,
                checkpoint_every=params.checkpoint_every,
                code=params.code,
            ),
            joined(parts) if parts else None,
            model=Path(output.model),
            card=Path(output.card),
            preview=Path(output.preview),
            device=device,
            log=log,
        )
