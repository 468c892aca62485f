"""Rule accept: accept clips or reject them with a reason, and choose the subject's face in each."""

from pathlib import Path

from swapset.build.job import job
from swapset.config.sections import AcceptSettings
from swapset.faces.accept_all import (
    VerdictFiles,
    judge_clips,
    read_ingested,
    refuse_rejected,
    write_verdicts,
)

if __name__ == "__main__":
    inputs, params, output = snakemake.input, snakemake.params, snakemake.output
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        paths = (inputs.clips, inputs.tracks, output.decisions, output.verdicts)
        by_subject = (dict(zip(params.subjects, map(Path, each), strict=True)) for each in paths)
        files = VerdictFiles(*by_subject, table=Path(output.table), same=Path(output.same))
        ingested = read_ingested(files.clips)
        verdicts, same = judge_clips(ingested, files.tracks, AcceptSettings(**params.settings))
        if params.strict:
            refuse_rejected(verdicts)
        write_verdicts(verdicts, ingested, params.requests, same, files)
