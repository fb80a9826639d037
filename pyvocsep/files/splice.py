"""A file put together from pieces of another, for a decoder to read."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Protocol


class ByteSource(Protocol):
    """Bytes by their position: a `Source`, or a stream that is read from the front."""

    def read(self, start: int, length: int, /) -> bytes: ...


@dataclass(frozen=True)
class Extent:
    """The bytes [start, end) of the source."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(frozen=True)
class Zeros:
    """A stretch of zero bytes."""

    length: int

    def __len__(self) -> int:
        return self.length


Piece = bytes | Extent | Zeros


def joined(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Return the same bytes in fewer pieces: extents that touch become one, empty pieces go."""
    result: list[Piece] = []
    for piece in pieces:
        last = result[-1] if result else None
        if isinstance(piece, Extent) and isinstance(last, Extent) and last.end == piece.start:
            result[-1] = Extent(last.start, piece.end)
        elif len(piece) > 0:
            result.append(piece)
    return tuple(result)


def patched(start: int, end: int, patches: Mapping[int, bytes]) -> tuple[Piece, ...]:
    """Return the source's bytes [start, end) with others in place of those at the positions in `patches`."""
    pieces: list[Piece] = []
    for position, data in sorted(patches.items()):
        if start <= position and position + len(data) <= end:
            pieces += [Extent(start, position), data]
            start = position + len(data)
    return joined([*pieces, Extent(start, end)])


class SplicedFile:
    """The pieces as one file, open for reading.

    libsndfile calls it back through C code that no exception can cross: it would be printed and forgotten,
    and a failing disk would pass for the end of the file. So nothing here raises; the first exception is kept
    for `raise_kept`, which whoever called libsndfile asks afterwards.
    """

    def __init__(self, source: ByteSource, pieces: Iterable[Piece]) -> None:
        self._source = source
        self._pieces = tuple(piece for piece in pieces if len(piece) > 0)
        self._starts = [0, *accumulate(map(len, self._pieces))]
        self._position = 0
        self._kept: BaseException | None = None

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self._starts[-1]

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move, and stay where this would lead before the start: a size in the file is not what it says."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}.get(whence, 0)
        if origin + offset >= 0:
            self._position = origin + offset
        return self._position

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer; the number of bytes, fewer at the end or where the source fails."""
        try:
            return self._fill(memoryview(buffer).cast("B"))
        except BaseException as error:
            self._kept = self._kept or error
            return 0

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes."""
        buffer = bytearray(max(0, min(size, self.size - self._position)))
        return bytes(buffer[: self.readinto(buffer)])

    def write(self, data: Any) -> int:
        """Take nothing: soundfile asks that a file can write, and never does when it reads."""
        return 0

    def raise_kept(self) -> None:
        """Raise the exception that was kept, if any, once."""
        error, self._kept = self._kept, None
        if error is not None:
            raise error

    def _fill(self, buffer: memoryview) -> int:
        done = 0
        while done < len(buffer) and self._position < self.size:
            index = bisect_right(self._starts, self._position) - 1
            piece, offset = self._pieces[index], self._position - self._starts[index]
            length = min(len(buffer) - done, len(piece) - offset)
            data = self._bytes(piece, offset, length)
            if not data:
                break  # the file has become shorter since it was opened
            buffer[done : done + len(data)] = data
            done += len(data)
            self._position += len(data)
        return done

    def _bytes(self, piece: Piece, offset: int, length: int) -> bytes:
        if isinstance(piece, Extent):
            return self._source.read(piece.start + offset, length)
        if isinstance(piece, Zeros):
            return bytes(length)
        return piece[offset : offset + length]
