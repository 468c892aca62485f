"""Rule clip_labels: cut a person's faces, labelled by dlib, for training extractors."""

from pathlib import Path

from swapset.build.job import job
from swapset.extractors.labels.clips import write_clip_labels
from swapset.io.files import atomic_output, read_json

if __name__ == "__main__":
    inputs = snakemake.input
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input),
        atomic_output(snakemake.output.labels, directory=True) as folder,
    ):
        write_clip_labels(
            folder,
            read_json(inputs.verdicts),
            subject=snakemake.wildcards.subject,
            clips=Path(inputs.clips),
            landmarks=Path(inputs.landmarks),
            frames=snakemake.params.frames,
        )
