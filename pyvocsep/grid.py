"""The spectral grid that a network sees, and the frames that put other sample rates on it.

A network knows one grid: bins ``sample_rate / n_fft`` apart, frames ``hop / sample_rate`` apart. Audio at
another rate is not resampled; its *frame* is scaled instead. The same trick makes augmentation cheap: a
frame 5 % too long shows the network a signal resampled by 5 %, at no cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import count

import numpy as np
import numpy.typing as npt

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
    def overlap(self) -> int:
        """How many frames cover a sample: 2 or 4."""
        return self.n_fft // self.hop

    def frame_length(self, sample_rate: float) -> int:
        """The 7-smooth multiple of ``overlap`` nearest to ``n_fft`` scaled to ``sample_rate``; the
        smaller on a tie.
        """
        wanted, unit = self.n_fft * sample_rate / self.sample_rate, self.overlap
        first = max(unit, int(wanted // unit) * unit)
        below = next(n for n in range(first, 0, -unit) if is_smooth(n))
        above = next(n for n in count(first + unit, unit) if is_smooth(n))
        return min(below, above, key=lambda n: (abs(n - wanted), n))


def is_smooth(n: int) -> bool:
    """Whether ``n`` has no prime factor above 7."""
    for prime in (2, 3, 5, 7):
        while n % prime == 0:
            n //= prime
    return n == 1


@lru_cache(maxsize=256)
def window(length: int) -> Audio:
    """sin(pi n / N), the square root of the periodic Hann window, for analysis and synthesis."""
    return np.sin(np.pi * np.arange(length) / length).astype(np.float32)


def analyse(audio: Audio, frame: int, hop: int) -> Spectra:
    """Unnormalised short-time spectra.

    ``audio`` is (channels, samples); the result (channels, frames, frame/2+1). Frame t starts at sample
    ``t * hop``: pad before to choose where the first one lies.
    """
    frames = np.lib.stride_tricks.sliding_window_view(audio, frame, axis=-1)[:, ::hop]
    return np.fft.rfft(frames * window(frame), axis=-1).astype(np.complex64, copy=False)


def synthesise(spectra: Spectra, frame: int, hop: int) -> Audio:
    """Weighted overlap-add, the inverse of :func:`analyse` wherever ``frame / hop`` frames overlap."""
    channels, count, _ = spectra.shape
    pieces = np.fft.irfft(spectra, frame, axis=-1).astype(np.float32) * (
        window(frame) * np.float32(2 * hop / frame)
    )
    audio = np.zeros((channels, (count - 1) * hop + frame), np.float32)
    for t in range(count):
        audio[:, t * hop : t * hop + frame] += pieces[:, t]
    return audio


def rotate(spectra: Spectra) -> Spectra:
    """Left and right (2, frames, bins) to mid and side, or back; mono comes back as it is.

    It keeps energies and is its own inverse.
    """
    if len(spectra) == 1:
        return spectra
    left, right = spectra
    rotated: Spectra = np.stack([left + right, left - right]) * np.float32(np.sqrt(0.5))
    return rotated
