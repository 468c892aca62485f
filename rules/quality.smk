# Quality of the fakes: Mask-SSIM over the head, identity, expression, sharpness and flicker.


rule measure:
    input:
        clips=f"{R}/clips/{{target}}",
        landmarks=f"{R}/landmarks/{{target}}",
        tracks=lambda w: expand("{R}/tracks/{s}", R=R, s=build.people_in(w.target)),
        verdicts=lambda w: expand("{R}/accepted/{s}.json", R=R, s=build.people_in(w.target)),
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
        videos=lambda w: external_inputs(
            sorted(
                {
                    path
                    for _, *paths, _ in detection.pair_block(w.dataset, w.block)
                    for path in paths
                    if path
                }
            )
        ),
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
        pairs=lambda w: detection.pair_block(w.dataset, w.block),
        settings=build.config.track.model_dump(mode="json"),
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
        verdicts=expand("{R}/accepted/{subject}.json", R=R, subject=build.subjects),
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
