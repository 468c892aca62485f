"""Rule outside_scores: bring scores by a detector that was run elsewhere into the build's form."""

import logging
from pathlib import Path

from swapset.build.job import job
from swapset.detection.outside_scores import SAID, DatasetVideos, bring_in
from swapset.detection.protocol import read_splits, write_scores
from swapset.io.files import write_json

if __name__ == "__main__":
    params, output, names = snakemake.params, snakemake.output, snakemake.wildcards
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        splits = read_splits(Path(snakemake.input.splits))
        videos = {name: DatasetVideos.of(splits, kinds) for name, kinds in params.kinds.items()}
        scores, facts = bring_in(
            Path(params.file),
            videos[names.dataset],
            [(Path(path), videos[name]) for name, paths in params.files.items() for path in paths],
            params.higher,
        )
        if facts["direction"] != SAID:
            logging.getLogger(__name__).warning(
                "%s: higher scores are read as %s (%s, AUC as given %.3f); say so by 'higher'",
                *(facts[name] for name in ("file", "higher", "direction", "auc_as_given")),
            )
        about = {name: names[name] for name in ("dataset", "compression")}
        write_scores(Path(output.scores), scores)
        write_json(output.summary, {"detector": names.outside, **about, **facts})
