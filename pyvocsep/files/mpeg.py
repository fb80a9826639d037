"""The structure of MPEG audio, Layers I to III: MP3, with whatever stands around its frames.

A player decodes frame after frame and skips what is none. libsndfile does so for clean files only: it guesses
the length of a file without an info tag from its first bit rate, and stops where that guess ends, where an
info tag between joined files says, or after a kilobyte that is no frame. So the frames are counted here, and
the decoder is given nothing but frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from pyvocsep.files.mpeg_header import HEADER_SIZE, SYNC, SYNC_SIZE, FrameHeader, frame_header
from pyvocsep.files.mpeg_info import LARGEST_OFFSET, InfoTag, info_tag
from pyvocsep.files.source import Source
from pyvocsep.files.splice import Extent, Piece, Zeros, joined, patched
from pyvocsep.files.structure import Part, Structure, clock
from pyvocsep.files.tag_extents import id3v1_start, skip_tags

_LARGEST_FRAME = 5761
"""Bytes; free format at the highest rate that decoders take is below that."""

_SMALLEST_FRAME = 21
_FOLLOWING = 3
"""How many frames must follow a frame in step before it is believed, unless the file ends."""

_FOLLOWING_THE_FIRST = 16
"""The same for a first frame where none should be: noise looks like a frame or three once in a megabyte."""

_MOST_CANDIDATES = 1_000_000
"""What looks like a frame and is none, until the search for a frame ends: a gigabyte of noise has so many."""

_LARGEST_LEAD_IN = 1 << 20
"""Bytes that are searched for the first frame, where it does not follow the tags at once."""


def starts_with_mpeg(source: Source, start: int) -> bool:
    """Tell whether MPEG audio begins at `start`."""
    return _size_if_confirmed(source, start, source.size) > 0


def mpeg_structure(source: Source, start: int = 0, end: int | None = None) -> Structure | None:
    """Return the structure of the MPEG audio in the bytes [start, end) of a file; None if there is none.

    Joined files become parts, each with the delay and padding that its own info tag tells, as does every
    change of rate or channels.
    """
    is_whole_file = start == 0 and end is None
    end = source.size if end is None else min(end, source.size)
    first = _first_frame(source, start, end)
    if first < 0:
        return None
    scan = _Scan(source)
    for run in _runs(source, first, end):
        scan.add(run)
    streams = [stream for stream in scan.streams if stream.frames]
    if not streams:
        return None
    parts = [stream.pieces() for stream in streams]
    if is_whole_file:  # the decoder reads the tags too
        parts[0] = [Extent(0, min(first, skip_tags(source, 0))), *parts[0]]
        parts[-1] = [*parts[-1], Extent(id3v1_start(source), source.size)]
    return Structure(
        tuple(Part(joined(pieces), stream.length) for pieces, stream in zip(parts, streams, strict=True)),
        tuple(scan.faults()),
    )


@dataclass
class _Run:
    """Frames of one kind that follow each other without a gap, or one frame with an info tag."""

    header: FrameHeader
    info: InfoTag | None
    start: int
    end: int
    last: int
    frames: int
    largest: int
    lacks_end: bool = False

    def without_last(self) -> _Run:
        """Return the run without its last frame, which is not whole."""
        self.end, self.frames, self.lacks_end = self.last, self.frames - 1, True
        return self


@dataclass
class _Stream:
    """Frames that one decoder decodes."""

    header: FrameHeader
    tag: _Run | None = None
    extents: list[Piece] = field(default_factory=list)
    frames: int = 0
    bytes: int = 0
    largest: int = 0

    def add(self, run: _Run) -> None:
        self.extents.append(Extent(run.start, run.end))
        self.frames += run.frames
        self.bytes += run.end - run.start
        self.largest = max(self.largest, run.largest)

    @property
    def length(self) -> int | None:
        """Samples per channel; None where the decoder takes them from the info tag."""
        return None if self._tag_position() is not None else self.frames * self.header.samples

    def pieces(self) -> list[Piece]:
        position = self._tag_position()
        if position is None or self.tag is None or self.tag.info is None:
            # The decoder guesses a length from the size of the file: zeros, never read, make the guess large.
            return [*self.extents, Zeros(self.frames * self.largest)]
        info, start, end = self.tag.info, self.tag.start, self.tag.end
        patches = {}
        if info.frames != self.frames:
            patches[position] = _four_bytes(self.frames)
            if info.bytes_position is not None:
                patches[info.bytes_position] = _four_bytes(self.bytes + end - start)
        return [*patched(start, end, patches), *self.extents]

    def missing(self) -> int:
        """Return how many frames the info tag promises and the stream has not."""
        info = self.tag.info if self.tag else None
        return info.missing(self.frames) if info else 0

    def _tag_position(self) -> int | None:
        info = self.tag.info if self.tag else None
        return info.frames_position if info else None


class _Scan:
    """Sorts the runs of a file into streams, and notes what is missing between them."""

    def __init__(self, source: Source) -> None:
        self.streams: list[_Stream] = []
        self._source = source
        self._position = -1
        self._seconds = 0.0
        self._gaps = self._gap_bytes = 0
        self._gap_at = 0.0
        self._is_cut = False

    def add(self, run: _Run) -> None:
        if 0 <= self._position < run.start and skip_tags(self._source, self._position) < run.start:
            self._gap_at = self._gap_at if self._gaps else self._seconds
            self._gaps += 1
            self._gap_bytes += run.start - self._position
        self._position = run.end
        self._is_cut = run.lacks_end
        if run.info is not None:
            self.streams.append(_Stream(run.header, run))
        elif run.frames:
            if not self.streams or self.streams[-1].header.kind != run.header.kind:
                self.streams.append(_Stream(run.header))
            self.streams[-1].add(run)
            self._seconds += run.frames * run.header.samples / run.header.rate

    def faults(self) -> Iterator[str]:
        missing = sum(
            stream.missing() * stream.header.samples / stream.header.rate for stream in self.streams
        )
        if missing:
            found, whole = clock(self._seconds, 1), clock(self._seconds + missing, 1)
            yield f"cut short or damaged: only {found} of {whole} are there"
        elif self._is_cut:
            yield "cut short: its last frame is incomplete"
        if self._gaps:
            where = f"at {clock(self._gap_at, 1)}" + (
                f" and {self._gaps - 1} times later" if self._gaps > 1 else ""
            )
            yield f"damaged {where}: {self._gap_bytes} bytes are no audio and were skipped"


def _first_frame(source: Source, start: int, end: int) -> int:
    after_tags = skip_tags(source, start)
    if _size_if_confirmed(source, after_tags, end):
        return after_tags
    for begin in (after_tags, start):  # the size of a tag may be wrong
        search_end = min(end, begin + _LARGEST_LEAD_IN)
        if (found := _find_frames_in_noise(source, begin, search_end, end)) >= 0:
            return found
    return -1


def _runs(source: Source, start: int, end: int) -> Iterator[_Run]:
    """Yield the runs of frames from `start`, where one begins, to `end`."""
    position, free_size = start, 0
    run: _Run | None = None
    while position + HEADER_SIZE <= end:
        head = source.at(position, LARGEST_OFFSET + 4)
        header = frame_header(head[:HEADER_SIZE])
        size = 0
        if header is not None:
            is_known = run is not None and run.end == position and header.continues(run.header)
            if is_known and (header.size or free_size):
                size = header.size or free_size + header.padding
            else:
                size = _size_if_confirmed(source, position, end)
                free_size = size - header.padding if header.size == 0 else 0
        if header is None or size == 0:
            # Out of step: a tag, or no audio, or a frame that lacks its end, in whose place others began.
            after_tags = skip_tags(source, position)
            begin = after_tags if after_tags > position or run is None else run.last + 1
            found = _find_frame(source, begin, end, end)
            if found < 0:
                break
            if run is not None:
                yield run.without_last() if found < run.end else run
            position, run = found, None
            continue
        info = info_tag(source, position, header, head)
        if run is None or info is not None or run.info is not None or header.kind != run.header.kind:
            if run is not None:
                yield run
            run = _Run(header, info, position, position, position, 0, 0)
        run.last, run.end = position, position + size
        run.frames += 1
        run.largest = max(run.largest, size)
        position += size
    if run is not None:
        yield run.without_last() if run.end > end else run


def _find_frame(source: Source, start: int, search_end: int, end: int) -> int:
    """Return where the first believable frame begins in [start, search_end), or -1."""
    for position in islice(source.matches(SYNC, SYNC_SIZE, start, search_end), _MOST_CANDIDATES):
        if _size_if_confirmed(source, position, end):
            return position
    return -1


def _find_frames_in_noise(source: Source, start: int, search_end: int, end: int) -> int:
    """Return the same where no frame is expected, and nothing but a long row of frames is believed."""
    for position in source.matches(SYNC, SYNC_SIZE, start, search_end):
        if _size_if_confirmed(source, position, end, _FOLLOWING_THE_FIRST, may_end=False):
            return position
    return -1


def _size_if_confirmed(
    source: Source, start: int, end: int, following: int = _FOLLOWING, *, may_end: bool = True
) -> int:
    """Return the size of a frame at `start` that others follow in step, else 0.

    `may_end`: fewer of them are enough before the end or a tag.
    """
    first = frame_header(source.at(start, HEADER_SIZE))
    if first is None:
        return 0
    size = first.size or _free_format_size(source, start, first)
    position = start + size
    for _ in range(following if size else 0):
        if position >= end:
            return size if may_end else 0
        header = frame_header(source.at(position, HEADER_SIZE))
        if header is None or not header.continues(first):
            return size if may_end and skip_tags(source, position) > position else 0
        position += header.size or size - first.padding + header.padding
    return size


def _free_format_size(source: Source, start: int, first: FrameHeader) -> int:
    """Return the distance from a frame of the free format to the next one like it; 0 if there is none."""
    data = source.at(start, _LARGEST_FRAME + HEADER_SIZE)
    for match in SYNC.finditer(data, _SMALLEST_FRAME):
        header = frame_header(data[match.start() : match.start() + HEADER_SIZE])
        if header is not None and header.size == 0 and header.continues(first):
            return match.start()
    return 0


def _four_bytes(number: int) -> bytes:
    return min(number, 2**32 - 1).to_bytes(4, "big")
