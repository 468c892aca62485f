# Where files lie. Results go to object storage if Snakemake has a default storage provider.
STORED = workflow.storage_settings.default_storage_provider


def given(paths):
    """Mark files that are not made here; they lie on a disk, wherever results go."""
    return [path if path.startswith(f"{R}/") else local(path) for path in paths]


def unopened(paths):
    """Mark results that a job waits for without opening them: they stay in object storage."""
    if not STORED:
        return paths
    place = workflow.storage_settings.default_storage_prefix.rstrip("/")
    return [getattr(storage, STORED)(f"{place}/{path}", retrieve=False) for path in paths]
