# What a finished build no longer needs. Tables of detectors and of Landmark Breaker that are there
# have to be up to date; until they are there, what they are made of stays (swapset/build/tidy.py).


rule tidy:
    input:
        rules.all.input,
        tidying.finished(),
    output:
        table=f"{R}/tables/tidied.csv",
    message:
        "Removing what the finished build no longer needs: tables/tidied.csv says what"
    log:
        f"{R}/logs/tidy.log",
    benchmark:
        f"{R}/benchmarks/tidy.tsv"
    params:
        code=build.code("tidy"),
        removed=tidying.removed(),
        kept=tidying.kept(),
        sources=lambda w, output: tidying.sources(),
    localrule: True
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(60),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/tidy.py"
