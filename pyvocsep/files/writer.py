"""Audio files that appear only when they are whole, in formats and with tags that follow the input."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from pyvocsep.arrays import Samples
from pyvocsep.errors import AudioFileError
from pyvocsep.files.commit import hidden_name, rename_all, sync_file
from pyvocsep.files.formats import SAMPLE_BYTES, error_text, soundfile
from pyvocsep.files.id3 import id3_tag
from pyvocsep.files.ownership import SOFTWARE, check_replaceable
from pyvocsep.files.raw_file import RawFile

_CHUNK = 16_384
"""Frames per write: the Vorbis encoder puts what it is given on the stack, which is small in threads."""

_LARGEST_32_BIT_FILE = 2**32 - 2**16
"""Bytes of samples in a file whose header counts in 32 bits, with room for the rest of the file."""


class AudioWriter:
    """An audio file in the making; a context manager.

    The samples go to a hidden temporary file in the target's folder. `finish` completes that file and
    `commit` gives it the target's name; leaving the context without a commit, for whatever reason, removes
    it. So the target is never a part of a file, and what it was before stays until there is a whole one.

    Args:
        path: the target, replaced at the commit if this package wrote it.
        sample_rate: in Hz.
        channels: 1 or 2.
        format: a key of `SUBTYPES`.
        subtype: one of the format's.
        frames: how many will come; decides how a WAV file over 4 GB is laid out (RF64).
        tags: text such as title and artist; what the format cannot hold is left out.

    Raises:
        OSError: the target cannot be made, or exists and was written by something else.
        AudioFileError: the format cannot hold this rate or this much.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        sample_rate: int,
        channels: int,
        *,
        format: str,
        subtype: str,
        frames: int,
        tags: Mapping[str, str],
    ) -> None:
        self.path = Path(path)
        self._subtype = subtype
        self._peak = 0.0
        container = self._container(format, frames * channels * SAMPLE_BYTES.get(subtype, 0))
        _check_is_no_folder(self.path)
        check_replaceable(self.path)
        self.temporary = hidden_name(self.path, "part")
        self._file = _create(self.temporary)
        try:
            self._sound = self._open_sound(container, sample_rate, channels, tags)
        except BaseException:
            self.discard()
            raise

    def write(self, block: Samples) -> None:
        """Append a block (channels, samples).

        Raises OSError where the system refuses to store it, as on a full disk.
        """
        self._peak = max(self._peak, float(np.abs(block).max(initial=0)))
        samples = block.T
        with self._kept_errors():
            for start in range(0, len(samples), _CHUNK):
                self._sound.write(samples[start : start + _CHUNK])

    def finish(self) -> None:
        """Complete the temporary file; OSError as for `write`."""
        with self._kept_errors():
            self._sound.close()
            sync_file(self._file.fileno())
            self._file.close()

    def commit(self) -> None:
        """Give the finished file its name."""
        commit([self])

    def clipping(self) -> str | None:
        """Return a sentence that names the peak, if the subtype could not hold it."""
        if self._peak <= 1 or self._subtype in ("FLOAT", "DOUBLE"):
            return None
        return (
            f"{self.path}: the peak is {self._peak:.3f}, {self._subtype} clips at 1; "
            "wav or aiff with subtype FLOAT keeps it"
        )

    def discard(self) -> None:
        """Remove the temporary file, if there still is one."""
        with suppress(Exception):  # the file is given up: that it cannot be completed is no news
            self._sound.close()
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self.temporary.unlink()

    def __enter__(self) -> AudioWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()

    def _container(self, format: str, size: int) -> str:
        if size <= _LARGEST_32_BIT_FILE or format not in ("wav", "aiff"):
            return format.upper()
        if format == "wav":
            return "RF64"
        raise AudioFileError(self.path, "would be over 4 GB, more than aiff can hold; wav and flac can")

    def _open_sound(self, container: str, sample_rate: int, channels: int, tags: Mapping[str, str]) -> Any:
        if container == "MP3":
            self._file.write(id3_tag({**tags, "software": SOFTWARE}))
            self._file.start_here()
        try:
            sound = soundfile().SoundFile(
                self._file, "w", sample_rate, channels, self._subtype, format=container
            )
        except soundfile().LibsndfileError as error:
            self._file.raise_kept(self.path)
            reason = f"{container} ({self._subtype}) cannot hold {sample_rate} Hz, {channels} channels"
            raise AudioFileError(self.path, f"{reason} ({error_text(error)})") from None
        if container != "MP3":
            for tag, text in {**tags, "software": SOFTWARE}.items():
                with suppress(soundfile().LibsndfileError):  # the format has no such tag
                    setattr(sound, tag, text)
        return sound

    @contextmanager
    def _kept_errors(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._file.raise_kept(self.path)  # libsndfile's own complaint says less than the system's
            if isinstance(error, OSError):
                raise OSError(error.errno, error.strerror, str(self.path)) from error
            raise
        self._file.raise_kept(self.path)


def commit(writers: Sequence[AudioWriter]) -> None:
    """Give the finished files of several writers their names, all or none.

    Raises OSError if one cannot be named; then all targets are what they were.
    """
    for writer in writers:
        check_replaceable(writer.path)  # again: somebody may have been here meanwhile
    rename_all([(writer.temporary, writer.path) for writer in writers])


def _create(temporary: Path) -> RawFile:
    try:
        return RawFile(temporary)
    except OSError as error:  # the name of the temporary file would puzzle: the folder is what refuses
        raise OSError(
            error.errno, f"cannot write in this folder ({error.strerror})", str(temporary.parent)
        ) from None


def _check_is_no_folder(target: Path) -> None:
    with suppress(FileNotFoundError):
        os.stat(target)  # also refuses, before any work, a name that is too long
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "cannot be written, it is a folder", str(target))
