"""Signs that an audio file has been cut short, which libsndfile itself does not report as errors."""

from __future__ import annotations

import os
import re

from pyvocsep.files.raw_file import RawFile

_SIZE_REMARK = re.compile(r"^ *(?:data|SSND|riff|Riff size) *: (\d+) \(should be (\d+)\)", re.MULTILINE)

_OGG_LARGEST_PAGE = 65_307
_OGG_PAGE_HEADER = 27


def announced_frames(log: str, frames: int, bytes_per_frame: int) -> int:
    """Return how many frames the header of a WAV or AIFF file promises.

    libsndfile takes the `frames` that are there, and only remarks in its log that a size "should be" another.
    """
    for announced, found in _SIZE_REMARK.findall(log):
        missing = int(announced) - int(found)
        if missing > 0 and not _is_placeholder(int(announced)):
            size = bytes_per_frame or max(1, int(found) // max(1, frames))
            return frames + -(-missing // size)
    return frames


def _is_placeholder(size: int) -> bool:
    """Tell whether a size is what programs write ahead of a stream whose length they do not know yet."""
    return any(limit - 2**13 <= size < limit for limit in (2**31, 2**32))


def ogg_ends_with_a_page(file: RawFile) -> bool:
    """Tell whether the last page of an Ogg file (RFC 3533, section 6) is all there."""
    tail = _peek(file, -_OGG_LARGEST_PAGE)
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < _OGG_PAGE_HEADER:
        return False
    count = page[_OGG_PAGE_HEADER - 1]
    body = page[_OGG_PAGE_HEADER + count :]
    segments = page[_OGG_PAGE_HEADER : _OGG_PAGE_HEADER + count]
    return len(segments) == count and len(body) >= sum(segments)


def mp3_has_length(file: RawFile) -> bool:
    """Tell whether an MP3 file begins, after its ID3 tag, with a frame that holds its length."""
    head = _peek(file, 0, 10)
    tag_size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=False))
    start = _peek(file, 10 + tag_size if head.startswith(b"ID3") else 0, 4096)
    return any(mark in start for mark in (b"Xing", b"Info", b"VBRI"))


def _peek(file: RawFile, start: int, size: int = -1) -> bytes:
    """Return `size` bytes from `start` (from the end if negative) and leave the file where it was."""
    before = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(start if start >= 0 else max(0, end + start))
    data = file.read(size)
    file.seek(before)
    return data
