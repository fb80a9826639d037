"""Raw samples: 32-bit float, little-endian, interleaved, without a header."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pyvocsep.files.forward import ForwardFile

_SAMPLE = np.dtype("<f4")


class RawStream:
    """Reads raw samples block by block as they come in; see `Decoded`.

    Args:
        file: begins with the first sample.
        sample_rate: in Hz.
        channels: of which each has one sample, one after the other.
    """

    format = "RAW"
    subtype = "FLOAT"
    frames = None
    seconds = float("inf")

    def __init__(self, file: ForwardFile, sample_rate: int, channels: int) -> None:
        self._file = file
        self.sample_rate, self.channels = sample_rate, channels
        self.tags: dict[str, str] = {}
        self.faults: list[str] = []

    def blocks(self, length: int) -> Iterator[NDArray[np.float32]]:
        """Yield the samples in float32 arrays (channels, at most `length`), from the first to the last."""
        step = _SAMPLE.itemsize * self.channels
        while data := self._file.take(length * step):
            whole = len(data) - len(data) % step
            if whole < len(data):
                self.faults.append(f"cut short: the last {len(data) - whole} bytes are no whole sample")
            if whole:
                samples = np.frombuffer(data[:whole], _SAMPLE).astype(np.float32, copy=False)
                yield np.ascontiguousarray(samples.reshape(-1, self.channels).T)


def raw_layout(text: str) -> tuple[int, int]:
    """Return rate and channels of "RATE,CHANNELS"; ValueError if it is none."""
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise ValueError(f"{text!r} is not RATE,CHANNELS, as 44100,2")
    return int(parts[0]), int(parts[1])
