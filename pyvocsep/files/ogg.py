"""The structure of an Ogg file (RFC 3533): links one after the other, each of one or more streams of pages.

libsndfile decodes the first link only, and takes a file that ends between two pages for whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pyvocsep.files.source import Source
from pyvocsep.files.splice import Extent, Piece, joined
from pyvocsep.files.structure import Part, Structure, UnreadableError

_CAPTURE = re.compile(rb"OggS\0")
_CAPTURE_SIZE = 5
_HEADER_SIZE = 27
_CONTINUED, _BEGINS, _ENDS = 1, 2, 4

_MARK_SIZE = 8
"""How many of a stream's first bytes tell its kind: as many as the longest mark below has."""

_READABLE = {b"\x01vorbis": 0, b"OpusHead": 0, b"\x7fFLAC": 9}
"""How a stream begins that can be decoded, and how many bytes precede what its own decoder reads."""

_OTHERS = {b"Speex   ": "Speex", b"\x80theora": "Theora video", b"fishead\0": "Ogg Skeleton", b"CELT": "CELT"}


@dataclass(frozen=True)
class _Page:
    start: int
    body: int
    end: int
    flags: int
    serial: int
    sequence: int


@dataclass
class _Stream:
    """The pages of one serial number within a link."""

    head: bytes
    pages: list[Piece] = field(default_factory=list)
    bodies: list[Piece] = field(default_factory=list)
    is_ended: bool = False
    sequence: int = -1
    missing: int = 0

    def add(self, page: _Page) -> None:
        if self.sequence >= 0 and page.sequence != self.sequence + 1:
            self.missing += max(1, page.sequence - self.sequence - 1)
        self.sequence = page.sequence
        self.is_ended = self.is_ended or bool(page.flags & _ENDS)
        _append(self.pages, Extent(page.start, page.end))
        if self.head.startswith(b"\x7fFLAC"):
            skipped = 9 if not self.bodies else 0
            _append(self.bodies, Extent(page.body + skipped, page.end))


def ogg_structure(source: Source, start: int = 0) -> Structure:
    """Return the structure of the Ogg file that begins at `start`.

    Raises UnreadableError if no link holds a stream that can be decoded, naming what it holds.
    """
    scan = _Scan(source)
    for page in _pages(source, start):
        scan.add(page)
    if not scan.links:
        raise UnreadableError("an Ogg file without its beginning, which tells how to decode it")
    streams = [stream for link in scan.links if (stream := _audio(link)) is not None]
    if not streams:
        heads = [stream.head for stream in scan.links[0].values()]
        names = [name for head in heads for mark, name in _OTHERS.items() if head.startswith(mark)]
        raise UnreadableError(f"an Ogg file of {' and '.join(names) or 'an unknown kind'}")
    parts = tuple(Part(joined(stream.bodies or stream.pages)) for stream in streams)
    return Structure(parts, tuple(_faults(scan, streams)))


class _Scan:
    """Sorts pages into links: pages that begin streams come first in each."""

    def __init__(self, source: Source) -> None:
        self.links: list[dict[int, _Stream]] = []
        self.is_cut = False
        self._source = source
        self._previous_begins = False

    def add(self, page: _Page) -> None:
        if page.end > self._source.size:
            self.is_cut = True
            return
        begins = bool(page.flags & _BEGINS)
        if begins:
            if not self._previous_begins:
                self.links.append({})
            self.links[-1][page.serial] = _Stream(self._source.at(page.body, _MARK_SIZE))
        self._previous_begins = begins
        if self.links and (stream := self.links[-1].get(page.serial)) is not None:
            stream.add(page)


def _audio(link: dict[int, _Stream]) -> _Stream | None:
    for stream in link.values():
        if any(stream.head.startswith(mark) for mark in _READABLE):
            return stream
    return None


def _faults(scan: _Scan, streams: list[_Stream]) -> Iterator[str]:
    if scan.is_cut:
        yield "cut short: it ends in the middle of a page"
    elif not streams[-1].is_ended:
        yield "cut short: its last page does not say that the stream ends there"
    missing = sum(stream.missing for stream in streams)
    if missing:
        yield f"damaged: {missing} pages are missing"
    unended = sum(not stream.is_ended for stream in streams[:-1])
    if unended:
        yield f"{unended} of its {len(streams)} joined streams are cut short"


def _pages(source: Source, start: int) -> Iterator[_Page]:
    """Yield the pages from `start`; the last one may reach past the end of the file."""
    position = start
    while position + _HEADER_SIZE <= source.size:
        header = source.at(position, _HEADER_SIZE + 255)
        if not header.startswith(b"OggS\0"):
            position = next(source.matches(_CAPTURE, _CAPTURE_SIZE, position + 1, source.size), source.size)
            continue
        count = header[_HEADER_SIZE - 1]
        segments = header[_HEADER_SIZE : _HEADER_SIZE + count]
        body = position + _HEADER_SIZE + count
        page = _Page(
            position,
            body,
            body + sum(segments),
            header[5],
            int.from_bytes(header[14:18], "little"),
            int.from_bytes(header[18:22], "little"),
        )
        yield page
        position = page.end


def _append(pieces: list[Piece], extent: Extent) -> None:
    last = pieces[-1] if pieces else None
    if isinstance(last, Extent) and last.end == extent.start:
        pieces[-1] = Extent(last.start, extent.end)
    elif len(extent) > 0:
        pieces.append(extent)
