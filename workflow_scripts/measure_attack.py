"""Rule measure_attack: what an attack's noise does to landmarks, pictures and swaps of a person."""

from pathlib import Path

from swapset.device import claimed_device
from swapset.files import read_json
from swapset.generation.methods import SynthesisRecipe
from swapset.jobs import job

if __name__ == "__main__":
    given, params = snakemake.input, snakemake.params
    with (
        job(snakemake.rule, snakemake.log[0]) as log,
        claimed_device(params.device, threads=params.threads) as device,
    ):
        from swapset.extractors.registry import load_extractor
        from swapset.generation.checkpoint import load_model
        from swapset.generation.synthesis import Synthesiser
        from swapset.obstruction.evaluation import Evaluator, write_measures

        synthesiser = None
        if read_json(given.card)["trained"]:
            synthesiser = Synthesiser(
                load_model(Path(given.model), device),
                params.donor,
                SynthesisRecipe(**params.recipe),
                device,
                precision=params.precision,
            )
        extractors = {
            Path(path).stem: load_extractor(Path(path), device=device) for path in given.extractors
        }
        write_measures(
            Path(snakemake.output.measures),
            Evaluator(extractors, params.reference, synthesiser, swap_every=params.swap_every),
            clean=Path(given.frames),
            noisy=Path(given.noisy),
            compressions=params.compressions,
            log=log,
        )
