"""Waveforms in few points, for pictures."""

from __future__ import annotations

import numpy as np

from pyvocsep.arrays import Samples


def envelope(audio: Samples, points: int) -> tuple[Samples, Samples]:
    """Return the least and the greatest sample, over all channels, of `points` equal parts of the time.

    Args:
        audio: (channels, samples).
        points: how many; fewer come back for fewer samples.
    """
    samples = audio.shape[1]
    if samples == 0:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    starts = np.unique(np.arange(points) * samples // points)
    low = np.minimum.reduceat(audio, starts, axis=1).min(0)
    high = np.maximum.reduceat(audio, starts, axis=1).max(0)
    return low, high
