"""Rule measure_perturbed: measure Mask-SSIM of fakes after perturbations of one family."""

from pathlib import Path

from swapset.build.job import job
from swapset.io.files import write_csv
from swapset.media.perturbations.names import parse
from swapset.quality.perturbed_ssim import score_perturbed

if __name__ == "__main__":
    inputs, params = snakemake.input, snakemake.params
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        videos = {}
        for path in map(Path, inputs.videos):
            videos.setdefault(path.parent.parent.name, []).append(path)
        table = score_perturbed(
            videos,
            Path(inputs.clips),
            Path(inputs.heads),
            [parse(name) for name in params.perturbations],
            wanted=params.frames,
            seed=params.seed,
        )
        write_csv(snakemake.output.scores, table)
