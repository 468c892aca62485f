"""Errors that a user can act on: one clear message, no traceback needed.

Every message names the file, line or key that is wrong and says what to do about it.
"""


class SwapsetError(Exception):
    """Base of all errors whose message is meant for the user.

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
    """An intermediate file that is damaged or does not fit what it is used with."""


class TrainingError(SwapsetError):
    """A training that cannot go on (for example a loss that is not a number)."""


class InterruptedTrainingError(TrainingError):
    """A training that was told to end and has saved what it needs to go on."""

    retryable = True


class FetchError(MediaError):
    """A file that did not come over the network."""

    retryable = True


class DeviceError(ConfigError):
    """A device that is not there, or not on this machine."""

    retryable = True
