"""The engine of models that run in the C++ core."""

from __future__ import annotations

import numpy as np

from pyvocsep import _core
from pyvocsep.arrays import Samples
from pyvocsep.engines.protocol import StemBlocks


class CoreEngine:
    """Separates a stream in the C++ core; see `Engine`.

    Args:
        model: read by the registry.
        sample_rate: in Hz.
        channels: 1 or 2.
        threads: to compute with; the result does not depend on it.
    """

    is_streaming = True

    def __init__(self, model: _core.Model, sample_rate: float, channels: int, threads: int = 1) -> None:
        self._core = _core.Separator(model, sample_rate, channels, threads)
        self._channels = channels

    @property
    def latency_samples(self) -> int:
        """One frame of the model at the stream's rate, and a hop for each frame that it looks ahead."""
        return self._core.latency_samples

    def process(self, block: Samples) -> StemBlocks:
        """Take C-contiguous (channels, samples); return as many samples, `latency_samples` late."""
        vocals, accompaniment = np.empty_like(block), np.empty_like(block)
        self.process_into(block, vocals, accompaniment)
        return vocals, accompaniment

    def process_into(self, block: Samples, vocals: Samples, accompaniment: Samples) -> None:
        """Do the same into arrays of the block's shape, and allocate nothing."""
        self._core.process(block, vocals, accompaniment)

    def flush(self) -> StemBlocks:
        """Return the last `latency_samples` of the stream, and begin another one."""
        tail = self.process(np.zeros((self._channels, self.latency_samples), np.float32))
        self.reset()
        return tail

    def reset(self) -> None:
        """Begin another stream."""
        self._core.reset()
