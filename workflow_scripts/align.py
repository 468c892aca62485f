"""Rule align: smooth a subject's landmarks over time and cut out aligned faces."""

from pathlib import Path

from swapset.build.job import job
from swapset.config.sections import AlignSettings, SmoothingSettings
from swapset.faces.prepare import prepare_subject
from swapset.io.files import atomic_output, read_json

if __name__ == "__main__":
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input),
        atomic_output(snakemake.output.landmarks, directory=True) as landmarks,
        atomic_output(snakemake.output.faces, directory=True) as faces,
    ):
        prepare_subject(
            read_json(snakemake.input.verdicts),
            clips=Path(snakemake.input.clips),
            tracks=Path(snakemake.input.tracks),
            landmarks=landmarks,
            faces=faces,
            smoothing=SmoothingSettings(**snakemake.params.smoothing),
            align=AlignSettings(**snakemake.params.settings),
        )
