"""Rule accept: accept clips or reject them with a reason, and choose the subject's face in each."""

from pathlib import Path

from swapset.build.job import job
from swapset.config.sections import AcceptSettings
from swapset.faces.accept_all import judge_clips, read_ingested, refuse_rejected, write_verdicts

if __name__ == "__main__":
    inputs, params, output = snakemake.input, snakemake.params, snakemake.output
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        ingested = read_ingested(dict(zip(params.subjects, map(Path, inputs.clips), strict=True)))
        tracks = dict(zip(params.subjects, map(Path, inputs.tracks), strict=True))
        verdicts, same = judge_clips(ingested, tracks, AcceptSettings(**params.settings))
        if params.strict:
            refuse_rejected(verdicts)
        files = dict(zip(params.subjects, map(Path, output.verdicts), strict=True))
        tables = {"clips": Path(output.table), "same": Path(output.same)}
        write_verdicts(verdicts, ingested, files, tables, same)
