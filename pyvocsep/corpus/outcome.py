"""What became of a recording."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from enum import Enum

from pyvocsep.errors import AudioFileError


class Status(str, Enum):
    """How one attempt ended."""

    DONE = "done"
    FAILED = "failed"
    """For a reason that another attempt would meet again."""
    TROUBLED = "troubled"
    """For a reason that may pass: a network, a disk, a worker that was killed."""
    KILLED = "killed"
    """The workers that had it died, it or another recording was the reason."""
    FULL = "full"
    """There is no room for the stems, or for what leads to them."""


@dataclass(frozen=True)
class Outcome:
    """How one attempt on a recording ended.

    Attributes:
        reason: why it is not done.
        notes: what the user should know about a recording that is done.
        is_incomplete: whether it is damaged or cut short, and only what could be decoded is separated.
        sizes: bytes of each stem.
        audio_s, work_s: seconds of audio, and seconds that it took.
        worker: the process that did it.
    """

    status: Status
    reason: str = ""
    notes: tuple[str, ...] = ()
    is_incomplete: bool = False
    sizes: dict[str, int] = field(default_factory=dict)
    audio_s: float = 0.0
    work_s: float = 0.0
    worker: str = ""


_FULL = (errno.ENOSPC, errno.EDQUOT)
_FINAL = (
    AudioFileError,
    ValueError,
    TypeError,
    ImportError,
    FileNotFoundError,
    FileExistsError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
)


def status_of(error: BaseException) -> Status:
    """Tell what an exception means for another attempt."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return Status.FULL
    return Status.FAILED if isinstance(error, _FINAL) else Status.TROUBLED


def reason_of(error: BaseException) -> str:
    """Return an exception as a sentence."""
    if isinstance(error, AudioFileError):
        return error.reason
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.strerror[0].lower()}{error.strerror[1:]}"
        return text if error.filename is None else f"{os.fsdecode(error.filename)}: {text}"
    text = str(error)
    return text if text and isinstance(error, _FINAL) else f"{type(error).__name__}: {text}".rstrip(": ")
