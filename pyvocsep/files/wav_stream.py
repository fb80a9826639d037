"""WAV without a second look: read from a pipe while it is written, and written to one.

The sizes in a header are written before the samples and corrected after them. In a pipe they stay what they
were: ffmpeg and sox leave the largest number there, or zero, and take a stream that ends when its bytes do.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pyvocsep.files.chunks import Chunk, chunks, is_placeholder, shortened
from pyvocsep.files.forward import ForwardFile
from pyvocsep.files.riff import PLAIN_CODECS, RIFF, WAVE64, WAVE64_MARK
from pyvocsep.files.sound import Sound
from pyvocsep.files.source import Source
from pyvocsep.files.splice import Extent
from pyvocsep.files.structure import Part, UnreadableError

_HEAD_SIZE = 12
_WAVE64_HEAD_SIZE = 40
_FIRST_LOOK = 4096
_LARGEST_HEADER = 1 << 24
_ENDLESS = 2**62
"""Bytes of samples that libsndfile is told of where nobody knows how many come."""


def is_wav_stream(head: bytes) -> bool:
    """Tell whether a pipe begins as a WAV file of the kinds that need no second look: not RIFX."""
    is_wav = head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE"
    return is_wav or head.startswith(WAVE64_MARK)


class WavStream:
    """Decodes a WAV file block by block as it comes in; see `Decoded`.

    Args:
        file: at the start of a file that `is_wav_stream`.

    Raises UnreadableError if it ends before its samples begin. `can_stream` is false, and the file still at
    its start, if its codec needs more than one pass.
    """

    def __init__(self, file: ForwardFile) -> None:
        self._file = file
        self.faults: list[str] = []
        self.can_stream = False
        found, head = self._header()
        codec = next((chunk for chunk in found if chunk.name == b"fmt "), None)
        if codec is None:
            raise UnreadableError("a WAV file that ends, or is damaged, before its samples begin")
        source = Source(io.BytesIO(head))
        self._rate, self._block = (
            source.number(codec.body + 4, 4, "little"),
            source.number(codec.body + 12, 2, "little"),
        )
        if source.number(codec.body, 2, "little") not in PLAIN_CODECS or self._block == 0:
            return
        self.can_stream = True
        self._size = self._announced(found, source)
        file.take(found[-1].body)
        begin = found[-1].body
        extent = Extent(begin, begin + (_ENDLESS if self._size is None else self._size))
        self._sound = Sound(file, Part((_rewritten(found[:-1], head, len(extent)), extent)))
        described = self._sound.described()
        self.sample_rate, self.channels = described.rate, described.channels
        self.frames = None if self._size is None else self._size // self._block
        self.seconds = float("inf") if self.frames is None else self.frames / self.sample_rate
        self.format, self.subtype, self.tags = "WAV", described.subtype, described.tags

    def blocks(self, length: int) -> Iterator[NDArray[np.float32]]:
        """Yield the samples in float32 arrays (channels, at most `length`), from the first to the last."""
        done = 0
        with self._sound as sound:
            while len(block := sound.read(length)):
                done += len(block)
                yield np.ascontiguousarray(block.T)
        if self.frames is not None and done < self.frames and self._size is not None:
            self.faults.append(shortened(done * self._block, self._size, self._rate * self._block))
        elif self.frames is not None:
            self._file.drain()

    def _header(self) -> tuple[list[Chunk], bytes]:
        """Return the chunks up to that of the samples, and the bytes that hold them."""
        length = _FIRST_LOOK
        while True:
            head = self._file.peek(length)
            is_wave64 = head.startswith(WAVE64_MARK)
            start, layout = (_WAVE64_HEAD_SIZE, WAVE64) if is_wave64 else (_HEAD_SIZE, RIFF)
            found = []
            for chunk in chunks(Source(io.BytesIO(head)), start, layout):
                found.append(chunk)
                if chunk.name == b"data":
                    return found, head
            if len(head) < length or length >= _LARGEST_HEADER:
                raise UnreadableError("a WAV file that ends, or is damaged, before its samples begin")
            length *= 4

    def _announced(self, found: list[Chunk], source: Source) -> int | None:
        """Return how many bytes of samples the header promises; None if it leaves that open."""
        data = found[-1]
        layout = WAVE64 if source.at(0, 40).startswith(WAVE64_MARK) else RIFF
        long_sizes = next((chunk for chunk in found if chunk.name == b"ds64"), None)
        if long_sizes is not None and data.size == 2**32 - 1:
            size, layout = source.number(long_sizes.body + 8, 8, "little"), WAVE64
        else:
            size = data.size
        return None if is_placeholder(size, layout) else size


def _rewritten(found: list[Chunk], head: bytes, data_size: int) -> bytes:
    """Return a header for samples of any size (RF64), with the chunks that matter to a decoder."""
    kept = b"".join(
        chunk.name
        + chunk.size.to_bytes(4, "little")
        + head[chunk.body : chunk.body + chunk.size + chunk.size % 2]
        for chunk in found
        if chunk.name in (b"fmt ", b"LIST")
    )
    sizes = (data_size + len(kept) + 64).to_bytes(8, "little") + data_size.to_bytes(8, "little") + bytes(8)
    return b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0" + sizes + bytes(4) + kept + b"data\xff\xff\xff\xff"
