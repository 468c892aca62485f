# Scores by detectors that were run elsewhere, in the form of those of rule score.


rule outside_scores:
    input:
        splits=lambda w: as_it_is(SPLITS) if detection.knows_tested(w.dataset) else SPLITS,
    output:
        scores=f"{R}/scores/{{outside}}/{{dataset}}/{{compression}}.parquet",
        summary=f"{R}/scores/{{outside}}/{{dataset}}/{{compression}}.json",
    message:
        "Reading the scores of {wildcards.dataset} {wildcards.compression} by {wildcards.outside}"
    log:
        f"{R}/logs/outside_scores/{{outside}}/{{dataset}}/{{compression}}.log",
    benchmark:
        f"{R}/benchmarks/outside_scores/{{outside}}/{{dataset}}/{{compression}}.tsv"
    params:
        code=build.code("outside_scores"),
        videos=lambda w: detection.tests(w.dataset),
        kinds=lambda w: {
            name: detection.kinds(name) for name in detection.outside.judged_by(w.outside)
        },
        higher=lambda w: detection.outside.direction(
            w.outside, w.dataset, w.compression, detection.compressions
        ),
        uses=lambda w: contents.identify(detection.outside.judged_by(w.outside)),
        files=lambda w, output: detection.outside.judged_by(w.outside),
        file=lambda w, output: detection.outside.file(
            w.outside, w.dataset, w.compression, detection.compressions
        ),
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(30),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/outside_scores.py"


rule outside_scores_table:
    input:
        summaries=lambda w: [
            path.removesuffix("parquet") + "json"
            for path in detection.outside.scores(detection.compressions)
        ],
    output:
        table=f"{R}/tables/outside_scores.csv",
    message:
        "Writing the table of scores by detectors that were run elsewhere"
    log:
        f"{R}/logs/outside_scores_table.log",
    benchmark:
        f"{R}/benchmarks/outside_scores_table.tsv"
    params:
        code=build.code("outside_scores_table"),
    resources:
        mem_mb=per_attempt(500),
        runtime=per_attempt(10),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/outside_scores_table.py"
