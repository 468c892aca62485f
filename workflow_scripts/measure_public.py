"""Rule measure_public: measure the quality of a public dataset's fakes with their originals."""

from pathlib import Path

from swapset.build.job import job, record_hashes
from swapset.config.sections import TrackSettings
from swapset.quality.public_scores import Pair, score_pairs

if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        pairs = [
            Pair(name, Path(fake), Path(original), Path(donor) if donor else None, sure == "exact")
            for name, fake, original, donor, sure in params.pairs
        ]
        score_pairs(
            snakemake.wildcards.dataset,
            pairs,
            Path(snakemake.output.scores),
            TrackSettings(**params.settings),
            every=params.every,
            identity_frames=params.identity_frames,
        )
        record_hashes(params.note, params.sources)
