"""Rule landmark_breaker_figures: draw the effect of the noise, on one frame and on average."""

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
    inputs, params, device = snakemake.input, snakemake.params, torch.device("cpu")
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        extractors = {Path(path).stem: load_extractor(Path(path)) for path in inputs.extractors}
        settings = {"recipe": params.recipe, "device": device, "precision": params.precision}
        noisy = iter(map(Path, inputs.noisy))
        people = [
            Protected(
                Path(frames),
                {name: next(noisy) for name in extractors},
                partial(load_synthesiser, Path(model), Path(card), donor, **settings),
            )
            for frames, model, card, donor in zip(
                inputs.frames, inputs.models, inputs.cards, params.donors, strict=True
            )
        ]
        pictures, robustness, sweep = map(Path, snakemake.output.figures)
        save(breaker_pictures(people, extractors, params.attack), pictures)
        tables = read_csv(inputs.white_box), read_csv(inputs.quoted)
        save_figure(robustness_chart(*tables), robustness)
        save_figure(sweep_chart(read_csv(inputs.sweep)), sweep)
