"""The structure of RIFF files: WAV, RF64 and BW64 (ITU-R BS.2088), and Wave64.

Their headers are written before the samples and corrected after them. A recorder that was killed and a pipe
never correct them, and 32 bits overflow at 4 GB. So the size of the samples is checked against the file, and
the decoder is given a header that says what is there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyvocsep.files.chunks import Chunk, Layout, chunks, is_placeholder, shortened
from pyvocsep.files.mpeg import mpeg_structure
from pyvocsep.files.signatures import EXTRA
from pyvocsep.files.source import Source
from pyvocsep.files.splice import Extent, Piece, joined, patched
from pyvocsep.files.structure import ForeignError, Part, Structure, UnreadableError, clock
from pyvocsep.files.tag_extents import skip_tags

RIFF = Layout(4, 4, "little", 2)
RIFX = Layout(4, 4, "big", 2)
WAVE64 = Layout(16, 8, "little", 8, counts_itself=True)

_HEAD = 40

WAVE64_MARK = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_MARKS = {b"RIFF": RIFF, b"RIFX": RIFX, b"RF64": RIFF, b"BW64": RIFF}

_MPEG_CODECS = (0x50, 0x55)
PLAIN_CODECS = (1, 3, 6, 7, 0xFFFE)
"""PCM, float, A-law, mu-law, extensible: one block is one sample of each channel."""

_OTHER_CODECS = {
    0x92: "Dolby AC-3", 0xFF: "AAC", 0x161: "Windows Media Audio", 0x162: "Windows Media Audio Professional",
    0x163: "Windows Media Audio Lossless", 0x1600: "AAC", 0x1610: "AAC", 0x2000: "Dolby AC-3", 0x2001: "DTS",
    0x674F: "Ogg Vorbis", 0x6750: "Ogg Vorbis", 0x6751: "Ogg Vorbis", 0x676F: "Ogg Vorbis",
    0x6770: "Ogg Vorbis", 0x6771: "Ogg Vorbis", 0xF1AC: "FLAC",
}  # fmt: skip

_NEXT_FORM = re.compile(rb"RIFF(?=.{4}WAVEfmt )", re.DOTALL)
_NEXT_FORM_SIZE = 16
_LARGEST_32_BIT_SIZE = 2**32 - 2**16
_LEAST_OVERHANG = 4096
"""Bytes after the samples that are taken for samples too; less may be anything."""


def is_riff(head: bytes) -> bool:
    """Tell whether a file begins as one of these kinds."""
    return (head[:4] in _MARKS and head[8:12] == b"WAVE") or head.startswith(WAVE64_MARK)


def riff_structure(source: Source, start: int = 0) -> Structure:
    """Return the structure of the file that begins at `start`, with files that are joined to it.

    Raises UnreadableError if it holds no samples, or a kind of them that no decoder here knows.
    """
    parts: list[Part] = []
    faults: list[str] = []
    while is_riff(source.at(start, _HEAD)):
        form = _Form(source, start)
        found = form.structure()
        parts += found.parts
        faults += found.faults
        pads = range(form.alignment)
        starts = [max(skip_tags(source, form.end + pad), start + 1) for pad in pads]
        start = next((start for start in starts if is_riff(source.at(start, _HEAD))), source.size)
    return Structure(tuple(parts), tuple(faults))


@dataclass(frozen=True)
class _Codec:
    """What the format chunk says."""

    tag: int = 0
    rate: int = 0
    block: int = 0

    @property
    def step(self) -> int:
        """Bytes of what can be decoded by itself, as far as it is known."""
        return self.block if self.tag in PLAIN_CODECS and self.block > 0 else 1

    @property
    def bytes_per_second(self) -> int:
        return self.rate * self.block if self.tag in PLAIN_CODECS else 0


class _Form:
    """One RIFF or Wave64 file, from `start` to `end`."""

    def __init__(self, source: Source, start: int) -> None:
        head = source.at(start, _HEAD)
        self._source, self._start = source, start
        self._is_wave64 = head.startswith(WAVE64_MARK)
        self._is_64_bit = head[:4] in (b"RF64", b"BW64")
        self._layout = WAVE64 if self._is_wave64 else _MARKS[head[:4]]
        self._first = start + (_HEAD if self._is_wave64 else 12)
        self._codec = _Codec()
        self._long_sizes: Chunk | None = None
        self._data = self._read_header()
        self._announced = self._announced_size()
        self._size, self._fault = self._size_and_fault()
        self.end = self._form_end()
        self.alignment = self._layout.alignment

    def structure(self) -> Structure:
        codec, begin, end = self._codec, self._data.body, self._data.body + self._size
        if codec.tag in _OTHER_CODECS:
            raise ForeignError(f"a WAV file of {_OTHER_CODECS[codec.tag]}", EXTRA)
        faults = (self._fault,) if self._fault else ()
        if codec.tag not in _MPEG_CODECS:
            return Structure((Part(joined(self._pieces(end))),), faults)
        inner = mpeg_structure(self._source, begin, end)
        if inner is None:
            raise UnreadableError("a WAV file that should hold MPEG audio, but holds none")
        return Structure(inner.parts, (*faults, *inner.faults))

    def _read_header(self) -> Chunk:
        for chunk in chunks(self._source, self._first, self._layout):
            if chunk.name == b"fmt ":
                number = self._source.number
                order = self._layout.byteorder
                tag, rate = number(chunk.body, 2, order), number(chunk.body + 4, 4, order)
                self._codec = _Codec(tag, rate, number(chunk.body + 12, 2, order))
            elif chunk.name == b"ds64":
                self._long_sizes = chunk
            elif chunk.name == b"data":
                return chunk
        raise UnreadableError("a WAV file that ends, or is damaged, before its samples begin")

    def _announced_size(self) -> int:
        if self._is_64_bit and self._long_sizes is not None and self._data.size == 2**32 - 1:
            return self._source.number(self._long_sizes.body + 8, 8, "little")
        return self._data.size

    def _size_and_fault(self) -> tuple[int, str | None]:
        announced, available = self._announced, self._source.size - self._data.body
        step, speed = self._codec.step, self._codec.bytes_per_second
        if is_placeholder(announced, WAVE64 if self._is_64_bit else self._layout):
            if announced == 0 and self._is_chunk(self._data.body):
                return 0, None
            following = self._source.matches(_NEXT_FORM, _NEXT_FORM_SIZE, self._data.body, self._source.size)
            available = next(following, self._source.size) - self._data.body
            return available - available % step, None
        if announced > available:
            found = available - available % step
            return found, shortened(found, announced, speed)
        overhang = available - announced
        if self._layout.size_size == 4 and not self._is_64_bit and overhang >= 2**32:
            return announced + overhang // 2**32 * 2**32, None  # the size overflowed, maybe more than once
        if self._is_samples(announced):
            found = available - available % step
            there, counted = clock(found, speed), clock(announced, speed)
            return (
                found,
                f"its header counts {counted} of samples, but {there} follow; all of them were taken",
            )
        return announced, None

    def _is_samples(self, announced: int) -> bool:
        """Tell whether the announced samples are followed by more, which the header never counted."""
        position = self._data.body + announced
        rest = self._source.at(position, _LEAST_OVERHANG)
        is_other = any(
            self._is_chunk(position + pad) or skip_tags(self._source, position + pad) > position + pad
            for pad in range(self._layout.alignment)
        )
        return (
            self._codec.bytes_per_second > 0 and len(rest) == _LEAST_OVERHANG and any(rest) and not is_other
        )

    def _is_chunk(self, position: int) -> bool:
        """Tell whether a chunk that fits into the file begins at `position`."""
        chunk = next(chunks(self._source, position, self._layout), None)
        return chunk is not None and chunk.body + chunk.size <= self._source.size + 1

    def _form_end(self) -> int:
        """Return where the chunks after the samples end: at the end of the file, or where another begins."""
        end = self._data.body + self._size
        after = end + -self._size % self._layout.alignment
        for chunk in chunks(self._source, after, self._layout):
            if is_riff(self._source.at(chunk.start, _HEAD)):
                return chunk.start
            end = chunk.body + chunk.size
        return min(end, self._source.size)

    def _pieces(self, data_end: int) -> tuple[Piece, ...]:
        """Return the file with a header that says the size of its samples."""
        data, start, end = self._data, self._start, max(self.end, data_end)
        is_right = self._size == self._announced
        is_named_so = self._source.at(start, 4) != b"BW64"
        if self._is_wave64 or (is_right and is_named_so):
            sizes = {
                start + self._layout.name_size: self._layout.size_bytes(
                    end - start - self._layout.header_size
                ),
                data.size_position: self._layout.size_bytes(self._size),
            }
            return patched(start, end, {} if is_right else sizes)
        if self._size <= _LARGEST_32_BIT_SIZE and not self._is_64_bit:
            sizes = {
                start + 4: self._layout.size_bytes(end - start - 8),
                data.size_position: self._layout.size_bytes(self._size),
            }
            return patched(start, end, sizes)
        long_sizes = self._long_sizes
        between: list[Piece] = [Extent(self._first, data.start)]
        if long_sizes is not None:
            between = [
                Extent(self._first, long_sizes.start),
                Extent(long_sizes.body + long_sizes.size, data.start),
            ]
        byte_counts = (end - start - 8).to_bytes(8, "little") + self._size.to_bytes(8, "little")
        samples = (self._size // self._codec.step).to_bytes(8, "little")
        head = b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0" + byte_counts + samples + bytes(4)
        return (head, *between, b"data\xff\xff\xff\xff", Extent(data.body, end))
