# Places of files. Results go to object storage if Snakemake has a default storage provider.
STORED = workflow.storage_settings.default_storage_provider

if STORED and (os.path.isabs(R) or R.startswith("..")):
    raise WorkflowError(
        f"results: {R} has to be a relative path where results are objects in storage"
    )


def made_or_stored(paths):
    """Return the inputs among these files: results of the build, and objects in storage.

    Snakemake would compare times and places of all others; see swapset/build/contents.py.
    """
    inputs = [path for path in paths if not build.is_outside(path)]
    return [path if path.startswith(f"{R}/") else storage(path) for path in inputs]


def located(paths, inputs):
    """Return where a job finds files: those among its inputs where these are, others in place."""
    places = iter(inputs)
    return [path if build.is_outside(path) else next(places) for path in paths]


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
