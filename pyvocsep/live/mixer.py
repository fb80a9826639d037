"""What runs in the audio callback: separation and mixing, in memory that is there from the start."""

from __future__ import annotations

import math
import os
import time

import numpy as np
from numpy.typing import NDArray

from pyvocsep import _core
from pyvocsep.engines.registry import PRECISIONS, load_streaming_model
from pyvocsep.models import DEFAULT

LARGEST_BLOCK = 8192
"""Frames that are processed at once; a larger block is processed in parts."""

_SMOOTHING = 0.05
"""Weight of the newest block in the average load."""


class LiveMixer:
    """One stream through the core's mixer, block by block.

    `process` is called by the audio thread. It allocates no audio memory, takes no lock, does no input or
    output, and leaves Python while the core computes; what Python itself allocates are a few small objects.
    Everything else may be called from another thread at any time.

    Args:
        sample_rate: in Hz.
        channels: of the input, 1 or 2; the output may have 1 more, which then sounds the same.
        model, precision: as `pyvocsep.StemMixer` takes them.
        vocals_db, accompaniment_db: levels at the start.

    Raises what `pyvocsep.StemMixer` raises.
    """

    def __init__(
        self,
        sample_rate: float,
        channels: int,
        model: str | os.PathLike[str] = DEFAULT,
        precision: str = PRECISIONS[0],
        vocals_db: float = 0.0,
        accompaniment_db: float = 0.0,
    ) -> None:
        weights = load_streaming_model(model, precision)
        self.sample_rate = sample_rate
        self.channels = channels
        self._core = _core.StemMixer(weights, sample_rate, channels)
        frame, _ = _core.scaled_grid(weights.n_fft, weights.hop, weights.sample_rate, sample_rate)
        self.frame_samples = frame
        self.look_ahead_samples = self._core.latency_samples - frame
        self._input = np.zeros(channels * LARGEST_BLOCK, np.float32)
        self._output = np.zeros(channels * LARGEST_BLOCK, np.float32)
        self._levels_db = (vocals_db, accompaniment_db)
        self._bypassed = False
        self.blocks = 0
        self.frames = 0
        self.load = 0.0
        self.worst_load = 0.0
        self._apply()
        self.reset()

    @property
    def latency_samples(self) -> int:
        """By how much the output is late: one frame and the model's look-ahead."""
        return self.frame_samples + self.look_ahead_samples

    @property
    def levels_db(self) -> tuple[float, float]:
        """Vocals and accompaniment. A change is a ramp, one hop long."""
        return self._levels_db

    @levels_db.setter
    def levels_db(self, levels: tuple[float, float]) -> None:
        self._levels_db = levels
        self._apply()

    @property
    def bypassed(self) -> bool:
        """Whether the input passes as it is, as late as it would be otherwise: switching does not jump."""
        return self._bypassed

    @bypassed.setter
    def bypassed(self, bypassed: bool) -> None:
        self._bypassed = bypassed
        self._apply()

    def reset(self) -> None:
        """Forget the stream, while no audio thread runs; the first block takes no longer than the others."""
        self._core.reset()
        warm = np.zeros((self.channels, 1024), np.float32)
        self._core.process(warm, np.empty_like(warm))
        self._core.reset()

    def process(self, indata: NDArray[np.float32], outdata: NDArray[np.float32]) -> None:
        """Fill `outdata` (frames, channels) from `indata` (frames, channels)."""
        began = time.perf_counter()
        frames = len(indata)
        for start in range(0, frames, LARGEST_BLOCK):
            count = min(LARGEST_BLOCK, frames - start)
            planes = self._input[: self.channels * count].reshape(self.channels, count)
            mixed = self._output[: self.channels * count].reshape(self.channels, count)
            planes[...] = indata[start : start + count].T
            self._core.process(planes, mixed)
            outdata[start : start + count] = mixed.T  # one channel is heard in both
        self.blocks += 1
        self.frames += frames
        if frames:
            load = (time.perf_counter() - began) * self.sample_rate / frames
            self.load += _SMOOTHING * (load - self.load)
            self.worst_load = max(self.worst_load, load)

    def _apply(self) -> None:
        self._core.set_gains(*((1.0, 1.0) if self._bypassed else map(_gain, self._levels_db)))


def _gain(level_db: float) -> float:
    return 10.0 ** (level_db / 20.0) if level_db > -math.inf else 0.0
