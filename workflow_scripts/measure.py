"""Rule measure: measure the quality of all fakes of one target."""

from pathlib import Path

from swapset.build.job import job
from swapset.quality.target_scores import TargetFiles, score_target

if __name__ == "__main__":
    inputs, params, output = snakemake.input, snakemake.params, snakemake.output
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        score_target(
            snakemake.wildcards.target,
            TargetFiles(
                clips=Path(inputs.clips),
                landmarks=Path(inputs.landmarks),
                tracks=dict(zip(params.people, map(Path, inputs.tracks), strict=True)),
                verdicts=dict(zip(params.people, map(Path, inputs.verdicts), strict=True)),
                videos=[Path(path) for path in inputs.videos],
                labels=[Path(path) for path in inputs.labels],
            ),
            scores=Path(output.scores),
            heads=Path(output.heads),
            every=params.every,
            identity_frames=params.identity_frames,
        )
