# Quality of the fakes: Mask-SSIM over the head, identity, expression, sharpness and flicker.


rule measure:
    input:
        clips=lambda w: judged("clips", w.target),
        landmarks=f"{R}/landmarks/{{target}}",
        tracks=lambda w: [judged("tracks", person) for person in build.people_in(w.target)],
        verdicts=lambda w: [judged("accepted", person) for person in build.people_in(w.target)],
        videos=lambda w: build.fakes_of(w.target, "dataset/{method}/original/{fake}.mp4"),
        labels=lambda w: build.fakes_of(w.target, "labels/{method}/{fake}.parquet"),
    output:
        scores=f"{R}/quality/{{target}}.csv",
        heads=directory(f"{R}/heads/{{target}}"),
    message:
        "Measuring the fakes of {wildcards.target}"
    log:
        f"{R}/logs/measure/{{target}}.log",
    benchmark:
        f"{R}/benchmarks/measure/{{target}}.tsv"
    params:
        code=build.code("measure"),
        people=lambda w: build.people_in(w.target),
        uses=lambda w: decisions.accepted(*build.people_in(w.target)),
        every=build.config.quality.every,
        identity_frames=build.config.quality.identity_frames,
    resources:
        mem_mb=per_attempt(1500),
        runtime=per_attempt(60),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/measure.py"


# Fakes of public datasets whose originals are known.
rule measure_public:
    input:
        videos=lambda w: made_or_stored(detection.pair_videos(w.dataset, w.block)),
    output:
        scores=f"{R}/quality/public/{{dataset}}/{{block}}.csv",
    message:
        "Measuring the fakes of {wildcards.dataset}, block {wildcards.block}"
    log:
        f"{R}/logs/measure_public/{{dataset}}/{{block}}.log",
    benchmark:
        f"{R}/benchmarks/measure_public/{{dataset}}/{{block}}.tsv"
    params:
        code=build.code("measure_public"),
        uses=lambda w: contents.identify(detection.pair_block(w.dataset, w.block)),
        pairs=lambda w, output: detection.pair_block(w.dataset, w.block),
        tracking=contents.identify(build.track.model_dump(mode="json")),
        settings=lambda w, output: build.track.model_dump(mode="json"),
        sources=lambda w, output: outside.keys(detection.pair_videos(w.dataset, w.block)),
        note=lambda w, output: f"{R}/sources/measure_public/{w.dataset}/{w.block}.json",
        every=build.config.quality.every,
        identity_frames=build.config.quality.identity_frames,
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(240),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/measure_public.py"


rule mask_ssim:
    input:
        scores=expand("{R}/quality/{target}.csv", R=R, target=build.targets),
        public=lambda w: detection.pair_blocks(),
        decided=DECIDED,
    output:
        table=f"{R}/tables/mask_ssim.csv",
        differences=f"{R}/tables/mask_ssim_differences.csv",
        fakes=f"{R}/tables/mask_ssim_per_fake.csv",
        expression=f"{R}/tables/expression.csv",
        expression_differences=f"{R}/tables/expression_differences.csv",
        expression_fakes=f"{R}/tables/expression_per_fake.csv",
    message:
        "Writing the tables of Mask-SSIM and expression of all methods"
    log:
        f"{R}/logs/mask_ssim.log",
    benchmark:
        f"{R}/benchmarks/mask_ssim.tsv"
    params:
        code=build.code("mask_ssim"),
        methods=lambda w: [*detection.own_datasets, *detection.paired],
        fakes=[len(build.methods) * len(build.swaps_of(target)) for target in build.targets],
        seed=build.config.seed,
        level=build.config.quality.level,
        bootstrap=build.config.quality.bootstrap,
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(10),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/mask_ssim.py"
