"""What the one who starts the page decides: limits and sizes. One value for the whole process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The page's limits.

    Attributes:
        max_minutes: the longest recording that is separated.
        max_upload_mb: the largest file that can be uploaded, in MB (1e6 bytes).
        workers: how many songs are separated at a time.
        queue: how many more may wait; who comes then is asked to try later.
        cache_mb: memory for the stems of finished songs, in MB; the longest unused go first. The last song
            stays, whatever its size.
        patience_s: a job that no visitor has asked about for so many seconds is given up.
    """

    max_minutes: float = 20.0
    max_upload_mb: int = 200
    workers: int = 1
    queue: int = 8
    cache_mb: int = 1000
    patience_s: float = 180.0


_current = Settings()


def current() -> Settings:
    """Return the settings in force."""
    return _current


def use(settings: Settings) -> None:
    """Put other settings in force, before the first visitor comes."""
    global _current
    _current = settings
