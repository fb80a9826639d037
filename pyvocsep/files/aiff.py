"""The structure of AIFF, AIFF-C and CAF files: sizes that were never corrected are set right."""

from __future__ import annotations

from pyvocsep.files.chunks import Chunk, Layout, chunks, is_placeholder, shortened
from pyvocsep.files.source import Source
from pyvocsep.files.splice import Piece, patched
from pyvocsep.files.structure import Part, Structure, UnreadableError

IFF = Layout(4, 4, "big", 2)
CAF = Layout(4, 8, "big", 1)

_PLAIN_CODINGS = (b"NONE", b"sowt", b"twos", b"in24", b"in32", b"fl32", b"FL32", b"fl64", b"FL64", b"raw ")
_OFFSET_AND_BLOCK_SIZE = 8
_LEAST_RATE, _LARGEST_RATE = 1.0, 1e9  # in Hz: the 80 bits of a damaged header may say 1e-4000 or 1e4000


def is_aiff(head: bytes) -> bool:
    """Tell whether a file begins as AIFF or AIFF-C."""
    return head.startswith(b"FORM") and head[8:12] in (b"AIFF", b"AIFC")


def aiff_structure(source: Source, start: int = 0) -> Structure:
    """Return the structure of the AIFF file that begins at `start`.

    Raises UnreadableError if it ends before its samples.
    """
    found: dict[bytes, Chunk] = {}
    for chunk in chunks(source, start + 12, IFF):
        found.setdefault(chunk.name, chunk)
        if chunk.name == b"SSND" and is_placeholder(chunk.size, IFF):
            break
    if b"SSND" not in found:
        if b"COMM" in found and source.number(found[b"COMM"].body + 2, 4, "big") == 0:
            return Structure((Part(patched(start, source.size, {})),))  # a file without samples needs none
        raise UnreadableError("an AIFF file that ends, or is damaged, before its samples begin")
    data = found[b"SSND"]
    offset = source.number(data.body, 4, "big")
    available = source.size - data.body
    block, rate = _block_and_rate(source, found.get(b"COMM"))
    is_unknown = is_placeholder(data.size, IFF)
    if not is_unknown and data.size <= available:
        return Structure((Part(patched(start, source.size, {})),))
    samples = max(0, available - _OFFSET_AND_BLOCK_SIZE - offset)
    samples -= samples % block
    sizes = {
        start + 4: IFF.size_bytes(source.size - start - IFF.header_size),
        data.size_position: IFF.size_bytes(_OFFSET_AND_BLOCK_SIZE + offset + samples),
    }
    if b"COMM" in found and block > 1:
        sizes[found[b"COMM"].body + 2] = min(samples // block, 2**32 - 1).to_bytes(4, "big")
    fault = shortened(samples, data.size - _OFFSET_AND_BLOCK_SIZE - offset, block * rate if block > 1 else 0)
    return Structure((Part(patched(start, source.size, sizes)),), () if is_unknown else (fault,))


def caf_structure(source: Source, start: int = 0) -> Structure:
    """Return the structure of the CAF file that begins at `start`: its size may be left open."""
    pieces: tuple[Piece, ...] = patched(start, source.size, {})
    faults: tuple[str, ...] = ()
    for chunk in chunks(source, start + 8, CAF):
        available = source.size - chunk.body
        is_open = chunk.size > available or (chunk.size == 0 and not any(chunks(source, chunk.body, CAF)))
        if chunk.name == b"data" and is_open:
            pieces = patched(start, source.size, {chunk.size_position: CAF.size_bytes(available)})
            if not is_placeholder(chunk.size, CAF):
                faults = (shortened(available, chunk.size, 0),)
    return Structure((Part(pieces),), faults)


def _block_and_rate(source: Source, common: Chunk | None) -> tuple[int, float]:
    """Return the bytes of one sample of each channel, 1 if a codec decides, and the rate in Hz, 0 if it is
    none.
    """
    if common is None:
        return 1, 0.0
    channels = source.number(common.body, 2, "big")
    bits = source.number(common.body + 6, 2, "big")
    exponent = source.number(common.body + 8, 2, "big")
    mantissa = source.number(common.body + 10, 8, "big")
    rate = mantissa * 2.0 ** max(-1000, min(exponent - 16383 - 63, 64)) if exponent < 2**15 else 0.0
    rate = rate if _LEAST_RATE <= rate <= _LARGEST_RATE else 0.0
    coding = source.at(common.body + 18, 4) if common.size > 18 else b"NONE"
    is_plain = coding in _PLAIN_CODINGS and channels > 0 and bits > 0
    return (channels * -(-bits // 8) if is_plain else 1), rate
