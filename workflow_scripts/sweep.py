"""Rule sweep: Landmark Breaker on a person's frames with other sizes and numbers of steps."""

from pathlib import Path

from swapset.build.job import job
from swapset.learning.device import claimed_device
from swapset.obstruction.attacks.registry import BREAKER

if __name__ == "__main__":
    given, params, names = snakemake.input, snakemake.params, snakemake.wildcards
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input) as log,
        claimed_device(params.device, threads=params.threads) as device,
    ):
        from swapset.extractors.base import load_extractor
        from swapset.obstruction.attack_frames import AttackJob
        from swapset.obstruction.evaluation import Evaluator, load_synthesiser
        from swapset.obstruction.sweep import write_sweep
        from swapset.obstruction.tables import Sweep

        pair = Path(given.model), Path(given.card), params.donor
        synthesiser = load_synthesiser(*pair, params.recipe, device, params.precision)
        extractors = {
            Path(path).stem: load_extractor(Path(path), device=device) for path in given.extractors
        }
        settings = {**params.settings, "precision": params.precision}
        write_sweep(
            Path(snakemake.output.measures),
            Sweep(**params.sweep),
            AttackJob(BREAKER, names.subject, params.seed, settings),
            extractors[names.extractor],
            Evaluator(extractors, params.reference, synthesiser, targets=[names.extractor]),
            Path(given.frames),
            log=log,
        )
