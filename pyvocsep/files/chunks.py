"""Files of chunks, each with a name and a size: what RIFF, Wave64, AIFF and CAF have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyvocsep.files.source import Source
from pyvocsep.files.structure import clock

_MOST_CHUNKS = 10_000


@dataclass(frozen=True)
class Layout:
    """How chunks are written.

    Attributes:
        name_size, size_size: bytes of a chunk's name and of its size, which follows.
        byteorder: of the size, "little" or "big".
        alignment: chunks begin at multiples of so many bytes after the first.
        counts_itself: the size includes name and size.
    """

    name_size: int
    size_size: int
    byteorder: str
    alignment: int
    counts_itself: bool = False

    @property
    def header_size(self) -> int:
        return self.name_size + self.size_size

    def size_bytes(self, body: int) -> bytes:
        """Return the size that is written for a body of so many bytes, at most the largest."""
        value: int = min(body + (self.header_size if self.counts_itself else 0), 256**self.size_size - 1)
        return value.to_bytes(self.size_size, "little" if self.byteorder == "little" else "big")


@dataclass(frozen=True)
class Chunk:
    """One chunk as its header describes it.

    Attributes:
        name: first four bytes of its name.
        start, body: where its header and its body begin in the file.
        size: of the body, in bytes, as the file says; it may reach past the end.
        size_position: where the size stands.
    """

    name: bytes
    start: int
    body: int
    size: int
    size_position: int


def chunks(source: Source, start: int, layout: Layout) -> Iterator[Chunk]:
    """Yield the chunks from `start` to the end of the file, or to what cannot be one."""
    position = start
    for _ in range(_MOST_CHUNKS):
        if position + layout.header_size > source.size:
            return
        name = source.at(position, layout.name_size)
        if not is_name(name[:4]):
            return
        size_position = position + layout.name_size
        size = source.number(size_position, layout.size_size, layout.byteorder)
        if layout.counts_itself:
            size = max(0, size - layout.header_size)
        body = position + layout.header_size
        yield Chunk(name[:4], position, body, size, size_position)
        position = body + size + -size % layout.alignment


def is_name(name: bytes) -> bool:
    """Tell whether four bytes are printable, as all names of chunks are."""
    return len(name) == 4 and all(0x20 <= byte < 0x7F for byte in name)


def is_placeholder(size: int, layout: Layout) -> bool:
    """Tell whether a size is what programs write before they know it: 0, or about the largest."""
    bits = 8 * layout.size_size
    return size == 0 or any(limit - 2**13 <= size < limit for limit in (2 ** (bits - 1), 2**bits))


def shortened(found: int, announced: int, bytes_per_second: float) -> str:
    """Return the fault of samples that take so many bytes of those announced."""
    if bytes_per_second > 0:
        there, whole = clock(found, bytes_per_second), clock(announced, bytes_per_second)
        if there != whole:
            return f"cut short: only {there} of {whole} are there"
    return f"cut short: only {found} of {announced} bytes of samples are there"
