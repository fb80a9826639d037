"""The info tag of an MP3 stream: a first frame without sound, in which the encoder tells the stream's length.

Xing's, called Info where the bit rate is constant, was never specified; the fields here are those that LAME's
"MP3 Info Tag" revision 1 describes. VBRI is Fraunhofer's.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyvocsep.files.mpeg_header import FrameHeader
from pyvocsep.files.source import Source

LARGEST_OFFSET = 4 + 2 + 32
_HAS_FRAMES, _HAS_BYTES, _HAS_TABLE, _HAS_QUALITY = 1, 2, 4, 8
_VBRI_OFFSET = 36


@dataclass(frozen=True)
class InfoTag:
    """What an info tag says of the frames that follow it.

    Attributes:
        frames: how many; None if it does not say.
        is_exact: the encoder is one that does not count the tag's own frame.
        frames_position, bytes_position: where these numbers, four bytes each, stand in the file; None if the
            decoder does not know this kind of tag, or the number is missing.
    """

    frames: int | None
    is_exact: bool
    frames_position: int | None = None
    bytes_position: int | None = None

    def missing(self, counted: int) -> int:
        """Return how many frames are missing where `counted` were found, 0 if that may be all."""
        missing = (self.frames or 0) - counted
        return missing if missing > (0 if self.is_exact else 1) else 0


def info_tag(source: Source, start: int, header: FrameHeader, head: bytes) -> InfoTag | None:
    """Return the info tag in the frame at `start`, which begins with `head`; None if it has none."""
    if header.layer != 3:
        return None
    if head[_VBRI_OFFSET : _VBRI_OFFSET + 4] == b"VBRI":
        return InfoTag(source.number(start + _VBRI_OFFSET + 14, 4, "big"), is_exact=False)
    for offset in (header.info_offset, header.info_offset + 2):  # with a check sum, some count its two bytes
        if head[offset : offset + 4] in (b"Xing", b"Info"):
            return _xing(source, start + offset + 4)
    return None


def _xing(source: Source, position: int) -> InfoTag:
    flags = source.number(position, 4, "big")
    position += 4
    frames_position = bytes_position = frames = None
    if flags & _HAS_FRAMES:
        frames_position, frames = position, source.number(position, 4, "big")
        position += 4
    if flags & _HAS_BYTES:
        bytes_position = position
        position += 4
    position += 100 if flags & _HAS_TABLE else 0
    position += 4 if flags & _HAS_QUALITY else 0
    is_exact = source.at(position, 4) in (b"LAME", b"Lavf", b"Lavc")
    return InfoTag(frames or None, is_exact, frames_position if frames else None, bytes_position)
