"""Audio files read block by block, with errors that name the file and what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import numpy as np

from pyvocsep._core import limits
from pyvocsep.arrays import POSSIBLE_CHANNELS, POSSIBLE_RATES, Samples
from pyvocsep.errors import AudioFileError
from pyvocsep.files.formats import SAMPLE_BYTES, error_text, soundfile
from pyvocsep.files.raw_file import RawFile
from pyvocsep.files.truncation import announced_frames, mp3_has_length, ogg_ends_with_a_page

_TAGS = ("title", "artist", "album", "date", "tracknumber", "genre", "comment", "copyright", "license")

_UNKNOWN = 2**63 - 1
"""What libsndfile says of the frames of a stream whose header does not count them."""

_LARGEST_TRAILER = 2**16
"""Bytes of tags that may follow the audio of an MP3 file."""


class AudioReader:
    """An audio file, open for reading; a context manager.

    Attributes:
        path: as given.
        sample_rate: in Hz.
        channels: 1 or 2.
        frames: how many samples each channel has. An estimate for an MP3 file without a length in its header.
        format, subtype: libsndfile's names for the container and its samples, as WAV and PCM_16.
        tags: text such as title and artist, by libsndfile's names.

    Raises:
        OSError: the file is missing, a folder, or may not be read.
        AudioFileError: it is empty, not audio, cut short, or has a rate or channels that cannot be separated.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path
        self._file = _open(path)
        try:
            self._sound = self._open_sound()
            self.sample_rate: int = self._sound.samplerate
            self.channels: int = self._sound.channels
            self.frames: int = self._sound.frames
            self.format: str = self._sound.format
            self.subtype: str = self._sound.subtype
            self.tags: dict[str, str] = {tag: text for tag in _TAGS if (text := getattr(self._sound, tag))}
            self._length_is_known = self.format != "MP3" or mp3_has_length(self._file)
            self._check()
            if self.frames == _UNKNOWN:
                self._count_frames()
        except BaseException:
            self.close()
            raise

    def blocks(self, length: int) -> Iterator[Samples]:
        """Yield the samples in float32 arrays (channels, `length`), the last one maybe shorter.

        Raises AudioFileError where the file turns out to be damaged or to hold less than it announced.
        """
        done = 0
        while done < self.frames:
            try:
                block = self._sound.read(min(length, self.frames - done), dtype="float32", always_2d=True)
            except soundfile().LibsndfileError as error:
                self._file.raise_kept(self.path)
                raise self._error(
                    f"damaged after sample {done} of {self.frames} ({error_text(error)})"
                ) from None
            self._file.raise_kept(self.path)
            if len(block) == 0:
                break
            done += len(block)
            yield np.ascontiguousarray(block.T)
        if self._length_is_known:
            self._check_complete(done, self.frames)
        elif self._file.unread() > _LARGEST_TRAILER:
            raise self._error(
                f"its header does not tell its length and only {done} samples could be read; "
                "rewriting it, for example with 'ffmpeg -i FILE -c copy NEW', adds the length"
            )

    def close(self) -> None:
        """Close the file."""
        if hasattr(self, "_sound"):
            self._sound.close()
        self._file.close()

    def __enter__(self) -> AudioReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open_sound(self) -> Any:
        if self._file.unread() == 0:
            raise self._error("the file is empty")
        try:
            sound = soundfile().SoundFile(self._file)
        except soundfile().LibsndfileError as error:
            self._file.raise_kept(self.path)
            raise self._error(f"not an audio file that can be read ({error_text(error)})") from None
        except TypeError:  # what soundfile makes of the suffix .raw
            raise self._error("raw samples, which do not tell their rate; make it a WAV file first") from None
        # Else it seeks to where it is after each read, which fails where the length is unknown.
        sound.seekable = lambda: False
        return sound

    def _count_frames(self) -> None:
        """Find the length of a stream that does not tell it (FLAC from a pipe), by decoding it once."""
        self._length_is_known = False
        self.frames = sum(block.shape[1] for block in self.blocks(self.sample_rate))
        self._sound.close()
        self._file.seek(0)
        self._sound = self._open_sound()

    def _check(self) -> None:
        if self.channels > limits.MAX_CHANNELS:
            raise self._error(f"has {self.channels} channels; {POSSIBLE_CHANNELS} can be separated")
        if not limits.MIN_SAMPLE_RATE <= self.sample_rate <= limits.MAX_SAMPLE_RATE:
            raise self._error(f"has a rate of {self.sample_rate} Hz; {POSSIBLE_RATES} can be separated")
        if self.format == "OGG" and not ogg_ends_with_a_page(self._file):
            raise self._error("cut short: it ends in the middle of a page")
        bytes_per_frame = self.channels * SAMPLE_BYTES.get(self.subtype, 0)
        self._check_complete(
            self.frames, announced_frames(self._sound.extra_info, self.frames, bytes_per_frame)
        )
        if self.frames == 0:
            raise self._error("contains no audio")

    def _check_complete(self, found: int, announced: int) -> None:
        if found < announced:
            raise self._error(f"cut short: only {found} of {announced} samples could be read")

    def _error(self, reason: str) -> AudioFileError:
        return AudioFileError(self.path, reason)


def _open(path: str | os.PathLike[str]) -> RawFile:
    try:
        return RawFile(path, "r")
    except FileNotFoundError as error:
        raise FileNotFoundError(error.errno, "no such file", os.fspath(path)) from None
