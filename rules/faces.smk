# Faces: follow them through every clip, accept or reject clips, smooth landmarks, align.


rule track:
    input:
        clips=rules.ingest.output.clips,
    output:
        tracks=directory(f"{R}/tracks/{{subject}}"),
    message:
        "Following faces through the clips of {wildcards.subject}"
    log:
        f"{R}/logs/track/{{subject}}.log",
    benchmark:
        f"{R}/benchmarks/track/{{subject}}.tsv"
    params:
        code=build.code("track"),
        settings=build.config.track.model_dump(mode="json"),
    resources:
        mem_mb=per_attempt(1500),
        runtime=per_attempt(60),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/track.py"


# One job for all subjects, because a face belongs to the nearest of them. It is a checkpoint only
# so that Snakemake decides anew, after it, which jobs must run: verdicts that stay the same (it
# compares small files by content) rebuild nothing. Snakemake decides anew only for rules with a
# verdict among their own inputs, which all later rules have. No input function waits for it, so
# that dry runs show every job.
checkpoint accept:
    input:
        clips=expand("{R}/clips/{subject}", R=R, subject=build.subjects),
        tracks=expand("{R}/tracks/{subject}", R=R, subject=build.subjects),
    output:
        verdicts=expand("{R}/accepted/{subject}.json", R=R, subject=build.subjects),
        table=f"{R}/tables/clips.csv",
        same=f"{R}/tables/same_people.csv",
    message:
        "Accepting or rejecting the clips of all subjects"
    log:
        f"{R}/logs/accept.log",
    benchmark:
        f"{R}/benchmarks/accept.tsv"
    params:
        code=build.code("accept"),
        subjects=build.subjects,
        settings=build.config.accept.model_dump(mode="json"),
        strict=build.config.strict,
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(20),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/accept.py"


rule align:
    input:
        clips=rules.ingest.output.clips,
        tracks=rules.track.output.tracks,
        verdicts=f"{R}/accepted/{{subject}}.json",
    output:
        landmarks=directory(f"{R}/landmarks/{{subject}}"),
        faces=directory(f"{R}/faces/{{subject}}"),
    message:
        "Smoothing landmarks and aligning faces of {wildcards.subject}"
    log:
        f"{R}/logs/align/{{subject}}.log",
    benchmark:
        f"{R}/benchmarks/align/{{subject}}.tsv"
    params:
        code=build.code("align"),
        smoothing=build.config.smoothing.model_dump(mode="json"),
        settings=build.config.align.model_dump(mode="json"),
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(30),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/align.py"
