"""Samples in, a file's bytes out: libsndfile, with its errors and what clips."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pyvocsep.arrays import Samples
from pyvocsep.errors import AudioFileError
from pyvocsep.files.covers import ALBUM_ARTIST, Cover, add_chunk, add_to_flac
from pyvocsep.files.formats import SAMPLE_BYTES, error_text, soundfile
from pyvocsep.files.id3 import id3_tag
from pyvocsep.files.ownership import SOFTWARE

_CHUNK = 16_384
"""Frames per write: the Vorbis encoder puts what it is given on the stack, which is small in threads."""

_LARGEST_32_BIT_FILE = 2**32 - 2**16
"""Bytes of samples in a file whose header counts in 32 bits, with room for the rest of the file."""

_RF64_AUTO_DOWNGRADE = 0x1210
"""libsndfile's command: an RF64 file that turns out to need no 64 bits becomes plain WAV."""


class EncodedFile(Protocol):
    """Where the bytes go: it never raises while libsndfile calls it, but keeps the error."""

    def write(self, data: Any, /) -> int: ...
    def seek(self, offset: int, whence: int = ..., /) -> int: ...
    def tell(self) -> int: ...
    def start_here(self) -> None:
        """Make what was written so far a prefix that positions do not count."""

    def raise_kept(self, path: str | os.PathLike[str]) -> None:
        """Raise the first error, if there was one, as one about `path`."""


class Encoder:
    """Encodes blocks into a file.

    Args:
        file: open for writing, empty.
        path: for messages.
        sample_rate: in Hz.
        channels: at least 1.
        format: a key of `SUBTYPES`, or "raw" for samples without a header.
        subtype: one of the format's.
        frames: how many will come, None if nobody knows; decides how a WAV file over 4 GB is laid out (RF64).
        tags: text such as title and artist; what the format cannot hold is left out.
        options: further arguments of `soundfile.SoundFile`, as `encoder_options` makes them.
        cover: picture for MP3, FLAC, WAV and AIFF.

    Raises AudioFileError if the format cannot hold this rate, these channels or this much.
    """

    def __init__(
        self,
        file: EncodedFile,
        path: str | os.PathLike[str],
        sample_rate: int,
        channels: int,
        *,
        format: str,
        subtype: str,
        frames: int | None,
        tags: Mapping[str, str],
        options: Mapping[str, Any],
        cover: Cover | None = None,
    ) -> None:
        self._file, self._path, self._format, self._subtype = file, Path(path), format, subtype
        self._tags, self._cover = {**tags, "software": SOFTWARE}, cover
        self._peak = 0.0
        self._bytes_left = _LARGEST_32_BIT_FILE if format == "aiff" else None
        self._frame_bytes = channels * SAMPLE_BYTES.get(subtype, 0)
        container = self._container(frames)
        if container == "MP3":
            file.write(id3_tag(self._tags, cover))
            file.start_here()
        try:
            self._sound = soundfile().SoundFile(
                file, "w", sample_rate, channels, subtype, format=container, **options
            )
        except soundfile().LibsndfileError as error:
            file.raise_kept(path)
            reason = f"{container} ({subtype}) cannot hold {sample_rate} Hz, {channels} channels"
            raise AudioFileError(path, f"{reason} ({error_text(error)})") from None
        if container == "RF64" and frames is None:
            libsndfile = soundfile()  # it has no public way to say this
            libsndfile._snd.sf_command(self._sound._file, _RF64_AUTO_DOWNGRADE, libsndfile._ffi.NULL, 1)
        if container not in ("MP3", "RAW"):
            for tag, text in self._tags.items():
                with suppress(soundfile().LibsndfileError, AttributeError):  # the format has no such tag
                    setattr(self._sound, tag, text)

    def write(self, block: Samples) -> None:
        """Append a block (channels, samples).

        Raises OSError where the system refuses to store it, as on a full disk, and AudioFileError if the
        format can hold no more.
        """
        self._peak = max(self._peak, float(np.abs(block).max(initial=0)))
        samples = block.T
        if self._bytes_left is not None:
            self._bytes_left -= len(samples) * self._frame_bytes
            if self._bytes_left < 0:
                raise self._too_large()
        with self._kept_errors():
            for start in range(0, len(samples), _CHUNK):
                self._sound.write(samples[start : start + _CHUNK])

    def finish(self) -> None:
        """Complete the file's bytes; OSError as for `write`."""
        with self._kept_errors():
            self._sound.close()
            self._add_what_libsndfile_cannot()

    def clipping(self) -> str | None:
        """Return a sentence that names the peak, if the subtype could not hold it."""
        if self._peak <= 1 or self._subtype in ("FLOAT", "DOUBLE"):
            return None
        return (
            f"{self._path}: the peak is {self._peak:.3f}, {self._subtype} clips at 1; "
            "wav or aiff with subtype FLOAT keeps it"
        )

    def discard(self) -> None:
        """Give the file up: that it cannot be completed is no news."""
        with suppress(Exception):
            self._sound.close()

    def _add_what_libsndfile_cannot(self) -> None:
        if self._cover is None and ALBUM_ARTIST not in self._tags:
            return
        if self._format == "flac":
            add_to_flac(self._file, self._tags, self._cover)
        elif self._format in ("wav", "aiff"):
            add_chunk(self._file, id3_tag(self._tags, self._cover))

    def _container(self, frames: int | None) -> str:
        if self._format not in ("wav", "aiff"):
            return self._format.upper()
        if frames is not None and frames * self._frame_bytes <= _LARGEST_32_BIT_FILE:
            return self._format.upper()
        if self._format == "wav":
            return "RF64"
        if frames is None:
            return "AIFF"
        raise self._too_large()

    def _too_large(self) -> AudioFileError:
        return AudioFileError(self._path, "would be over 4 GB, more than aiff can hold; wav and flac can")

    @contextmanager
    def _kept_errors(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._file.raise_kept(self._path)  # libsndfile's own complaint says less than the system's
            if isinstance(error, OSError):
                raise OSError(error.errno, error.strerror, str(self._path)) from error
            raise
        self._file.raise_kept(self._path)
