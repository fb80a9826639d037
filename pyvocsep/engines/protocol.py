"""What an engine is to the rest of the package."""

from __future__ import annotations

from typing import Protocol

from pyvocsep.arrays import Samples

StemBlocks = tuple[Samples, Samples]
"""Vocals and accompaniment of the same stretch of a recording, each (channels, samples)."""


class Engine(Protocol):
    """Separates one recording or stream, block by block.

    All that `process` and `flush` return, joined, is `latency_samples` samples of silence followed by the
    stems of everything that came in.
    """

    @property
    def latency_samples(self) -> int:
        """Samples that the joined output lags behind the input."""

    @property
    def is_streaming(self) -> bool:
        """Whether every call of `process` returns as many samples as came in."""

    def process(self, block: Samples) -> StemBlocks:
        """Take the next (channels, samples) and return the stems that are ready.

        Samples that are not finite, or beyond +-1e15, are processed as silence.
        """

    def flush(self) -> StemBlocks:
        """End the recording: return the rest of its stems, and be ready for another one."""

    def reset(self) -> None:
        """Forget the recording: the next block is the first of another one."""


class Stream(Engine, Protocol):
    """An engine whose `process` returns as many samples as came in."""

    def process_into(self, block: Samples, vocals: Samples, accompaniment: Samples) -> None:
        """Do what `process` does, into arrays of the block's shape, C-contiguous."""
