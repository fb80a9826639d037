"""What a file consists of, as far as a decoder has to be told."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyvocsep.files.splice import Piece


class UnreadableError(ValueError):
    """A file that cannot be decoded, and why."""


class ForeignError(UnreadableError):
    """A file that libsndfile cannot decode, and FFmpeg can.

    Attributes:
        what: the kind of file.
    """

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what}, which cannot be decoded here; {advice}")
        self.what = what


@dataclass(frozen=True)
class Part:
    """A stretch of a file that one decoder decodes from beginning to end.

    Attributes:
        pieces: what the decoder is given.
        frames: samples per channel that the part promises, maybe more than it holds; None if it does not say,
            and the decoder's own count is believed.
    """

    pieces: tuple[Piece, ...]
    frames: int | None = None


@dataclass(frozen=True)
class Structure:
    """The parts of a file, one after the other, and what is missing from it.

    Attributes:
        parts: at least one.
        faults: what was found missing or wrong, each a phrase that completes "song.mp3: ...".
    """

    parts: tuple[Part, ...]
    faults: tuple[str, ...] = field(default=())


def clock(frames: float, rate: float) -> str:
    """Return a number of samples as seconds, or hours, minutes and seconds, to the hundredth."""
    seconds = round(frames / rate, 2) if rate else 0.0
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:05.2f}" if hours else f"{minutes}:{rest:05.2f}"
