"""Frames of a FLAC stream (RFC 9639, section 9): where to go on after a damaged one.

libFLAC's decoder stops for good at the first frame that it cannot decode. Each frame tells the number of its
first sample, so a decoder that is started again behind the damage is still in time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyvocsep.files.source import Source
from pyvocsep.files.splice import Extent
from pyvocsep.files.structure import Part

_MARK_AND_STREAMINFO = 4 + 4 + 34
_LONGEST_HEADER = 16
_SYNC = re.compile(rb"\xff(?=[\xf8\xf9])")
_BLOCK_SIZES = {1: 192} | {code: 576 << code - 2 for code in range(2, 6)} | {c: 1 << c for c in range(8, 16)}


@dataclass(frozen=True)
class FlacFrame:
    """A frame: where it starts in the file, the number of its first sample, how many it holds."""

    start: int
    first: int
    length: int


def restarted(part: Part, source: Source, frame: FlacFrame) -> Part:
    """Return the rest of a FLAC part from one of its frames on, with the head that a decoder needs."""
    whole = part.pieces[0]
    assert isinstance(whole, Extent)
    head = bytearray(source.read(whole.start, _MARK_AND_STREAMINFO))
    head[4] = 0x80  # STREAMINFO is now the last block of metadata
    head[21] &= 0xF0
    head[22:26] = bytes(4)  # and does not know how many samples there are
    return Part((bytes(head), Extent(frame.start, whole.end)))


def is_flac_stream(part: Part, source: Source) -> bool:
    """Tell whether a part is one FLAC stream as it lies in the file."""
    return (
        len(part.pieces) == 1
        and isinstance(part.pieces[0], Extent)
        and source.at(part.pieces[0].start, 4) == b"fLaC"
    )


def flac_frames(part: Part, source: Source) -> Iterator[FlacFrame]:
    """Yield the frames of a FLAC part whose headers are sound, in the order of their samples.

    Two bytes of sound in 65536 look like the start of a frame; the header's check sum and order tell.
    """
    whole = part.pieces[0]
    assert isinstance(whole, Extent)
    block = int.from_bytes(source.at(whole.start + 8, 2), "big")
    following = -1
    for position in source.matches(_SYNC, 2, whole.start, whole.end):
        frame = _frame(source.at(position, _LONGEST_HEADER), position, block)
        if frame is not None and frame.first > following:
            following = frame.first
            yield frame


def _frame(head: bytes, position: int, block: int) -> FlacFrame | None:
    if len(head) < 6 or head[3] & 1:
        return None
    is_variable = head[1] & 1
    block_code, rate_code = head[2] >> 4, head[2] & 15
    more = max(0, 8 - (head[4] ^ 0xFF).bit_length())  # leading ones of the number's first byte, as in UTF-8
    size = 1 if more == 0 else more
    if more == 1 or more > 7 or block_code == 0 or rate_code == 15:
        return None
    number = head[4] if more == 0 else head[4] & (0x7F >> more)
    for byte in head[5 : 4 + size]:
        number = number << 6 | byte & 0x3F
    position_after = 4 + size
    extra = {6: 1, 7: 2}.get(block_code, 0)
    length = (
        _BLOCK_SIZES.get(block_code)
        or int.from_bytes(head[position_after : position_after + extra], "big") + 1
    )
    position_after += extra + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if position_after >= len(head) or _crc8(head[:position_after]) != head[position_after]:
        return None
    return FlacFrame(position, number if is_variable else number * block, length)


def _crc8(data: bytes) -> int:
    """Return the check sum of a header: polynomial x^8 + x^2 + x + 1."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value << 1 ^ (0x07 if value & 0x80 else 0)) & 0xFF
    return value
