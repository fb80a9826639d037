"""What can be wrong with audio, as exceptions and warnings.

The operating system's own refusals (no such file, permission denied, disk full) stay the `OSError` they are.
"""

from __future__ import annotations

import os


class AudioFileError(ValueError):
    """An audio file that cannot be separated or written.

    Attributes:
        path: the file.
        reason: what is wrong with it.
    """

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(f"{os.fspath(path)}: {reason}")
        self.path = os.fspath(path)
        self.reason = reason

    def __reduce__(self) -> tuple[type[AudioFileError], tuple[str, str]]:
        return type(self), (self.path, self.reason)  # a worker process can hand it to its parent


class AudioWarning(UserWarning):
    """The audio was separated, but not all of it could be kept: samples are no numbers, a peak clips."""


class IncompleteWarning(AudioWarning):
    """A file is damaged or cut short; what could be decoded was separated."""
