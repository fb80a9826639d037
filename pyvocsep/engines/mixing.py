"""Engines with one output: the recording with its vocals turned down or up."""

from __future__ import annotations

import numpy as np

from pyvocsep import _core
from pyvocsep.arrays import Samples
from pyvocsep.engines.protocol import Engine

MAX_LEVEL_DB = 60.0


def gain_of_level(name: str, level: float) -> float:
    """Return the factor of a level in dB. ValueError, naming it, for one that makes no sense."""
    if not level <= MAX_LEVEL_DB:  # true for NaN too
        raise ValueError(f"{name} is {level}; it must be from minus infinity to {MAX_LEVEL_DB:g} dB")
    return float(10.0 ** (level / 20.0))


class CoreMixer:
    """Mixes the stems of a stream anew in the C++ core, as the effect `StemMixer` does.

    Args:
        model: read by the registry.
        vocals_gain: factor of the vocals; the accompaniment stays as it is.
        sample_rate, channels, threads: as of `CoreEngine`.
    """

    def __init__(
        self, model: _core.Model, vocals_gain: float, sample_rate: float, channels: int, threads: int = 1
    ) -> None:
        self._core = _core.StemMixer(model, sample_rate, channels, threads)
        self._core.set_gains(vocals_gain, 1.0)
        self._core.reset()  # from the first sample on, not by a ramp
        self._channels = channels

    @property
    def latency_samples(self) -> int:
        """One frame of the model at the stream's rate."""
        return self._core.latency_samples

    def process(self, block: Samples) -> tuple[Samples]:
        """Take C-contiguous (channels, samples); return as many samples, `latency_samples` late."""
        mix = np.empty_like(block)
        self._core.process(block, mix)
        return (mix,)

    def flush(self) -> tuple[Samples]:
        """Return the last `latency_samples` of the stream, and begin another one."""
        tail = self.process(np.zeros((self._channels, self.latency_samples), np.float32))
        self._core.reset()
        return tail


class StemsMixer:
    """Mixes the stems of any engine; for those that are not the core's."""

    def __init__(self, engine: Engine, vocals_gain: float) -> None:
        self._engine, self._gain = engine, np.float32(vocals_gain)

    @property
    def latency_samples(self) -> int:
        """Those of the engine."""
        return self._engine.latency_samples

    def process(self, block: Samples) -> tuple[Samples]:
        """Take the next (channels, samples) and return what is ready of the mix."""
        return self._mixed(*self._engine.process(block))

    def flush(self) -> tuple[Samples]:
        """Return the rest of the mix."""
        return self._mixed(*self._engine.flush())

    def _mixed(self, vocals: Samples, accompaniment: Samples) -> tuple[Samples]:
        return (self._gain * vocals + accompaniment,)
