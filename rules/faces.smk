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
        uses=contents.identify(build.track.model_dump(mode="json")),
        settings=lambda w, output: build.track.model_dump(mode="json"),
    resources:
        mem_mb=per_attempt(1500),
        runtime=per_attempt(60),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/track.py"


# One job for all subjects, because a face belongs to the nearest of them. It is a checkpoint only
# so that Snakemake decides anew, after it, which jobs must run. Snakemake does so for rules with an
# output of this one among their own inputs, which all later rules have. No input function waits for
# it, so that dry runs show every job.
checkpoint accept:
    input:
        clips=expand("{R}/clips/{subject}", R=R, subject=build.subjects),
        tracks=expand("{R}/tracks/{subject}", R=R, subject=build.subjects),
    output:
        decisions=expand("{R}/accepted/{subject}.json", R=R, subject=build.subjects),
        verdicts=expand("{R}/verdicts/{subject}.json", R=R, subject=build.subjects),
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
        requests=lambda w, output: {clip: decisions.request(clip) for clip in build.manifest.clips},
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
        clips=lambda w: judged("clips", w.subject),
        tracks=lambda w: judged("tracks", w.subject),
        verdicts=lambda w: judged("accepted", w.subject),
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
        uses=lambda w: decisions.accepted(w.subject),
        smoothing=build.config.smoothing.model_dump(mode="json"),
        settings=build.config.align.model_dump(mode="json"),
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(30),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/align.py"
