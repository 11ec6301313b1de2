"""The errors a person is meant to read: each says what was wrong, with what, and what to do."""


class LensError(Exception):
    """Base of every error whose message may be shown to a person as it is."""


class CheckpointError(LensError):
    """A checkpoint cannot be read, or is not a model this package knows."""


class VideoError(LensError):
    """A file cannot be decoded to frames, or exceeds a limit."""


class UnsuitableModelError(LensError):
    """A model has nothing of the kind that it was asked about."""


class MemoryFullError(LensError):
    """A model does not fit into the memory of the device it was to run on, nor of any other."""


class DataError(LensError):
    """A label file, list file or configuration is wrong."""


class DownloadError(LensError):
    """A published checkpoint cannot be had."""


class DownloadCancelled(DownloadError):
    """A download was stopped by whoever wanted it."""


class FontError(LensError):
    """No installed font has the characters of a figure."""
