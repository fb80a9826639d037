"""Audio files: read in blocks, written whole or not at all.

libsndfile (through `soundfile`, imported at first use) knows the formats. This module adds what a separator
needs around it: errors that name the file and what is wrong with it, files that appear only when they are
complete, formats and tags that follow the input.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from pyvocsep.errors import AudioFileError
from pyvocsep.id3 import id3_tag
from pyvocsep.rawfile import RawFile
from pyvocsep.separator import MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, Samples
from pyvocsep.truncation import announced_frames, mp3_has_length, ogg_ends_with_a_page

SUBTYPES: Mapping[str, tuple[str, ...]] = {
    "wav": ("FLOAT", "PCM_16", "PCM_24", "PCM_32", "PCM_U8", "DOUBLE"),
    "flac": ("PCM_24", "PCM_16", "PCM_S8"),
    "ogg": ("VORBIS", "OPUS"),
    "mp3": ("MPEG_LAYER_III",),
    "aiff": ("FLOAT", "PCM_16", "PCM_24", "PCM_32", "DOUBLE"),
}
"""The formats that can be written and, in libsndfile's names, what their samples can be. All keep the exact
length. The first is used where neither the caller nor the input decides."""

_TAGS = ("title", "artist", "album", "date", "tracknumber", "genre", "comment", "copyright", "license")

_BYTES = {"PCM_S8": 1, "PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}

_CHUNK = 16_384
"""Frames per write: the Vorbis encoder puts what it is given on the stack, which is small in threads."""

_LARGEST_32_BIT_FILE = 2**32 - 2**16
"""Bytes of samples in a file whose header counts in 32 bits, with room for the rest of the file."""

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
            except _soundfile().LibsndfileError as error:
                self._file.raise_kept(self.path)
                raise self._error(f"damaged after sample {done} of {self.frames} ({_words(error)})") from None
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
            sound = _soundfile().SoundFile(self._file)
        except _soundfile().LibsndfileError as error:
            self._file.raise_kept(self.path)
            raise self._error(f"not an audio file that can be read ({_words(error)})") from None
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
        if self.channels > 2:
            raise self._error(f"has {self.channels} channels; 1 (mono) and 2 (stereo) can be separated")
        if not MIN_SAMPLE_RATE <= self.sample_rate <= MAX_SAMPLE_RATE:
            raise self._error(
                f"has a rate of {self.sample_rate} Hz; "
                f"from {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz can be separated"
            )
        if self.format == "OGG" and not ogg_ends_with_a_page(self._file):
            raise self._error("cut short: it ends in the middle of a page")
        bytes_per_frame = self.channels * _BYTES.get(self.subtype, 0)
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


class AudioWriter:
    """An audio file in the making; a context manager.

    The samples go to a hidden temporary file in the target's folder. `finish` completes that file and
    `commit` gives it the target's name; leaving the context without a commit, for whatever reason, removes
    it. So the target is never a part of a file, and what it was before stays until there is a whole one.

    Args:
        path: the target, replaced at the commit if it exists.
        sample_rate: in Hz.
        channels: 1 or 2.
        format: a key of `SUBTYPES`.
        subtype: one of the format's.
        frames: how many will come; decides how a WAV file over 4 GB is laid out (RF64).
        tags: text such as title and artist; what the format cannot hold is left out.

    Raises:
        OSError: the target cannot be made.
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
        container = self._container(format, frames * channels * _BYTES.get(subtype, 0))
        _check_is_no_folder(self.path)
        self._temporary = self.path.parent / f".pyvocsep-{secrets.token_hex(6)}.part"
        self._file = _create(self._temporary)
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
            self._file.close()

    def commit(self) -> None:
        """Give the finished file its name."""
        os.replace(self._temporary, self.path)

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
        with suppress(FileNotFoundError):
            self._temporary.unlink()

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
            self._file.write(id3_tag(tags))
            self._file.start_here()
        try:
            sound = _soundfile().SoundFile(
                self._file, "w", sample_rate, channels, self._subtype, format=container
            )
        except _soundfile().LibsndfileError as error:
            self._file.raise_kept(self.path)
            reason = f"{container} ({self._subtype}) cannot hold {sample_rate} Hz, {channels} channels"
            raise AudioFileError(self.path, f"{reason} ({_words(error)})") from None
        if container != "MP3":
            for tag, text in tags.items():
                with suppress(_soundfile().LibsndfileError):  # the format has no such tag
                    setattr(sound, tag, text)
        return sound

    @contextmanager
    def _kept_errors(self) -> Iterator[None]:
        try:
            yield
        except Exception:  # libsndfile's own complaint says less than the system's, which the file has kept
            self._file.raise_kept(self.path)
            raise
        self._file.raise_kept(self.path)


def output_format(format: str | None, subtype: str | None, source_subtype: str | None) -> tuple[str, str]:
    """Return the format (a key of `SUBTYPES`) and the subtype to write.

    No format means WAV, and 32-bit float unless a subtype is asked. A format without a subtype takes the
    source's where it can hold it, else its most precise one.

    Raises ValueError for what cannot be written, listing what can.
    """
    chosen = (format or "wav").lower()
    if chosen not in SUBTYPES:
        raise ValueError(f"unknown format {format!r}: choose from {', '.join(SUBTYPES)}")
    possible = SUBTYPES[chosen]
    if subtype is not None:
        if subtype.upper() not in possible:
            raise ValueError(f"unknown subtype {subtype!r} for {chosen}: choose from {', '.join(possible)}")
        return chosen, subtype.upper()
    if format is not None and source_subtype in possible:
        return chosen, source_subtype
    return chosen, possible[0]


def _soundfile() -> Any:
    import soundfile  # type: ignore[import-untyped]

    return soundfile


def _open(path: str | os.PathLike[str]) -> RawFile:
    try:
        return RawFile(path, "r")
    except FileNotFoundError as error:
        raise FileNotFoundError(error.errno, "no such file", os.fspath(path)) from None


def _create(temporary: Path) -> RawFile:
    try:
        return RawFile(temporary, "x")
    except OSError as error:  # the name of the temporary file would puzzle: the folder is what refuses
        raise OSError(
            error.errno, f"cannot write in this folder ({error.strerror})", str(temporary.parent)
        ) from None


def _check_is_no_folder(target: Path) -> None:
    with suppress(FileNotFoundError):
        os.stat(target)  # also refuses, before any work, a name that is too long
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "cannot be written, it is a folder", str(target))


def _words(error: Any) -> str:
    """Return what libsndfile says in a LibsndfileError, without its preamble and full stop."""
    return str(error.error_string).strip().removeprefix("Error : ").rstrip(".")
