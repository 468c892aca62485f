# Remove files that a finished build no longer needs, and results of earlier configs. Existing tables of detectors and of Landmark
# Breaker must be up to date; the inputs of tables that do not exist yet stay
# (swapset/build/tidy.py).
from swapset.build.leftovers import SEEN


rule tidy:
    input:
        rules.all.input,
        tidying.finished(),
        # They may show a clip that was withdrawn.
        [path for path in [*rules.figures.output, *rules.report.output] if os.path.exists(path)],
    output:
        table=f"{R}/tables/tidied.csv",
    message:
        "Removing files that the finished build no longer needs or makes, listed in tables/tidied.csv"
    log:
        f"{R}/logs/tidy.log",
    benchmark:
        f"{R}/benchmarks/tidy.tsv"
    params:
        code=build.code("tidy"),
        removed=tidying.removed(),
        kept=tidying.kept(),
        seen=lambda w: stages.leftovers.token(),
        unmade=lambda w, output: stages.leftovers.paths(),
        token=lambda w, output: f"{R}/{SEEN}",
        sources=lambda w, output: tidying.sources(),
    localrule: True
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(60),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/tidy.py"
