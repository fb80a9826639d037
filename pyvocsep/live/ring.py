"""A ring of audio between a thread that reads a file and the audio thread."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Ring:
    """One writer, one reader, no lock: each moves a counter of its own after it has moved the samples.

    Args:
        channels: of the audio.
        capacity: in frames.
    """

    def __init__(self, channels: int, capacity: int) -> None:
        self._samples = np.zeros((capacity, channels), np.float32)
        self._written = 0
        self._read = 0

    @property
    def available(self) -> int:
        """Frames that can be read."""
        return self._written - self._read

    @property
    def room(self) -> int:
        """Frames that can be written."""
        return len(self._samples) - self.available

    def write(self, block: NDArray[np.float32]) -> int:
        """Take frames of a block (frames, channels), as many as there is room for; return how many."""
        count = min(len(block), self.room)
        begin = self._written % len(self._samples)
        first = min(count, len(self._samples) - begin)
        self._samples[begin : begin + first] = block[:first]
        self._samples[: count - first] = block[first:count]
        self._written += count
        return count

    def read_into(self, block: NDArray[np.float32]) -> int:
        """Fill a block (frames, channels) as far as there is something to read, the rest with silence; return
        how many frames were read."""
        count = min(len(block), self.available)
        begin = self._read % len(self._samples)
        first = min(count, len(self._samples) - begin)
        block[:first] = self._samples[begin : begin + first]
        block[first:count] = self._samples[: count - first]
        block[count:] = 0
        self._read += count
        return count
