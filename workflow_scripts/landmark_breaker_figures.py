"""Rule landmark_breaker_figures: what the noise does, to one frame and on average."""

from functools import partial
from pathlib import Path

import torch

from swapset.build.job import job
from swapset.extractors.base import load_extractor
from swapset.io.files import read_csv
from swapset.obstruction.evaluation import load_synthesiser
from swapset.report.figures.breaker_charts import robustness_chart, sweep_chart
from swapset.report.figures.breaker_pictures import Protected, breaker_pictures
from swapset.report.figures.charts import save_figure
from swapset.report.figures.sheet import save

if __name__ == "__main__":
    given, params, device = snakemake.input, snakemake.params, torch.device("cpu")
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        extractors = {Path(path).stem: load_extractor(Path(path)) for path in given.extractors}
        how = {"recipe": params.recipe, "device": device, "precision": params.precision}
        noisy = iter(map(Path, given.noisy))
        people = [
            Protected(
                Path(frames),
                {name: next(noisy) for name in extractors},
                partial(load_synthesiser, Path(model), Path(card), donor, **how),
            )
            for frames, model, card, donor in zip(
                given.frames, given.models, given.cards, params.donors, strict=True
            )
        ]
        pictures, robustness, sweep = map(Path, snakemake.output.figures)
        save(breaker_pictures(people, extractors, params.attack), pictures)
        tables = read_csv(given.white_box), read_csv(given.quoted)
        save_figure(robustness_chart(*tables), robustness)
        save_figure(sweep_chart(read_csv(given.sweep)), sweep)
