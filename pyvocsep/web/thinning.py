"""Long signals in few points: what a picture can show, whatever a recording's length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FRAME = 4096
"""Samples of a spectrum at 44.1 kHz; at other rates the power of two nearest in time."""
BANDS = 112
LOWEST_HZ = 40.0
HIGHEST_HZ = 20_000.0
FLOOR_DB = -90.0
"""What lies lower is drawn as this."""

_FRAMES_PER_COLUMN = 4
"""A column of a long recording's spectrogram averages so many frames, evenly spread in its time."""


@dataclass(frozen=True, eq=False)
class Powers:
    """Power in bands of log frequency.

    Attributes:
        power: (bands, columns), the mean over a band's bins; a sine's own bin has its mean square.
        hertz: (bands,), the centre of each.
        step_s: seconds from column to column; the first is half a step after the start.
    """

    power: Floats
    hertz: Floats
    step_s: float

    @property
    def db(self) -> Floats:
        """The power in dB, `FLOOR_DB` at least."""
        return decibels(self.power)


def decibels(power: Floats) -> Floats:
    """Return powers in dB, `FLOOR_DB` at least."""
    return np.maximum(10 * np.log10(np.maximum(power, 1e-20)), FLOOR_DB).astype(np.float32)


def band_powers(audio: Floats, sample_rate: float, columns: int, bands: int = BANDS) -> Powers:
    """Return a spectrogram of at most `columns` columns; of a long recording each is an average of a few
    frames, so the cost does not grow with the length.

    Args:
        audio: (channels, samples); the channels' powers are averaged.
        sample_rate: in Hz.
        columns: the most there may be.
        bands: how many, evenly spaced in log frequency.
    """
    frame = 1 << max(8, round(np.log2(FRAME * sample_rate / 44_100)))
    samples = audio.shape[1]
    if samples == 0:
        raise ValueError("there is no spectrogram of no samples")
    columns = max(1, min(columns, samples // (frame // 4)))
    width = samples / columns
    per_column = int(min(_FRAMES_PER_COLUMN, max(1, width // (frame // 4))))
    middles = (np.arange(columns * per_column) + 0.5) * (width / per_column)
    starts = (middles - frame / 2).astype(np.int64)
    window = np.hanning(frame).astype(np.float32)
    edges_hz = np.geomspace(LOWEST_HZ, min(HIGHEST_HZ, sample_rate / 2), bands + 1)
    power = np.empty((bands, columns), np.float32)
    for first in range(0, columns, 64):  # bounded memory
        here = starts[first * per_column : (first + 64) * per_column]
        at = np.clip(here[:, np.newaxis] + np.arange(frame), 0, samples - 1)  # the ends hold their sample
        frames = audio[:, at] * window
        spectra = np.abs(np.fft.rfft(frames, axis=-1)) ** 2
        mean = spectra.mean(0).reshape(-1, per_column, frame // 2 + 1).mean(1)
        power[:, first : first + 64] = _in_bands(mean, edges_hz * frame / sample_rate).T
    power *= np.float32(2 / np.sum(window, dtype=np.float64) ** 2)
    centres = np.sqrt(edges_hz[:-1] * edges_hz[1:])
    return Powers(power, centres.astype(np.float32), width / sample_rate)


def vocal_mask(vocals: Powers, accompaniment: Powers) -> Floats:
    """Return the share of the vocals in the amplitude of each cell, 0 to 1, as a mask would have it."""
    voice, rest = np.sqrt(vocals.power), np.sqrt(accompaniment.power)
    return (voice / np.maximum(voice + rest, 1e-10)).astype(np.float32)


def vocal_activity(vocals: Floats, accompaniment: Floats, points: int) -> NDArray[np.bool_]:
    """Return in which of `points` equal parts of the time somebody sings.

    That is where the vocals are within 30 dB of their own loud parts (95th percentile) and within 20 dB of
    the accompaniment: below, what is left in the vocals are traces of the accompaniment.
    """
    voice, rest = _levels_db(vocals, points), _levels_db(accompaniment, points)
    if len(voice) == 0:
        return np.zeros(0, bool)
    return (voice > np.percentile(voice, 95) - 30) & (voice > rest - 20) & (voice > FLOOR_DB)


def _levels_db(audio: Floats, points: int) -> Floats:
    samples = audio.shape[1]
    if samples == 0:
        return np.zeros(0, np.float32)
    starts = np.unique(np.arange(points) * samples // points)
    counts = np.diff(np.append(starts, samples))
    square = sum(np.add.reduceat(channel * channel, starts) for channel in audio)
    return decibels(np.asarray(square, np.float32) / (counts * audio.shape[0]).astype(np.float32))


def _in_bands(spectra: NDArray[np.floating], edges: NDArray[np.float64]) -> NDArray[np.floating]:
    """Return the mean power (frames, bands) between edges in bins; a band within one bin takes that bin's."""
    last = spectra.shape[1] - 1
    low = np.minimum(np.round(edges[:-1]).astype(int), last)
    high = np.minimum(np.maximum(np.round(edges[1:]).astype(int), low + 1), last + 1)
    sums = np.concatenate([np.zeros((len(spectra), 1)), np.cumsum(spectra, axis=1)], axis=1)
    return (sums[:, high] - sums[:, low]) / (high - low)
