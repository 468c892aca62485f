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
        uses=lambda w: contents.identify(detection.public.best_videos(w.dataset)),
        videos=lambda w, output: detection.public.best_videos(w.dataset),
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(60),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/count_public.py"


rule demographics:
    input:
        clips=DECIDED if decisions.here else [f"{R}/tables/clips.csv"],
    output:
        table=f"{R}/tables/demographics.csv",
    message:
        "Writing the table of the people in the dataset"
    log:
        f"{R}/logs/demographics.log",
    benchmark:
        f"{R}/benchmarks/demographics.tsv"
    params:
        code=build.code("demographics"),
        people=[vars(person) for person in build.people],
        uses=lambda w: decisions.shown(build.subjects),
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(10),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/demographics.py"


rule dataset:
    input:
        public=expand("{R}/tables/public/{name}.csv", R=R, name=build.config.datasets),
        videos=not_retrieved(build.videos()),
        records=build.records(),
        labels=build.labels(),
        verdicts=expand("{R}/verdicts/{subject}.json", R=R, subject=build.subjects),
        table=f"{R}/tables/clips.csv",
    output:
        provenance=f"{R}/dataset/provenance.jsonl",
        table=f"{R}/tables/datasets.csv",
        fakes=f"{R}/tables/fakes.csv",
    message:
        "Writing provenance and tables of the dataset"
    log:
        f"{R}/logs/dataset.log",
    benchmark:
        f"{R}/benchmarks/dataset.tsv"
    params:
        code=build.code("dataset"),
        clips=build.clip_facts(),
        methods=build.methods,
        compressions=build.config.compressions,
        settings=build.settings_hash(),
        config_hash=lambda w, output: build.config_hash(),
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(30),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/dataset.py"
