"""The structure of a FLAC file (RFC 9639): streams in a row, of which libsndfile decodes the first."""

from __future__ import annotations

import re

from pyvocsep.files.source import Source
from pyvocsep.files.splice import Extent
from pyvocsep.files.structure import Part, Structure
from pyvocsep.files.tag_extents import id3v1_start, skip_tags

_MARK = b"fLaC"
_STREAMINFO = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")
_STREAMINFO_SIZE = 34
_BEGINNING = len(_MARK) + 4 + _STREAMINFO_SIZE
_TAG = re.compile(rb"ID3[\x02-\x04]\x00")
_LARGEST_TAG = 1 << 24


def flac_structure(source: Source, start: int = 0) -> Structure:
    """Return the structure of the FLAC file whose mark is at `start`."""
    begins = [start]
    search = _after_metadata(source, start)
    for position in source.matches(_STREAMINFO, len(_MARK) + 4, search, source.size):
        if position >= search and _is_streaminfo(source.at(position + 8, _STREAMINFO_SIZE)):
            begins.append(position)
            search = _after_metadata(source, position)
    ends = [*(_before_tag(source, begin) for begin in begins[1:]), id3v1_start(source)]
    parts = [Part((Extent(begin, end),)) for begin, end in zip(begins, ends, strict=True)]
    return Structure(tuple(parts))


def _before_tag(source: Source, begin: int) -> int:
    """Return where the ID3 tag that ends at `begin` starts, or `begin`."""
    for position in source.matches(_TAG, 5, max(0, begin - _LARGEST_TAG), begin):
        if skip_tags(source, position) == begin:
            return position
    return begin


def _after_metadata(source: Source, start: int) -> int:
    """Return where the frames begin: a picture among the metadata may contain anything."""
    position = start + len(_MARK)
    is_last = False
    while not is_last and position + 4 <= source.size:
        header = source.at(position, 4)
        is_last = bool(header[0] & 0x80)
        position += 4 + int.from_bytes(header[1:], "big")
    return position


def _is_streaminfo(data: bytes) -> bool:
    """Tell whether 34 bytes can be a STREAMINFO block (section 8.2)."""
    if len(data) < _STREAMINFO_SIZE:
        return False
    smallest, largest = int.from_bytes(data[0:2], "big"), int.from_bytes(data[2:4], "big")
    rate = int.from_bytes(data[10:13], "big") >> 4
    return 16 <= smallest <= largest and rate > 0
