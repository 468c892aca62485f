"""Errors that a user can act on: one clear message without a traceback.

Every message names the file, line or key that is wrong and says what to do about it.
"""


class SwapsetError(Exception):
    """Base of all errors with a message for the user.

    Attributes
    ----------
    retryable : bool
        Whether the same work may succeed when it is tried again, later or on another machine.
    """

    retryable = False


class ConfigError(SwapsetError):
    """A configuration key or value that cannot be used."""


class ManifestError(SwapsetError):
    """A row of a manifest (`clips.csv`, `subjects.csv`, `swaps`) that cannot be used."""


class MediaError(SwapsetError):
    """A media file that cannot be read or written."""


class DataError(SwapsetError):
    """An intermediate file that is damaged or does not match the files used with it."""


class TrainingError(SwapsetError):
    """A training run that cannot continue, for example because its loss is not a number."""


class InterruptedTrainingError(TrainingError):
    """A training run that was asked to stop and has saved its state, so that it can resume."""

    retryable = True


class FetchError(MediaError):
    """A download that failed."""

    retryable = True


class DeviceError(ConfigError):
    """A device that is not available, or not on this machine."""

    retryable = True
