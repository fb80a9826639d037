"""Stems for open files: whole ones, or a stream where the file is a pipe."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import IO, Any

from pyvocsep.arrays import Samples
from pyvocsep.files.decoding import is_seekable
from pyvocsep.files.encoder import Encoder
from pyvocsep.files.formats import SAMPLE_BYTES
from pyvocsep.files.ownership import SOFTWARE
from pyvocsep.files.raw_file import KeepsErrors, RawFile
from pyvocsep.files.reader import file_name

_COPIED_AT_ONCE = 1 << 20
_UNKNOWN_SIZE = b"\xff\xff\xff\xff"
"""What ffmpeg and sox take for "until the stream ends"."""

_INFO_TAGS = {"title": b"INAM", "artist": b"IART", "software": b"ISFT"}


class StreamWriter:
    """Audio written to a file as it comes: raw samples, or WAV whose header leaves the length open.

    Args:
        file: binary; stays open.
        sample_rate, channels, subtype, tags: as `Encoder` takes them.
        format: "wav" or "raw".
    """

    def __init__(
        self,
        file: IO[bytes],
        sample_rate: int,
        channels: int,
        *,
        format: str,
        subtype: str,
        tags: Mapping[str, str],
    ) -> None:
        self._name = file_name(file)
        self._sink = _Sink(file)
        if format == "wav":
            self._sink.write(_open_header(sample_rate, channels, subtype, tags))
            self._sink.raise_kept(self._name)
        self._encoder = Encoder(
            self._sink,
            self._name,
            sample_rate,
            channels,
            format="raw",
            subtype=subtype,
            frames=None,
            tags={},
            options={"endian": "LITTLE"},
        )

    def write(self, block: Samples) -> None:
        """Append a block (channels, samples), and let the reader have it at once."""
        self._encoder.write(block)
        self._sink.flush(self._name)

    def finish(self) -> None:
        """Write what is left."""
        self._encoder.finish()
        self._sink.flush(self._name)

    def commit(self) -> None:
        """Nothing is left to do: what was written is gone."""

    def clipping(self) -> str | None:
        """Return a sentence that names the peak, if the subtype could not hold it."""
        return self._encoder.clipping()

    def __enter__(self) -> StreamWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._encoder.discard()


class WholeFileWriter:
    """Audio written to an open file when it is whole; until then it is in a temporary file without a name.

    Args:
        file: binary; stays open. What is written goes where it stands.
        sample_rate, channels, format, subtype, frames, tags, options: as `Encoder` takes them.
    """

    def __init__(self, file: IO[bytes], sample_rate: int, channels: int, **encoding: Any) -> None:
        self._file, self._name = file, file_name(file)
        with ExitStack() as stack:
            self._spool = stack.enter_context(tempfile.TemporaryFile())
            self._encoder = Encoder(
                RawFile(self._spool.fileno()), self._name, sample_rate, channels, **encoding
            )
            stack.callback(self._encoder.discard)
            self._stack = stack.pop_all()
        self.write, self.clipping = self._encoder.write, self._encoder.clipping

    def finish(self) -> None:
        """Complete the temporary file; OSError as for `Encoder.write`."""
        self._encoder.finish()

    def commit(self) -> None:
        """Copy the finished file to the open one."""
        self._spool.seek(0)
        try:
            while data := self._spool.read(_COPIED_AT_ONCE):
                _write_all(self._file, data)
            _flush(self._file)
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._name) from error

    def __enter__(self) -> WholeFileWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def open_writer(
    file: IO[bytes],
    sample_rate: int,
    channels: int,
    *,
    format: str,
    subtype: str,
    tags: Mapping[str, str],
    **how: Any,
) -> StreamWriter | WholeFileWriter:
    """Return the writer for an open file: a stream if nobody can seek in it and the format needs not.

    Raises as `Encoder`.
    """
    if format == "raw" or (format == "wav" and not is_seekable(file)):
        return StreamWriter(file, sample_rate, channels, format=format, subtype=subtype, tags=tags)
    return WholeFileWriter(file, sample_rate, channels, format=format, subtype=subtype, tags=tags, **how)


class _Sink(KeepsErrors):
    """An open file for libsndfile to write to from front to end; it keeps the first error."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._position = 0

    def write(self, data: Any) -> int:
        try:
            self._position += _write_all(self._file, data)
            return len(data)
        except BaseException as error:
            return self._keep(error)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._position

    def tell(self) -> int:
        return self._position

    def start_here(self) -> None:
        self._position = 0

    def flush(self, name: str) -> None:
        try:
            _flush(self._file)
        except OSError as error:
            raise OSError(error.errno, error.strerror, name) from error


def _write_all(file: Any, data: Any) -> int:
    """Write all of the data: a raw file, as a pipe, may take a part of it first. Return how many bytes."""
    rest = memoryview(data).cast("B")
    size = len(rest)
    while rest:
        written = file.write(rest)
        rest = rest[len(rest) if written is None else written :]
    return size


def _flush(file: Any) -> None:
    if hasattr(file, "flush"):
        file.flush()


def _open_header(sample_rate: int, channels: int, subtype: str, tags: Mapping[str, str]) -> bytes:
    """Return the header of a WAV file (RIFF, "multimedia programming interface", 1991) of any length."""
    size = SAMPLE_BYTES[subtype]
    codec = 3 if subtype in ("FLOAT", "DOUBLE") else 1
    numbers = (
        (codec, 2),
        (channels, 2),
        (sample_rate, 4),
        (sample_rate * channels * size, 4),
        (channels * size, 2),
    )
    format = b"".join(number.to_bytes(width, "little") for number, width in (*numbers, (8 * size, 2), (0, 2)))
    texts = {**tags, "software": SOFTWARE}
    info = b"INFO" + b"".join(
        _chunk(name, texts[tag].encode() + b"\0") for tag, name in _INFO_TAGS.items() if tag in texts
    )
    head = b"RIFF" + _UNKNOWN_SIZE + b"WAVE" + _chunk(b"fmt ", format) + _chunk(b"LIST", info)
    return head + b"data" + _UNKNOWN_SIZE


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + len(body).to_bytes(4, "little") + body + bytes(len(body) % 2)
