"""Where the tags lie that stand before, between and after the audio of a file, whatever the format."""

from __future__ import annotations

from pyvocsep.files.source import Source

_ID3V1_SIZE = 128
_ID3V1_EXTENDED_SIZE = 227
_APE_HEADER_SIZE = 32
_LARGEST_LYRICS = 1 << 16
_MOST_TAGS = 1000


def skip_tags(source: Source, start: int) -> int:
    """Return the position after the tags at `start`, `start` itself if there are none.

    ID3v2 (https://id3.org/id3v2.4.0-structure, section 3), ID3v1, APEv2 and Lyrics3 are known. A tag may
    claim to end past the file; the position never does.
    """
    for _ in range(_MOST_TAGS):
        size = _tag_size(source, start)
        if size == 0:
            break
        start = min(start + size, source.size)
    return start


def id3v1_start(source: Source) -> int:
    """Return where the ID3v1 tag at the end of the file begins, or the end of the file."""
    start = source.size - _ID3V1_SIZE
    return start if start >= 0 and source.at(start, 3) == b"TAG" else source.size


def _tag_size(source: Source, start: int) -> int:
    head = source.at(start, _APE_HEADER_SIZE)
    if head.startswith(b"ID3") and len(head) >= 10:
        has_footer = head[5] & 0x10
        size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        return 10 + size + (10 if has_footer else 0)
    if head.startswith(b"TAG+"):
        return _ID3V1_EXTENDED_SIZE
    if head.startswith(b"TAG"):
        return _ID3V1_SIZE
    if head.startswith(b"APETAGEX") and len(head) == _APE_HEADER_SIZE:
        is_header = int.from_bytes(head[20:24], "little") & 0x2000_0000
        return _APE_HEADER_SIZE + (int.from_bytes(head[12:16], "little") if is_header else 0)
    if head.startswith(b"LYRICSBEGIN"):
        text = source.at(start, _LARGEST_LYRICS)
        ends = [end for mark in (b"LYRICS200", b"LYRICSEND") if (end := text.find(mark)) != -1]
        return min(ends) + 9 if ends else 0
    return 0
