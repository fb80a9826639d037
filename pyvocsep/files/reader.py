"""Audio files read block by block, with errors that name the file and what is wrong with it."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import IO, Any

from pyvocsep._core import limits
from pyvocsep.arrays import POSSIBLE_CHANNELS, POSSIBLE_RATES, Samples
from pyvocsep.errors import AudioFileError
from pyvocsep.files.covers import Cover
from pyvocsep.files.decoding import open_decoder
from pyvocsep.files.structure import UnreadableError


class AudioReader:
    """An audio file, open for reading; a context manager.

    A file that is damaged or cut short is read as far as it can be, and `faults` says what is missing.

    Args:
        source: path of the file, which may be a pipe, or a binary file object, which stays open. One that can
            seek is read from its beginning, wherever it stands; another from where it is.
        strict: refuse a file with faults instead.
        raw: (rate, channels) if the file is nothing but 32-bit float samples, little-endian and interleaved.
        any_channels: take files of more than two channels too.

    Attributes:
        path: as given, or for messages a name of the file object.
        sample_rate: in Hz.
        channels: 1 or 2, more if `any_channels`.
        frames: how many samples each channel has; a damaged file may turn out to have fewer. None if the file
            does not say.
        seconds: how long it seems to be; infinite if nothing tells.
        format, subtype: libsndfile's names for the container and its samples, as WAV and PCM_16.
        tags: text such as title and artist, by libsndfile's names, and "albumartist".
        cover: the picture of the front cover, None if there is none.

    Raises:
        OSError: the file is missing, a folder, or may not be read.
        AudioFileError: it is empty, not audio, or has a rate or channels that cannot be separated.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | IO[bytes],
        *,
        strict: bool = False,
        raw: tuple[int, int] | None = None,
        any_channels: bool = False,
    ) -> None:
        self._is_strict = strict
        self._most_channels = 2**16 if any_channels else limits.MAX_CHANNELS
        self._stack = ExitStack()
        try:
            if isinstance(source, str | os.PathLike):
                self.path: str | os.PathLike[str] = source
                file: Any = self._stack.enter_context(_open(source))
            else:
                self.path, file = file_name(source), source
            with self._errors_about_the_file():
                self._decoder = open_decoder(file, os.fspath(self.path), raw, self._stack)
            self.sample_rate = self._decoder.sample_rate
            self.channels = self._decoder.channels
            self.frames = self._decoder.frames
            self.seconds = self._decoder.seconds
            self.format = self._decoder.format
            self.subtype = self._decoder.subtype
            self.tags = self._decoder.tags
            self.cover: Cover | None = getattr(self._decoder, "cover", None)
            self._check()
        except BaseException:
            self.close()
            raise

    @property
    def faults(self) -> tuple[str, ...]:
        """What is missing or damaged, as far as it was found: all of it after the last of the `blocks`."""
        return tuple(self._decoder.faults)

    def blocks(self, length: int) -> Iterator[Samples]:
        """Yield the samples in float32 arrays (channels, at most `length`).

        Raises OSError if the system refuses to read the file, and AudioFileError if nothing in it can be
        decoded or, if strict, not all of it.
        """
        done = 0
        with self._errors_about_the_file():
            for block in self._decoder.blocks(length):
                done += block.shape[1]
                yield block
        if done == 0:
            what = "contains no audio" if self.frames is None else "nothing in it can be decoded"
            raise self._error(", ".join(self.faults) or what)
        self._check_faults()

    def close(self) -> None:
        """Close the file, unless it is the caller's."""
        self._stack.close()

    def __enter__(self) -> AudioReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self) -> None:
        if self.channels > self._most_channels:
            raise self._error(f"has {self.channels} channels; {POSSIBLE_CHANNELS} can be separated")
        if not limits.MIN_SAMPLE_RATE <= self.sample_rate <= limits.MAX_SAMPLE_RATE:
            raise self._error(f"has a rate of {self.sample_rate} Hz; {POSSIBLE_RATES} can be separated")
        self._check_faults()
        if self.frames == 0:
            raise self._error("contains no audio")

    def _check_faults(self) -> None:
        if self._is_strict and self.faults:
            raise self._error(", ".join(self.faults))

    @contextmanager
    def _errors_about_the_file(self) -> Iterator[None]:
        try:
            yield
        except UnreadableError as error:
            raise self._error(str(error)) from None
        except OSError as error:  # of a disk that fails while it is read: it does not say which file
            raise OSError(error.errno, error.strerror, error.filename or os.fspath(self.path)) from error

    def _error(self, reason: str) -> AudioFileError:
        return AudioFileError(self.path, reason)


def file_name(file: object) -> str:
    """Return what an open file is called in messages: its path, if it has one."""
    name = getattr(file, "name", None)
    if isinstance(name, str | os.PathLike):
        return os.fspath(name)
    return f"the open file ({type(file).__name__})"


def _open(path: str | os.PathLike[str]) -> io.FileIO:
    try:
        return io.FileIO(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(error.errno, "no such file", os.fspath(path)) from None
