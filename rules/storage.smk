# Places of files. Results go to object storage if Snakemake has a default storage provider.
from snakemake.io import _IOFile, flag

STORED = workflow.storage_settings.default_storage_provider

if STORED and (os.path.isabs(R) or R.startswith("..")):
    raise WorkflowError(
        f"results: {R} has to be a relative path where results are objects in storage"
    )


def external_inputs(paths):
    """Mark files that the build does not make: local ones, wherever results go, and URLs."""
    return [
        path if path.startswith(f"{R}/") else storage(path) if "://" in path else as_named(path)
        for path in paths
    ]


def as_named(path):
    """Mark a local file with a name chosen by the user: {braces} in it are not wildcards."""
    return flag(local(path), "as_named")


def apply_wildcards(self, wildcards, replace=_IOFile.apply_wildcards):
    """Leave names chosen by users alone; Snakemake (9.27) has no escape for braces."""
    return self if "as_named" in self.flags else replace(self, wildcards)


_IOFile.apply_wildcards = apply_wildcards


def not_retrieved(paths):
    """Mark results that a job waits for but does not open, so that they stay in object storage."""
    if not STORED:
        return paths
    place = workflow.storage_settings.default_storage_prefix.rstrip("/")
    return [getattr(storage, STORED)(f"{place}/{path}", retrieve=False) for path in paths]


if STORED == "s3":
    from snakemake_storage_plugin_s3 import StorageObject

    def is_folder(self):
        """Check again for a folder that did not exist before; the plugin (0.3.6) does not."""
        self._is_dir = self._is_dir or any(self.get_subkeys())
        return self._is_dir

    StorageObject.is_dir = is_folder
