"""The spectral grid that a network sees, and the frames that put other sample rates on it.

A network knows one grid: bins ``sample_rate / n_fft`` apart, frames ``hop / sample_rate`` apart. Audio at
another rate is not resampled; its *frame* is scaled instead. The same trick makes augmentation cheap: a
frame 5 % too long shows the network a signal resampled by 5 %, at no cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pyvocsep import _core

Spectra = npt.NDArray[np.complex64]
Audio = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """Sample rate in Hz, frame length and hop in samples of the network's own rate."""

    sample_rate: int
    n_fft: int
    hop: int

    @property
    def bins(self) -> int:
        """Number of bins K that the network knows, from 0 Hz to half its sample rate."""
        return self.n_fft // 2 + 1

    @property
    def bin_hz(self) -> float:
        """How far apart the bins lie, in Hz."""
        return self.sample_rate / self.n_fft

    @property
    def overlap(self) -> int:
        """How many frames cover a sample: 2 or 4."""
        return self.n_fft // self.hop

    def frame_length(self, sample_rate: float) -> int:
        """The frame in samples at another rate: the FFT size nearest to ``n_fft`` scaled to it."""
        return _frame_length(self.n_fft, self.hop, self.sample_rate, sample_rate)


@lru_cache(maxsize=4096)
def _frame_length(n_fft: int, hop: int, model_rate: float, sample_rate: float) -> int:
    return _core.scaled_grid(n_fft, hop, model_rate, sample_rate)[0]


def analyse(audio: Audio, frame: int, hop: int) -> Spectra:
    """Unnormalised short-time spectra, by the core's transform.

    ``audio`` is (channels, samples); the result (channels, frames, frame/2+1). Frame t starts at sample
    ``t * hop``: pad before to choose where the first one lies. The window is the square root of the periodic
    Hann window. ValueError unless ``frame`` is an FFT size of the core.
    """
    return _core.analyse(np.ascontiguousarray(audio, np.float32), frame, hop)


def synthesise(spectra: Spectra, frame: int, hop: int) -> Audio:
    """Weighted overlap-add, the inverse of :func:`analyse` wherever ``frame / hop`` frames overlap."""
    return _core.synthesise(np.ascontiguousarray(spectra, np.complex64), frame, hop)


def rotate(spectra: Spectra) -> Spectra:
    """Left and right (2, frames, bins) to mid and side, or back; mono comes back as it is.

    It keeps energies and is its own inverse.
    """
    if len(spectra) == 1:
        return spectra
    left, right = spectra
    rotated: Spectra = np.stack([left + right, left - right]) * np.float32(np.sqrt(0.5))
    return rotated
