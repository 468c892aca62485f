# Inputs of jobs that use decisions of `accept`, see swapset/build/decisions.py.
from snakemake.io import flag


def judged(kind, name):
    """Return a subject's file or folder of one kind, for a job on the subject or on one clip.

    Its time counts only while `accept` has not yet decided on the present state of these clips;
    afterwards the job compares the decisions.
    """
    subject = name.partition("_")[0]
    path = f"{R}/accepted/{subject}.json" if kind == "accepted" else f"{R}/{kind}/{subject}"
    if decisions.open(name):
        return path
    return after_accept(path) if kind == "accepted" else ancient(path)


def after_accept(path):
    """Return an output of `accept` as an input whose time does not count.

    Where `accept` will run, Snakemake does not look for changes of the jobs behind it until it has.
    A dry run never gets there, and is therefore given a path that no rule makes.
    """
    there = workflow.output_settings.dryrun and os.path.exists(path)
    return as_it_is(path) if there else ancient(path)


def as_it_is(path):
    """Return an existing file as an input that no rule makes, and whose time does not count."""
    folder, name = os.path.split(path)
    detour = os.path.join(folder, "..", os.path.basename(folder), name)
    return flag(ancient(detour), "sourcecache_entry", path)  # compared as `path`


# An input of rules that read no decision, so that Snakemake decides on them anew after `accept`.
# As a path: `rules.accept` here would make Snakemake's planning quadratic.
DECIDED = [after_accept(f"{R}/tables/clips.csv")] if build.subjects else []


def same_people():
    """Return the table of subjects who are one person, for jobs that compare what it says of two."""
    tables = build.same_people()
    return [after_accept(table) for table in tables] if decisions.here else tables


def splits_of(trained, known):
    """Return the table of splits of what a detector learnt from, for a job whose rows are known."""
    table = detection.set_of(trained).splits
    return as_it_is(table) if known else table
