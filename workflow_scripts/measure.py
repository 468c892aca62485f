"""Rule measure: Mask-SSIM and identity of the fakes of one target."""

from pathlib import Path

from swapset.build.job import job
from swapset.quality.target_scores import TargetFiles, score_target

if __name__ == "__main__":
    given, params, output = snakemake.input, snakemake.params, snakemake.output
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        score_target(
            snakemake.wildcards.target,
            TargetFiles(
                clips=Path(given.clips),
                landmarks=Path(given.landmarks),
                tracks=dict(zip(params.people, map(Path, given.tracks), strict=True)),
                verdicts=dict(zip(params.people, map(Path, given.verdicts), strict=True)),
                videos=[Path(path) for path in given.videos],
                labels=[Path(path) for path in given.labels],
            ),
            scores=Path(output.scores),
            heads=Path(output.heads),
            every=params.every,
            identity_frames=params.identity_frames,
        )
