# Figures, the page that shows them with all tables, and the chapter's own numbers.
from swapset.build.data_hash import data_hash
from swapset.build.figures import BREAKER_FIGURES, DETECTOR_FIGURES, figure_names
from swapset.report.quoted import quoted_names


rule quoted:
    output:
        tables=expand("{R}/tables/quoted/{name}.csv", R=R, name=quoted_names()),
    message:
        "Writing the tables of the chapter"
    log:
        f"{R}/logs/quoted.log",
    benchmark:
        f"{R}/benchmarks/quoted.tsv"
    params:
        code=build.code("quoted"),
        data=data_hash("report/quoted"),
    resources:
        mem_mb=per_attempt(500),
        runtime=per_attempt(5),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/quoted.py"


# The fakes shown depend on which could be made. Their videos, labels and models are therefore no
# inputs, except with object storage, which has to be asked for them; the tables, which are inputs,
# depend on all of them.
rule figures:
    input:
        fakes=f"{R}/tables/fakes.csv",
        provenance=f"{R}/dataset/provenance.jsonl",
        verdicts=f"{R}/tables/clips.csv",
        scores=f"{R}/tables/mask_ssim.csv",
        per_fake=f"{R}/tables/mask_ssim_per_fake.csv",
        differences=f"{R}/tables/mask_ssim_differences.csv",
        clips=expand("{R}/clips/{subject}", R=R, subject=build.subjects),
        landmarks=expand("{R}/landmarks/{subject}", R=R, subject=build.subjects),
        opened=lambda w: generation.figure_inputs() if STORED else [],
    output:
        figures=expand(
            "{R}/figures/{name}.png", R=R, name=figure_names(build.methods, build.recipes)
        ),
    message:
        "Drawing the figures of the dataset"
    log:
        f"{R}/logs/figures.log",
    benchmark:
        f"{R}/benchmarks/figures.tsv"
    params:
        code=build.code("figures"),
        recipes={method: build.recipes[method].model_dump() for method in build.methods},
        owners={method: build.model_recipe(method) for method in build.methods},
        shared=generation.shared,
        precision=build.config.training.precision,
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(30),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/figures.py"


rule report:
    input:
        figures=rules.figures.output.figures,
        quoted=rules.quoted.output.tables,
        verdicts=expand("{R}/verdicts/{subject}.json", R=R, subject=build.subjects),
        previews=expand("{R}/models/{stem}.png", R=R, stem=generation.previewed()),
        provenance=f"{R}/dataset/provenance.jsonl",
        tables=expand(
            "{R}/tables/{name}.csv",
            R=R,
            name=[
                "datasets",
                "fakes",
                "training",
                "mask_ssim",
                "mask_ssim_differences",
                "mask_ssim_per_fake",
                "expression",
                "expression_differences",
            ],
        ),
        demographics=[f"{R}/tables/demographics.csv"] if build.people else [],
        detectors=(
            [f"{R}/tables/detector_auc.csv", f"{R}/tables/left_out.csv"]
            if detection.scores()
            else []
        ),
        detector_figures=(
            expand("{R}/figures/{name}.png", R=R, name=DETECTOR_FIGURES)
            if detection.scores()
            else []
        ),
        matrix=matrix.results(),
        outside_scores=([f"{R}/tables/outside_scores.csv"] if detection.outside.detectors else []),
        robustness=robustness.results(),
        breaker=(
            []
            if breaker.why_not
            else [
                f"{R}/tables/landmark_breaker.csv",
                f"{R}/tables/landmark_breaker_differences.csv",
                f"{R}/tables/landmark_breaker_detection.csv",
            ]
        ),
        breaker_figures=(
            [] if breaker.why_not else expand("{R}/figures/{name}.png", R=R, name=BREAKER_FIGURES)
        ),
        protected=protected.results(),
    output:
        page=f"{R}/report.html",
    message:
        "Writing the report"
    log:
        f"{R}/logs/report.log",
    benchmark:
        f"{R}/benchmarks/report.tsv"
    params:
        code=build.code("report"),
        data=data_hash("report/page/templates"),
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(10),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/report.py"
