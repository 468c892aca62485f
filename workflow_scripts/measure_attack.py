"""Rule measure_attack: what an attack's noise does to landmarks, pictures and swaps of a person."""

from pathlib import Path

from swapset.build.job import job
from swapset.learning.device import claimed_device
from swapset.obstruction.attacks.registry import DLIB

if __name__ == "__main__":
    given, params = snakemake.input, snakemake.params
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input) as log,
        claimed_device(params.device, threads=params.threads) as device,
    ):
        from swapset.extractors.base import load_extractor
        from swapset.faces.landmarks import LandmarkPredictor
        from swapset.obstruction.evaluation import Evaluator, load_synthesiser, write_measures

        pair = Path(given.model), Path(given.card), params.donor
        synthesiser = load_synthesiser(*pair, params.recipe, device, params.precision)
        finders = {
            Path(path).stem: load_extractor(Path(path), device=device) for path in given.extractors
        }
        finders[DLIB] = LandmarkPredictor(params.predictor or None)
        write_measures(
            Path(snakemake.output.measures),
            Evaluator(finders, params.reference, synthesiser, swap_every=params.swap_every),
            clean=Path(given.frames),
            noisy=Path(given.noisy),
            compressions=params.compressions,
            log=log,
        )
