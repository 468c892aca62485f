# Where files lie. Results go to object storage if Snakemake has a default storage provider.
from snakemake.io import _IOFile, flag

STORED = workflow.storage_settings.default_storage_provider

if STORED and (os.path.isabs(R) or R.startswith("..")):
    raise WorkflowError(
        f"results: {R} has to be a relative path where results are objects in storage"
    )


def external_inputs(paths):
    """Mark files that are not made here: on a disk, wherever results go, or in object storage."""
    return [
        path if path.startswith(f"{R}/") else storage(path) if "://" in path else as_named(path)
        for path in paths
    ]


def as_named(path):
    """Mark a local file whose name is not ours: {braces} in it are no wildcards."""
    return flag(local(path), "as_named")


def apply_wildcards(self, wildcards, replace=_IOFile.apply_wildcards):
    """Leave names alone that are not ours; Snakemake (9.27) has no escape for them."""
    return self if "as_named" in self.flags else replace(self, wildcards)


_IOFile.apply_wildcards = apply_wildcards


def not_retrieved(paths):
    """Mark results that a job waits for without opening them: they stay in object storage."""
    if not STORED:
        return paths
    place = workflow.storage_settings.default_storage_prefix.rstrip("/")
    return [getattr(storage, STORED)(f"{place}/{path}", retrieve=False) for path in paths]


if STORED == "s3":
    from snakemake_storage_plugin_s3 import StorageObject

    def is_folder(self):
        """Look again for a folder that was not there; the plugin (0.3.6) would not."""
        self._is_dir = self._is_dir or any(self.get_subkeys())
        return self._is_dir

    StorageObject.is_dir = is_folder
