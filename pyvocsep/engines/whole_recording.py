"""An engine that returns its stems later, behind the interface of a stream: one recording per call."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pyvocsep.arrays import Samples
from pyvocsep.engines.protocol import Engine, StemBlocks


class WholeRecording:
    """Separates a whole recording in one call of `process`, which returns as many samples as came in.

    Args:
        engine: separates it.
        refusal: makes the ValueError for a second block of a recording, since the first one ended it.
    """

    is_streaming = False
    latency_samples = 0

    def __init__(self, engine: Engine, refusal: Callable[[], ValueError]) -> None:
        self._engine = engine
        self._refusal = refusal
        self._is_done = False

    def process(self, block: Samples) -> StemBlocks:
        """Take a whole recording (channels, samples) and return its stems; ValueError for a second block."""
        if block.shape[1] == 0:
            return block.copy(), block.copy()
        if self._is_done:
            raise self._refusal()
        self._is_done = True
        parts = zip(self._engine.process(block), self._engine.flush(), strict=True)
        vocals, accompaniment = (np.concatenate(stem, axis=1) for stem in parts)
        return vocals, accompaniment

    def process_into(self, block: Samples, vocals: Samples, accompaniment: Samples) -> None:
        """Do the same into arrays of the recording's shape."""
        vocals[...], accompaniment[...] = self.process(block)

    def flush(self) -> StemBlocks:
        """Be ready for another recording; nothing of this one is left to return."""
        tail = self._engine.flush()
        self._is_done = False
        return tail

    def reset(self) -> None:
        """Be ready for another recording."""
        self._engine.reset()
        self._is_done = False
