# The finished dataset: every video in every compression, its provenance and its tables.


rule count_public:
    output:
        table=f"{R}/tables/public/{{dataset}}.csv",
    message:
        "Counting the videos of {wildcards.dataset}"
    log:
        f"{R}/logs/count_public/{{dataset}}.log",
    benchmark:
        f"{R}/benchmarks/count_public/{{dataset}}.tsv"
    params:
        code=build.code("count_public"),
        videos=lambda w: detection.public.best_videos(w.dataset),
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(60),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/count_public.py"


rule dataset:
    input:
        public=expand("{R}/tables/public/{name}.csv", R=R, name=build.config.datasets),
        videos=not_retrieved(build.videos()),
        records=build.records(),
        labels=build.labels(),
        verdicts=expand("{R}/accepted/{subject}.json", R=R, subject=build.subjects),
        # As a path: `rules.accept` here would make Snakemake's planning quadratic.
        table=f"{R}/tables/clips.csv",
    output:
        provenance=f"{R}/dataset/provenance.jsonl",
        table=f"{R}/tables/datasets.csv",
        fakes=f"{R}/tables/fakes.csv",
        demographics=[f"{R}/tables/demographics.csv"] if build.people else [],
    message:
        "Writing provenance and tables of the dataset"
    log:
        f"{R}/logs/dataset.log",
    benchmark:
        f"{R}/benchmarks/dataset.tsv"
    params:
        code=build.code("dataset"),
        clips=build.clip_facts(),
        people=[vars(person) for person in build.people],
        methods=build.methods,
        compressions=build.config.compressions,
        config_hash=build.config_hash(),
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(30),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/dataset.py"
